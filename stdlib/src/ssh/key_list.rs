//! A file that lists keys, one a line: a user's own, or one that holds for the whole host.

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::system::{Content, View};
use serde_json::{Map, Value};

use super::user_file::{Rules, UserFile};
use crate::attributes::AttributeOptions;
use crate::document::{Document, LineEndings};
use crate::host_path::HostPath;
use crate::whole_file::WholeFile;

/// The file as it is.
pub enum KeyList {
    /// In a user's `~/.ssh`.
    InHome(UserFile),
    /// At this path.
    Elsewhere(HostPath, WholeFile),
    /// There is none, and none is needed.
    None,
}

impl KeyList {
    /// Looks at the file `name` in a user's `~/.ssh`. With `absent` it has to be neither there nor as the rules say.
    ///
    /// # Errors
    /// As [`UserFile::look`].
    pub fn in_home(
        host: &dyn View,
        user: &str,
        name: &str,
        rules: Rules,
        absent: bool,
    ) -> Result<Self, Failure> {
        if !absent {
            return UserFile::look(host, user, name, rules).map(Self::InHome);
        }
        if !UserFile::is_there(host, user, name)? {
            return Ok(Self::None);
        }
        let rules = Rules { always: false, manage_directory: false, ..rules };
        UserFile::look(host, user, name, rules).map(Self::InHome)
    }

    /// Looks at the file at a path, links followed. With `absent` it does not have to be there.
    ///
    /// # Errors
    /// As [`WholeFile::look`].
    pub fn elsewhere(host: &dyn View, path: &HostPath, absent: bool) -> Result<Self, Failure> {
        if absent && host.stat(path)?.is_none() {
            return Ok(Self::None);
        }
        let file = WholeFile::look(host, path, &AttributeOptions::default())?;
        Ok(Self::Elsewhere(path.clone(), file))
    }

    /// The steps that bring about what `edit` makes of the text. When nothing has to go from it (`absent`), there are none.
    pub fn plan(&self, absent: bool, edit: impl FnOnce(&str) -> String) -> Plan {
        let content = match self {
            Self::InHome(file) => file.content.as_ref(),
            Self::Elsewhere(_, file) => file.content(),
            Self::None => return Plan::new(),
        };
        let after = match content {
            Some(Content::Unknown) => Content::Unknown,
            Some(Content::Known(bytes)) => {
                let document = Document::decode(bytes, LineEndings::Unified);
                Content::Known(document.encode(&edit(&document.text)))
            }
            None => Content::Known(edit("").into_bytes()),
        };
        if absent && after != Content::Unknown && content == Some(&after) {
            return Plan::new();
        }
        match self {
            Self::InHome(file) => file.plan(after),
            Self::Elsewhere(_, file) => file.plan(after, true),
            Self::None => Plan::new(),
        }
    }

    /// What the outcome says of it: its `path`.
    pub fn fields(&self) -> Map<String, Value> {
        let path = match self {
            Self::InHome(file) => file.path.display().to_string(),
            Self::Elsewhere(path, _) => path.to_string(),
            Self::None => return Map::new(),
        };
        Map::from_iter([("path".to_owned(), path.into())])
    }
}

/// Puts a line at the end of a text. A last line that did not end yet is ended.
pub fn append(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}

/// As much of a line as tells which one it is.
pub fn start(line: &str) -> String {
    match line.char_indices().nth(32) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

/// The lines of texts that say something.
pub fn lines(texts: &[String]) -> impl Iterator<Item = &str> {
    let all = texts.iter().flat_map(|text| text.lines()).map(str::trim);
    all.filter(|line| !line.is_empty() && !line.starts_with('#'))
}
