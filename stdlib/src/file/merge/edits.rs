//! Changes of a text in several places at once.

use std::ops::Range;

/// Changes that are worked out on a text as it is, and made together.
#[derive(Debug, Default)]
pub struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts something in the place of a range.
    pub fn replace(&mut self, range: Range<usize>, new: impl Into<String>) {
        self.0.push((range, new.into()));
    }

    /// Puts something in front of a position, behind what was put there before.
    pub fn insert(&mut self, at: usize, new: impl Into<String>) {
        self.replace(at..at, new);
    }

    /// Removes a range.
    pub fn remove(&mut self, range: Range<usize>) {
        self.replace(range, "");
    }

    /// The text with all changes made. Where two of them overlap, `None`.
    pub fn apply(mut self, text: &str) -> Option<String> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (range, new) in self.0 {
            out.push_str(text.get(done..range.start)?);
            out.push_str(&new);
            done = range.end;
        }
        out.push_str(text.get(done..)?);
        Some(out)
    }
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
}
