//! The namespace `file`: files, directories and links.

mod block;
mod content;
mod document;
mod edited_file;
mod ini;
mod ini_section;
mod line;
mod lines;
mod place;
mod replace;
mod scalar_text;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<content::FileContent>(),
    Entry::state::<line::Line>(),
    Entry::state::<block::Block>(),
    Entry::state::<replace::Replace>(),
    Entry::state::<ini::Ini>(),
];
