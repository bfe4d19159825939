//! Changes of the tables of a TOML document. What is in brackets is changed by the means that JSON has, too.

use serde_json::{Map, Value};
use toml_edit::{Item, Table, Value as TomlValue};

use super::super::merge::edits::Edits;
use super::super::merge::flow::{Flow, Notation};
use super::super::merge::tree::{self, Content, Node};
use super::super::merge::{Lists, Problem, values};
use super::notation::{TomlNotation, is_list_of_maps, key, list_sections, path, sections};
use super::places::{self, body_end, entry, pieces};

/// A document that is to be changed.
pub struct Changes<'t> {
    text: &'t str,
    root: &'t Table,
    flow: Flow<'t, TomlNotation>,
}

/// A table and the way to it.
struct Place<'t> {
    table: &'t Table,
    keys: Vec<String>,
    /// How many of the keys stand in front of its values, as `a.b` in `a.b.c = 1`.
    dotted: usize,
}

impl<'t> Place<'t> {
    fn inner(&self, name: &str, table: &'t Table) -> Self {
        let keys = [self.keys.as_slice(), &[name.to_owned()]].concat();
        Self { table, keys, dotted: if table.is_dotted() { self.dotted + 1 } else { 0 } }
    }

    /// The keys in front of its values.
    fn in_front(&self) -> &[String] {
        &self.keys[self.keys.len() - self.dotted..]
    }

    /// What says that the table is there when nothing is in it. The outermost one is always there.
    fn alone(&self) -> Option<String> {
        match self.dotted {
            0 => (!self.keys.is_empty()).then(|| format!("[{}]", path(&self.keys))),
            _ => Some(format!("{} = {{}}", path(self.in_front()))),
        }
    }

    /// A value of this table, as a line.
    fn line(&self, name: &str, value: &Value) -> String {
        let in_front = self.in_front();
        let dot = if in_front.is_empty() { "" } else { "." };
        format!("{}{dot}{} = {}", path(in_front), key(name), TomlNotation.on_one_line(value))
    }
}

impl<'t> Changes<'t> {
    /// For this text, which says this.
    pub fn new(text: &'t str, root: &'t Table) -> Self {
        Self { text, root, flow: Flow { text, notation: TomlNotation } }
    }

    fn place(&self) -> Place<'t> {
        Place { table: self.root, keys: Vec::new(), dotted: 0 }
    }

    /// The changes that bring the wanted values into the document.
    ///
    /// # Errors
    /// It is written in a way that does not allow it.
    pub fn merge_all(
        &self,
        edits: &mut Edits,
        wanted: &Map<String, Value>,
        lists: Lists,
    ) -> Result<(), Problem> {
        self.merge(edits, &self.place(), wanted, lists)
    }

    /// The changes that remove what is at these paths.
    ///
    /// # Errors
    /// As [`Changes::merge_all`].
    pub fn remove_all(&self, edits: &mut Edits, paths: &[&[String]]) -> Result<(), Problem> {
        self.remove(edits, &self.place(), paths)
    }

    fn merge(
        &self,
        edits: &mut Edits,
        place: &Place<'_>,
        wanted: &Map<String, Value>,
        lists: Lists,
    ) -> Result<(), Problem> {
        let mut new = Map::new();
        for (name, wanted) in wanted {
            match (place.table.get(name), wanted) {
                (None, _) => _ = new.insert(name.clone(), wanted.clone()),
                (Some(Item::Table(table)), Value::Object(wanted)) => {
                    self.merge(edits, &place.inner(name, table), wanted, lists)?;
                }
                (Some(Item::Value(value)), _) => {
                    let wanted = std::iter::once((name.clone(), wanted.clone())).collect();
                    self.in_brackets(place, name, value, |map| {
                        tree::merge(&self.flow, edits, None, map, &wanted, lists)
                    })?;
                }
                (Some(item), _) => {
                    if let Some(other) = self.merge_tables(edits, place, name, item, wanted, lists) {
                        new.insert(name.clone(), other);
                    }
                }
            }
        }
        self.add(edits, place, &new);
        Ok(())
    }

    /// Runs a change on a value, taken as the only entry of a map.
    fn in_brackets(
        &self,
        place: &Place<'_>,
        name: &str,
        value: &TomlValue,
        change: impl FnOnce(&Node) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let Some(key) = place.table.key(name) else { return Ok(()) };
        let entry = entry(self.text, key, value);
        change(&Node { range: entry.range(), block: false, content: Content::Map(vec![entry]) })
    }

    /// Changes a table that gives way to a value, or a list of tables. Returns what has to be added in its place.
    fn merge_tables(
        &self,
        edits: &mut Edits,
        place: &Place<'_>,
        name: &str,
        item: &Item,
        wanted: &Value,
        lists: Lists,
    ) -> Option<Value> {
        let before = places::item_value(item);
        let mut after = wanted.clone();
        if let (Value::Array(before), Value::Array(wanted)) = (&before, wanted) {
            after = Value::Array(values::merged_list(before, wanted, lists));
        }
        if before == after {
            return None;
        }
        if let (Item::ArrayOfTables(_), Value::Array(list), Value::Array(all)) = (item, &before, &after) {
            let (same, added) = all.split_at(list.len().min(all.len()));
            if same == list.as_slice() && added.iter().all(Value::is_object) {
                let end = pieces(None, item).into_iter().map(|piece| piece.end).max().unwrap_or_default();
                let keys = [place.keys.as_slice(), &[name.to_owned()]].concat();
                self.add_sections(edits, self.line_end(end), &list_sections(&keys, added));
                return None;
            }
        }
        for piece in pieces(place.table.key(name), item) {
            edits.remove_lines(self.text, &piece);
        }
        Some(after)
    }

    /// Adds entries to a table: values as lines, maps as sections.
    fn add(&self, edits: &mut Edits, place: &Place<'_>, new: &Map<String, Value>) {
        let table = place.table;
        let is_root = place.keys.is_empty();
        let has_lines = is_root || table.is_dotted() || places::header(table).is_some();
        if !has_lines {
            // The table is there only by the headers of those in it, so its own values need a header first.
            if !new.is_empty() {
                self.add_sections(edits, self.line_end(places::end(table)), &sections(&place.keys, new));
            }
            return;
        }
        let apart = |value: &Value| !table.is_dotted() && (value.is_object() || is_list_of_maps(value));
        let (maps, lines): (Map<_, _>, Map<_, _>) = new
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .partition(|(_, value)| apart(value));
        let lines: Vec<String> = lines.iter().map(|(name, value)| place.line(name, value)).collect();
        match body_end(table) {
            _ if lines.is_empty() => {}
            Some(end) => edits.insert(self.line_end(end), format!("\n{}", lines.join("\n"))),
            None => self.add_first(edits, &lines),
        }
        let mut all = Vec::new();
        for (name, value) in &maps {
            let keys = [place.keys.as_slice(), std::slice::from_ref(name)].concat();
            match value {
                Value::Object(map) => all.extend(sections(&keys, map)),
                list => all.extend(list_sections(&keys, list.as_array().into_iter().flatten())),
            }
        }
        let end = if is_root { self.text_end() } else { self.line_end(places::end(table)) };
        match all.is_empty() {
            false if end == 0 && lines.is_empty() => edits.insert(0, all.join("\n\n")),
            _ => self.add_sections(edits, end, &all),
        }
    }

    fn add_sections(&self, edits: &mut Edits, end: usize, sections: &[String]) {
        for section in sections {
            edits.insert(end, format!("\n\n{section}"));
        }
    }

    /// Adds the first values of a document: in front of its first table and the comment right above that.
    fn add_first(&self, edits: &mut Edits, lines: &[String]) {
        let lines = lines.join("\n");
        match places::start(self.root) {
            Some(at) => edits.insert(self.comment_above(at), format!("{lines}\n\n")),
            None => {
                let end = self.text_end();
                edits.insert(end, if end == 0 { lines } else { format!("\n{lines}") });
            }
        }
    }

    fn remove(&self, edits: &mut Edits, place: &Place<'_>, paths: &[&[String]]) -> Result<(), Problem> {
        let mut gone = Vec::new();
        for (name, item) in place.table.iter() {
            let own = |path: &&&[String]| path.first().is_some_and(|first| first == name);
            let below: Vec<&[String]> = paths.iter().filter(own).map(|path| &path[1..]).collect();
            match item {
                _ if below.is_empty() => {}
                _ if below.iter().any(|path| path.is_empty()) => {
                    gone.push(pieces(place.table.key(name), item));
                }
                Item::Table(table) => self.remove(edits, &place.inner(name, table), &below)?,
                Item::Value(value) => {
                    let paths: Vec<Vec<String>> =
                        below.iter().map(|path| [&[name.to_owned()], *path].concat()).collect();
                    let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
                    self.in_brackets(place, name, value, |map| {
                        tree::remove(&self.flow, edits, None, map, &paths)
                    })?;
                }
                _ => {}
            }
        }
        let emptied = gone.len() == place.table.len() && places::header(place.table).is_none();
        let mut gone = gone.into_iter().flatten();
        // The table itself stays, and nothing else says so.
        if let Some(left) = place.alone().filter(|_| emptied)
            && let Some(first) = gone.next()
        {
            edits.replace(self.line_start(first.start)..self.line_end(first.end), left);
        }
        gone.for_each(|piece| edits.remove_lines(self.text, &piece));
        Ok(())
    }

    /// Where the comment begins that ends right above a position; the position itself where there is none.
    fn comment_above(&self, mut at: usize) -> usize {
        while let Some(above) = self.text[..at].strip_suffix('\n') {
            let start = self.line_start(above.len());
            if !above[start..].trim_start().starts_with('#') {
                break;
            }
            at = start;
        }
        at
    }

    /// The end of the last line that is not empty.
    fn text_end(&self) -> usize {
        match self.text.trim_end().len() {
            0 => 0,
            end => self.line_end(end),
        }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline)
    }
}
