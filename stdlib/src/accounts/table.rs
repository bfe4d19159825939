//! A file of lines with fields between colons, edited field by field: whatever is not touched stays as it is, byte for byte.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::account_files::AccountFile;
use refrain_engine::system::{Attributes, Content, View};

use crate::links::follow;

/// The password field of all four files.
pub const PASSWORD: usize = 1;
/// The number, in passwd and group.
pub const NUMBER: usize = 2;
/// The primary group, in passwd.
pub const PRIMARY: usize = 3;
/// The members, in group and gshadow.
pub const MEMBERS: usize = 3;
/// The administrators, in gshadow.
pub const ADMINISTRATORS: usize = 2;
/// The comment, in passwd.
pub const COMMENT: usize = 4;
/// The home directory, in passwd.
pub const HOME: usize = 5;
/// The shell, in passwd.
pub const SHELL: usize = 6;
/// The day of the last change of the password, in shadow.
pub const CHANGED: usize = 2;
/// The days before a password may be changed, in shadow.
pub const LEAST: usize = 3;
/// The days after which a password has to be changed, in shadow.
pub const MOST: usize = 4;
/// The days of warning before that, in shadow.
pub const WARNING: usize = 5;
/// The days after that until the account is closed, in shadow.
pub const INACTIVE: usize = 6;
/// The day on which the account expires, in shadow.
pub const EXPIRES: usize = 7;

/// One of the files.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    attributes: Attributes,
    lines: Vec<Vec<u8>>,
    /// Whether the last line ends with a newline.
    complete: bool,
}

impl Table {
    /// Reads the file at `path`. `None` when there is none.
    ///
    /// # Errors
    /// It can't be read, or check mode does not know what will be in it.
    pub fn look(host: &dyn View, path: &str) -> Result<Option<Self>, Failure> {
        let (path, stat) = follow(host, Path::new(path))?;
        let Some(stat) = stat else { return Ok(None) };
        match host.read(&path)? {
            None => Ok(None),
            Some(Content::Known(text)) => Ok(Some(Self::parse(path, stat.attributes, text))),
            Some(Content::Unknown) => Err(Failure::state(format!(
                "what `{}` will hold is known only in a real run",
                path.display()
            ))),
        }
    }

    /// The table in a file's text.
    pub fn parse(path: PathBuf, attributes: Attributes, text: Vec<u8>) -> Self {
        let complete = text.is_empty() || text.ends_with(b"\n");
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if complete {
            lines.pop();
        }
        Self { path, attributes, lines, complete }
    }

    fn text(&self) -> Vec<u8> {
        let mut text = self.lines.join(&b'\n');
        if self.complete && !self.lines.is_empty() {
            text.push(b'\n');
        }
        text
    }

    /// What has to be written so that the file becomes `after`.
    pub fn difference(&self, after: &Self) -> Option<AccountFile> {
        (self.lines != after.lines).then(|| AccountFile {
            path: self.path.clone(),
            before: self.text(),
            after: after.text(),
            attributes: self.attributes,
        })
    }

    /// The fields of the entry with this name; what is no UTF-8 in them is replaced.
    pub fn get(&self, name: &str) -> Option<Vec<String>> {
        self.position(name).map(|position| fields(&self.lines[position]))
    }

    /// The fields of all entries.
    pub fn entries(&self) -> impl Iterator<Item = Vec<String>> {
        self.lines.iter().filter(|line| is_entry(line)).map(|line| fields(line))
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| name_of(line) == Some(name.as_bytes()))
    }

    /// Sets one field of an entry. Without such an entry nothing happens.
    pub fn set(&mut self, name: &str, field: usize, value: &str) {
        let Some(position) = self.position(name) else { return };
        let mut fields: Vec<&[u8]> = self.lines[position].split(|byte| *byte == b':').collect();
        if fields.len() <= field {
            fields.resize(field + 1, b"");
        }
        fields[field] = value.as_bytes();
        self.lines[position] = fields.join(&b':');
    }

    /// Adds an entry: at the end, but before a line that brings in a directory service (`+`), which has to stay the last.
    pub fn add(&mut self, fields: &[&str]) {
        let service = self.lines.iter().position(|line| matches!(line.first(), Some(b'+' | b'-')));
        let line = fields.join(":").into_bytes();
        self.lines.insert(service.unwrap_or(self.lines.len()), line);
        self.complete = true;
    }

    /// Removes every entry of this name.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| name_of(line) != Some(name.as_bytes()));
    }
}

fn is_entry(line: &[u8]) -> bool {
    name_of(line).is_some()
}

/// The name of an entry. A comment or a directory service has none.
fn name_of(line: &[u8]) -> Option<&[u8]> {
    let name = &line[..line.iter().position(|byte| *byte == b':')?];
    (!matches!(name.first(), None | Some(b'#' | b'+' | b'-'))).then_some(name)
}

fn fields(line: &[u8]) -> Vec<String> {
    line.split(|byte| *byte == b':').map(|field| String::from_utf8_lossy(field).into_owned()).collect()
}

/// A line of passwd, its fields by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwd {
    /// Login name.
    pub name: String,
    /// `x` where the password is in shadow.
    pub password: String,
    /// Numeric user. Absent when the line holds no number.
    pub uid: Option<u32>,
    /// Numeric primary group. Absent when the line holds no number.
    pub gid: Option<u32>,
    /// The comment.
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

impl From<Vec<String>> for Passwd {
    fn from(fields: Vec<String>) -> Self {
        let mut fields = fields.into_iter();
        let mut next = || fields.next().unwrap_or_default();
        Self {
            name: next(),
            password: next(),
            uid: next().parse().ok(),
            gid: next().parse().ok(),
            comment: next(),
            home: next(),
            shell: next(),
        }
    }
}

/// A line of group, its fields by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Numeric group. Absent when the line holds no number.
    pub gid: Option<u32>,
    /// The users that have it as a further group.
    pub members: Vec<String>,
}

impl From<Vec<String>> for Group {
    fn from(fields: Vec<String>) -> Self {
        Self {
            name: fields.first().cloned().unwrap_or_default(),
            gid: fields.get(NUMBER).and_then(|gid| gid.parse().ok()),
            members: list(fields.get(MEMBERS).map_or("", String::as_str)),
        }
    }
}

/// The names in a field, which stand between commas.
pub fn list(field: &str) -> Vec<String> {
    field.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8]) -> Table {
        Table::parse("/etc/passwd".into(), Attributes { mode: 0o644, uid: 0, gid: 0 }, text.to_vec())
    }

    const TEXT: &[u8] =
        b"root:x:0:0:root:/root:/bin/sh\n# ours: a comment\n\njos\xe9:x:7:7:Jos\xe9:/home/j:\n+nis::::::\n";

    #[test]
    fn what_is_not_touched_stays() {
        let before = table(TEXT);
        let mut after = before.clone();
        assert_eq!(before.difference(&after), None);
        after.set("root", SHELL, "/bin/zsh");
        after.add(&["web", "x", "8", "8", "", "/", ""]);
        let change = before.difference(&after).unwrap();
        assert_eq!(change.before, TEXT);
        let expected: &[u8] = b"root:x:0:0:root:/root:/bin/zsh\n# ours: a comment\n\njos\xe9:x:7:7:Jos\xe9:/home/j:\nweb:x:8:8::/:\n+nis::::::\n";
        assert_eq!(String::from_utf8_lossy(&change.after), String::from_utf8_lossy(expected));
        after.remove("web");
        after.set("root", SHELL, "/bin/sh");
        assert_eq!(before.difference(&after), None);
    }

    #[test]
    fn only_accounts_are_entries() {
        let names: Vec<String> = table(TEXT).entries().map(|fields| fields[0].clone()).collect();
        assert_eq!(names, ["root", "jos\u{FFFD}"]);
        assert_eq!(table(TEXT).get("+nis"), None);
    }

    #[test]
    fn a_last_line_without_a_newline_gets_one_when_another_follows() {
        let mut after = table(b"a:x:1:");
        after.add(&["b", "x", "2", ""]);
        assert_eq!(after.text(), b"a:x:1:\nb:x:2:\n");
        let mut short = table(b"a:!");
        short.set("a", EXPIRES, "9");
        assert_eq!(short.text(), b"a:!::::::9");
        let mut emptied = table(b"a:x:1:\n");
        emptied.remove("a");
        assert_eq!(emptied.text(), b"");
    }
}
