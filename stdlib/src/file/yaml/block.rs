//! Changes of lists and maps that are told by their indentation.

use std::ops::Range;

use serde_json::{Map, Value};

use super::super::merge::Problem;
use super::super::merge::edits::Edits;
use super::super::merge::flow::{Flow, Notation, ranges};
use super::super::merge::tree::{Content, Editor, Entry, ListChange, Node};
use super::notation::{Written, YamlNotation, column};
use super::parse::skip_blanks;
use super::scalar::Quotes;

/// Changes YAML; what stands in brackets by the means that JSON has, too.
pub struct Block<'t> {
    text: &'t str,
    notation: YamlNotation,
    flow: Flow<'t, YamlNotation>,
}

impl<'t> Block<'t> {
    /// For a text that is indented so.
    pub fn new(text: &'t str, notation: YamlNotation) -> Self {
        Self { text, notation, flow: Flow { text, notation } }
    }

    /// The end of the line that a position is in, without the newline.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline)
    }

    /// The end of the last line of a range. A newline at the range's end is part of that line.
    fn last_line_end(&self, range: &Range<usize>) -> usize {
        let inside = &self.text[range.clone()];
        self.line_end(range.end - usize::from(inside.ends_with('\n')))
    }

    fn line_start(&self, at: usize) -> usize {
        at - column(self.text, at)
    }

    /// The lines of a range, with one newline: the one in front, so that the end of the last line stays a place where
    /// something can be added.
    fn lines(&self, range: &Range<usize>) -> Range<usize> {
        let (start, end) = (self.line_start(range.start), self.last_line_end(range));
        if start > 0 { start - 1..end } else { start..(end + 1).min(self.text.len()) }
    }

    /// Refuses what does not begin its line, as behind `? ` or behind an anchor.
    fn on_own_line(&self, at: usize) -> Result<(), Problem> {
        let before = &self.text[self.line_start(at)..at];
        match before.chars().all(|c| c == ' ') {
            true => Ok(()),
            false => Err(Problem::new("what is written in this way can't be changed", at)),
        }
    }

    /// Puts a value in the place of one that stands on the line of its key, or of nothing.
    fn replace_behind(&self, edits: &mut Edits, entry: &Entry, start: usize, new: Written) {
        let end = entry.value.range.end.max(start);
        let end = start + self.text[start..end].trim_end().len();
        match new.head.is_empty() {
            true => edits.remove(entry.behind_colon..end.max(entry.behind_colon)),
            false => edits.replace(start..end, new.head),
        }
        edits.insert(self.line_end(end), new.below);
    }

    /// Puts a value in the place of one that stands below its key.
    fn replace_below(&self, edits: &mut Edits, entry: &Entry, new: Written) {
        let line_end = self.line_end(entry.behind_colon);
        if !new.head.is_empty() {
            edits.insert(entry.behind_colon, format!(" {}", new.head));
        }
        edits.replace(line_end..self.last_line_end(&entry.value.range), new.below);
    }

    fn quotes_of(&self, value: &Node) -> Quotes {
        match self.text[value.range.clone()].chars().next() {
            Some('"') => Quotes::Double,
            Some('\'') => Quotes::Single,
            _ => Quotes::AsNeeded,
        }
    }
}

impl Editor for Block<'_> {
    fn replace(&self, edits: &mut Edits, entry: &Entry, value: &Value) -> Result<(), Problem> {
        if !entry.block {
            return self.flow.replace(edits, entry, value);
        }
        self.on_own_line(entry.start)?;
        let indentation = column(self.text, entry.start);
        let mut new = self.notation.behind_key(value, indentation, self.quotes_of(&entry.value));
        let start = skip_blanks(self.text, entry.behind_colon);
        if entry.value.range.end <= entry.behind_colon || start >= entry.value.range.end {
            if !new.head.is_empty() {
                new.head.insert(0, ' ');
            }
            self.replace_behind(edits, entry, entry.behind_colon, new);
        } else if self.text[entry.behind_colon..start].contains('\n') {
            self.replace_below(edits, entry, new);
        } else {
            self.replace_behind(edits, entry, start, new);
        }
        Ok(())
    }

    fn insert(
        &self,
        edits: &mut Edits,
        entry: Option<&Entry>,
        map: &Node,
        new: &[(&String, &Value)],
    ) -> Result<(), Problem> {
        let Content::Map(entries) = &map.content else { return Ok(()) };
        match (entries.last(), entry) {
            (Some(last), _) if map.block => {
                self.on_own_line(last.start)?;
                let new = self.notation.entries(new.iter().copied(), column(self.text, last.start));
                edits.insert(self.last_line_end(&last.range()), new);
                Ok(())
            }
            // Empty brackets have to go, where the map may be written without.
            (None, Some(entry)) if entry.block => {
                let map: Map<String, Value> =
                    new.iter().map(|(key, value)| ((*key).clone(), (*value).clone())).collect();
                self.replace(edits, entry, &Value::Object(map))
            }
            (None, None) => {
                let new = self.notation.entries(new.iter().copied(), 0);
                edits.replace(map.range.clone(), new.trim_start());
                Ok(())
            }
            _ => self.flow.insert(edits, entry, map, new),
        }
    }

    fn change_list(&self, edits: &mut Edits, list: &Node, change: &ListChange<'_>) -> Result<(), Problem> {
        if !list.block {
            return self.flow.change_list(edits, list, change);
        }
        let items = ranges(list);
        for item in &items {
            self.on_own_line(item.start)?;
        }
        let removed = &items[change.removed.clone()];
        let new = self.notation.items(change.new, column(self.text, list.range.start));
        match (removed.first(), removed.last(), items.get(change.removed.start)) {
            _ if new.is_empty() => removed.iter().for_each(|item| edits.remove(self.lines(item))),
            (Some(first), Some(last), _) => {
                edits.replace(self.line_start(first.start)..self.last_line_end(last), &new[1..]);
            }
            (_, _, Some(next)) => edits.insert(self.line_start(next.start), format!("{}\n", &new[1..])),
            _ => edits.insert(self.last_line_end(&list.range), new),
        }
        Ok(())
    }

    fn remove(&self, edits: &mut Edits, map: &Node, indices: &[usize]) -> Result<(), Problem> {
        if !map.block {
            return self.flow.remove(edits, map, indices);
        }
        let entries = ranges(map);
        for index in indices {
            self.on_own_line(entries[*index].start)?;
            edits.remove(self.lines(&entries[*index]));
        }
        Ok(())
    }

    fn clear(&self, edits: &mut Edits, map: &Node) -> Result<(), Problem> {
        edits.replace(map.range.clone(), self.notation.on_one_line(&Value::Object(Map::new())));
        Ok(())
    }
}
