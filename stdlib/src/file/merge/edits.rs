//! Changes of a text in several places at once.

use std::ops::Range;

/// Changes that are worked out on a text as it is, and made together.
#[derive(Debug, Default)]
pub struct Edits {
    changes: Vec<(Range<usize>, String)>,
    /// Whole lines that go, without the newlines around them.
    lines: Vec<Range<usize>>,
}

impl Edits {
    /// Puts something in the place of a range.
    pub fn replace(&mut self, range: Range<usize>, new: impl Into<String>) {
        self.changes.push((range, new.into()));
    }

    /// Puts something in front of a position, behind what was put there before.
    pub fn insert(&mut self, at: usize, new: impl Into<String>) {
        self.replace(at..at, new);
    }

    /// Removes a range.
    pub fn remove(&mut self, range: Range<usize>) {
        self.replace(range, "");
    }

    /// Removes the lines that a range is in. Lines that are removed twice are removed.
    pub fn remove_lines(&mut self, text: &str, range: &Range<usize>) {
        let start = text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |newline| range.end + newline);
        self.lines.push(start..end);
    }

    /// The text with all changes made; what is put inside of what is removed takes its place. Where two changes overlap
    /// otherwise, `None`.
    pub fn apply(mut self, text: &str) -> Option<String> {
        for run in runs(std::mem::take(&mut self.lines)) {
            // With the newline in front where there is one: behind the last line something may be added.
            let with_newline =
                if run.start > 0 { run.start - 1..run.end } else { 0..(run.end + 1).min(text.len()) };
            self.remove(with_newline);
        }
        self.changes.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        let mut removing = false;
        for (range, new) in self.changes {
            let inside = removing && range.is_empty() && range.start < done;
            if !inside {
                out.push_str(text.get(done..range.start)?);
                done = range.end;
                removing = new.is_empty();
            }
            out.push_str(&new);
        }
        out.push_str(text.get(done..)?);
        Some(out)
    }
}

/// Lines that follow one another, as one range.
fn runs(mut lines: Vec<Range<usize>>) -> Vec<Range<usize>> {
    lines.sort_by_key(|range| range.start);
    let mut runs: Vec<Range<usize>> = Vec::new();
    for range in lines {
        match runs.last_mut() {
            Some(run) if range.start <= run.end + 1 => run.end = run.end.max(range.end),
            _ => runs.push(range),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_together() {
        let mut edits = Edits::default();
        edits.remove(4..6);
        edits.insert(0, "<");
        edits.replace(1..2, "X");
        edits.insert(0, "(");
        assert_eq!(edits.apply("abcdef").as_deref(), Some("<(aXcd"));
        let mut edits = Edits::default();
        edits.remove(0..3);
        edits.remove(2..4);
        assert_eq!(edits.apply("abcdef"), None);
    }

    #[test]
    fn lines_are_removed_whole() {
        let text = "a = 1\nb = 2\nc = 3\n";
        let without = |ranges: &[Range<usize>]| {
            let mut edits = Edits::default();
            ranges.iter().for_each(|range| edits.remove_lines(text, range));
            edits.apply(text)
        };
        assert_eq!(without(&[0..1, 2..3]).as_deref(), Some("b = 2\nc = 3\n"));
        assert_eq!(without(&[8..9, 2..3]).as_deref(), Some("c = 3\n"));
        assert_eq!(without(&[6..7, 8..9, 12..13]).as_deref(), Some("a = 1\n"));
        let mut edits = Edits::default();
        edits.remove_lines(text, &(6..7));
        edits.insert(8, "\nx = 9");
        assert_eq!(edits.apply(text).as_deref(), Some("a = 1\nx = 9\nc = 3\n"));
    }
}
