//! A document as it is written: its values with their places in the text.

use std::ops::Range;

use serde_json::{Map, Value};

use super::edits::Edits;
use super::values::{common_ends, merged, merged_list};
use super::{Lists, Problem};

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// From its first to behind its last character. Anchors and tags in front of it don't count.
    pub range: Range<usize>,
    /// Whether it is a list or map that is told by its indentation, without brackets.
    pub block: bool,
    /// What it is.
    pub content: Content,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Neither a list nor a map.
    Scalar(Value),
    /// A list.
    List(Vec<Item>),
    /// A map, in the order in which it is written.
    Map(Vec<Entry>),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where it begins: at its dash, where it has one.
    pub start: usize,
    /// Its value.
    pub value: Node,
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it begins: at its key.
    pub start: usize,
    /// Its key, without quotes.
    pub key: String,
    /// Where its value may begin: behind the colon.
    pub behind_colon: usize,
    /// Whether it is in a map without brackets.
    pub block: bool,
    /// Its value.
    pub value: Node,
}

impl Entry {
    /// The whole entry.
    pub fn range(&self) -> Range<usize> {
        self.start..self.value.range.end
    }
}

impl Item {
    /// The whole entry.
    pub fn range(&self) -> Range<usize> {
        self.start..self.value.range.end
    }
}

impl Node {
    /// The value alone. Of keys that are there twice the last one counts.
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(|item| item.value.value()).collect(),
            Content::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.value())).collect::<Map<_, _>>(),
            ),
        }
    }
}

/// A change of a list: some of its entries give way to new ones.
pub struct ListChange<'a> {
    /// The indices of those that go.
    pub removed: Range<usize>,
    /// What comes in their place.
    pub new: &'a [Value],
}

/// How a kind of document is changed.
pub trait Editor {
    /// Gives an entry of a map another value.
    ///
    /// # Errors
    /// The entry is written in a way that does not allow it.
    fn replace(&self, edits: &mut Edits, entry: &Entry, value: &Value) -> Result<(), Problem>;

    /// Adds entries to a map. `entry` is what has the map as its value; absent for the outermost one.
    ///
    /// # Errors
    /// As [`Editor::replace`].
    fn insert(
        &self,
        edits: &mut Edits,
        entry: Option<&Entry>,
        map: &Node,
        new: &[(&String, &Value)],
    ) -> Result<(), Problem>;

    /// Changes a list that stays a list with entries.
    ///
    /// # Errors
    /// As [`Editor::replace`].
    fn change_list(&self, edits: &mut Edits, list: &Node, change: &ListChange<'_>) -> Result<(), Problem>;

    /// Removes the entries with these indices, but not all of them.
    ///
    /// # Errors
    /// As [`Editor::replace`].
    fn remove(&self, edits: &mut Edits, map: &Node, indices: &[usize]) -> Result<(), Problem>;

    /// Empties the outermost map.
    ///
    /// # Errors
    /// As [`Editor::replace`].
    fn clear(&self, edits: &mut Edits, map: &Node) -> Result<(), Problem>;
}

/// The changes that bring the wanted entries into a map.
///
/// # Errors
/// What the editor fails with.
pub fn merge(
    editor: &dyn Editor,
    edits: &mut Edits,
    entry: Option<&Entry>,
    map: &Node,
    wanted: &Map<String, Value>,
    lists: Lists,
) -> Result<(), Problem> {
    let Content::Map(entries) = &map.content else { return Ok(()) };
    let mut new = Vec::new();
    for (key, wanted) in wanted {
        let Some(found) = entries.iter().rev().find(|entry| entry.key == *key) else {
            new.push((key, wanted));
            continue;
        };
        match (&found.value.content, wanted) {
            (Content::Map(_), Value::Object(wanted)) => {
                merge(editor, edits, Some(found), &found.value, wanted, lists)?;
            }
            (Content::List(items), Value::Array(wanted)) => {
                merge_list(editor, edits, found, items, wanted, lists)?;
            }
            (_, wanted) => {
                let before = found.value.value();
                let after = merged(&before, wanted, lists);
                if after != before {
                    editor.replace(edits, found, &after)?;
                }
            }
        }
    }
    if new.is_empty() { Ok(()) } else { editor.insert(edits, entry, map, &new) }
}

fn merge_list(
    editor: &dyn Editor,
    edits: &mut Edits,
    entry: &Entry,
    items: &[Item],
    wanted: &[Value],
    lists: Lists,
) -> Result<(), Problem> {
    let before: Vec<Value> = items.iter().map(|item| item.value.value()).collect();
    let after = merged_list(&before, wanted, lists);
    if before == after {
        return Ok(());
    }
    if before.is_empty() || after.is_empty() {
        return editor.replace(edits, entry, &Value::Array(after));
    }
    let (start, end) = common_ends(&before, &after);
    let removed = start..before.len() - end;
    let change = ListChange { removed, new: &after[start..after.len() - end] };
    editor.change_list(edits, &entry.value, &change)
}

/// The changes that remove what is at these paths below a map.
///
/// # Errors
/// What the editor fails with.
pub fn remove(
    editor: &dyn Editor,
    edits: &mut Edits,
    entry: Option<&Entry>,
    map: &Node,
    paths: &[&[String]],
) -> Result<(), Problem> {
    let Content::Map(entries) = &map.content else { return Ok(()) };
    let mut removed = Vec::new();
    for (index, found) in entries.iter().enumerate() {
        let below: Vec<&[String]> =
            paths.iter().filter(|path| path.first() == Some(&found.key)).map(|path| &path[1..]).collect();
        if below.iter().any(|path| path.is_empty()) {
            removed.push(index);
        } else if !below.is_empty() {
            remove(editor, edits, Some(found), &found.value, &below)?;
        }
    }
    match entry {
        _ if removed.is_empty() => Ok(()),
        _ if removed.len() < entries.len() => editor.remove(edits, map, &removed),
        Some(entry) => editor.replace(edits, entry, &Value::Object(Map::new())),
        None => editor.clear(edits, map),
    }
}
