//! Changes of lists and maps that stand in brackets, as in JSON.

use std::ops::Range;

use serde_json::{Map, Value};

use super::Problem;
use super::edits::Edits;
use super::tree::{Content, Editor, Entry, ListChange, Node};

/// How values are written between brackets.
pub trait Notation {
    /// A key.
    fn key(&self, key: &str) -> String;

    /// What stands between a key and its value.
    fn colon(&self) -> &str;

    /// What stands between two entries on one line.
    fn comma(&self) -> &str;

    /// A value on one line.
    fn on_one_line(&self, value: &Value) -> String;

    /// A value on as many lines as it likes; further lines are indented at least so.
    fn on_lines(&self, value: &Value, indentation: &str) -> String;

    /// Whether there can be comments. Then a comma behind the last entry is fine, too.
    fn has_comments(&self) -> bool;
}

/// Changes lists and maps in brackets.
pub struct Flow<'a, N> {
    /// The whole text.
    pub text: &'a str,
    /// How values are written.
    pub notation: N,
}

/// How entries are set apart.
struct Gap {
    /// What stands between two entries.
    separator: String,
    /// The indentation of entries that have lines of their own.
    indentation: Option<String>,
}

impl<N: Notation> Flow<'_, N> {
    fn value(&self, value: &Value, indentation: Option<&str>) -> String {
        match indentation {
            Some(indentation) => self.notation.on_lines(value, indentation),
            None => self.notation.on_one_line(value),
        }
    }

    fn entry(&self, (key, value): (&String, &Value), indentation: Option<&str>) -> String {
        let (key, colon) = (self.notation.key(key), self.notation.colon());
        format!("{key}{colon}{}", self.value(value, indentation))
    }

    /// The gap between entries, as the ones that are there have it.
    fn gap(&self, entries: &[Range<usize>]) -> Gap {
        let last = entries.last().map_or(0, |last| last.start);
        if let Some(indentation) = own_line(self.text, last) {
            let separator = format!(",\n{indentation}");
            return Gap { separator, indentation: Some(indentation.to_owned()) };
        }
        let between = entries.windows(2).next().map(|pair| &self.text[pair[0].end..pair[1].start]);
        let plain = between.filter(|between| between.chars().all(|c| c == ',' || c == ' '));
        Gap { separator: plain.unwrap_or(self.notation.comma()).to_owned(), indentation: None }
    }

    /// Adds entries behind the last one. A comment behind that one stays on its line.
    fn append(&self, edits: &mut Edits, end: usize, gap: &Gap, new: &[String]) {
        let rest = self.text[end..].lines().next().unwrap_or_default();
        let (blanks, comma) = (rest.len() - rest.trim_start().len(), rest.trim_start().starts_with(','));
        let behind = end + if comma { blanks + 1 } else { 0 };
        let commented =
            self.notation.has_comments() && self.text[behind..].trim_start_matches(' ').starts_with('#');
        match &gap.indentation {
            Some(indentation) if commented => {
                if !comma {
                    edits.insert(end, ",");
                }
                let last = if comma { "," } else { "" };
                edits.insert(end + rest.len(), format!("\n{indentation}{}{last}", new.join(&gap.separator)));
            }
            _ => edits.insert(end, format!("{0}{1}", gap.separator, new.join(&gap.separator))),
        }
    }

    /// Removes entries from among others that stay.
    fn remove_among(&self, edits: &mut Edits, entries: &[Range<usize>], removed: &[usize]) {
        let mut index = 0;
        while index < entries.len() {
            if !removed.contains(&index) {
                index += 1;
                continue;
            }
            let first = index;
            while removed.contains(&index) {
                index += 1;
            }
            let run = &entries[first..index];
            if let Some(lines) = run.iter().map(|entry| self.own_lines(entry)).collect::<Option<Vec<_>>>() {
                lines.into_iter().for_each(|lines| edits.remove(lines));
                continue;
            }
            // With the comma behind them; the last ones with the comma in front.
            match entries.get(index) {
                Some(next) => edits.remove(run[0].start..next.start),
                None => edits.remove(entries[first - 1].end..entries[index - 1].end),
            }
        }
    }

    /// The lines of an entry that has them for itself, where comments above it have to stay: from the newline in front.
    fn own_lines(&self, entry: &Range<usize>) -> Option<Range<usize>> {
        let indentation = own_line(self.text, entry.start).filter(|_| self.notation.has_comments())?;
        let rest = self.text[entry.end..].lines().next().unwrap_or_default();
        let behind = rest.trim_start().trim_start_matches(',').trim_start();
        let alone = behind.is_empty() || behind.starts_with('#');
        alone.then(|| entry.start - indentation.len() - 1..entry.end + rest.len())
    }
}

impl<N: Notation> Editor for Flow<'_, N> {
    fn replace(&self, edits: &mut Edits, entry: &Entry, value: &Value) -> Result<(), Problem> {
        let range = entry.behind_colon..entry.value.range.end;
        let old = self.text.get(range.clone()).unwrap_or_default();
        let blanks = old.len() - old.trim_start().len();
        let indentation = own_line(self.text, entry.start);
        let new = self.value(value, indentation);
        if !self.text[..entry.behind_colon].ends_with([':', '=']) {
            // A key alone stands for `key: null`.
            edits.insert(entry.value.range.end, format!("{}{new}", self.notation.colon()));
        } else if old.trim().is_empty() {
            edits.replace(range, format!(" {new}"));
        } else {
            edits.replace(range.start + blanks..range.end, new);
        }
        Ok(())
    }

    fn insert(
        &self,
        edits: &mut Edits,
        _: Option<&Entry>,
        map: &Node,
        new: &[(&String, &Value)],
    ) -> Result<(), Problem> {
        let ranges = ranges(map);
        match ranges.last() {
            None => {
                let filled = new.iter().map(|(key, value)| ((*key).clone(), (*value).clone()));
                let own = line_indentation(self.text, map.range.start);
                let filled = self.notation.on_lines(&Value::Object(filled.collect()), own);
                edits.replace(map.range.clone(), filled);
            }
            Some(last) => {
                let gap = self.gap(&ranges);
                let new: Vec<String> =
                    new.iter().map(|entry| self.entry(*entry, gap.indentation.as_deref())).collect();
                self.append(edits, last.end, &gap, &new);
            }
        }
        Ok(())
    }

    fn change_list(&self, edits: &mut Edits, list: &Node, change: &ListChange<'_>) -> Result<(), Problem> {
        let ranges = ranges(list);
        let gap = self.gap(&ranges);
        let new: Vec<String> =
            change.new.iter().map(|value| self.value(value, gap.indentation.as_deref())).collect();
        let removed = change.removed.clone();
        match ranges.get(removed.start) {
            _ if new.is_empty() => self.remove_among(edits, &ranges, &removed.collect::<Vec<_>>()),
            Some(first) if !removed.is_empty() => {
                edits.replace(first.start..ranges[removed.end - 1].end, new.join(&gap.separator));
            }
            Some(next) => edits.insert(next.start, format!("{}{}", new.join(&gap.separator), gap.separator)),
            None => self.append(edits, ranges.last().map_or(list.range.end, |last| last.end), &gap, &new),
        }
        Ok(())
    }

    fn remove(&self, edits: &mut Edits, map: &Node, indices: &[usize]) -> Result<(), Problem> {
        self.remove_among(edits, &ranges(map), indices);
        Ok(())
    }

    fn clear(&self, edits: &mut Edits, map: &Node) -> Result<(), Problem> {
        edits.replace(map.range.clone(), self.notation.on_one_line(&Value::Object(Map::new())));
        Ok(())
    }
}

/// Where the entries of a list or map are.
pub fn ranges(node: &Node) -> Vec<Range<usize>> {
    match &node.content {
        Content::Scalar(_) => Vec::new(),
        Content::List(items) => items.iter().map(|item| item.range()).collect(),
        Content::Map(entries) => entries.iter().map(|entry| entry.range()).collect(),
    }
}

/// The indentation of what begins its line; `None` if it does not.
pub fn own_line(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n')? + 1;
    let before = &text[start..at];
    before.trim().is_empty().then_some(before)
}

/// The indentation of the line that a position is in.
pub fn line_indentation(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
