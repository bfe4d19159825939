//! Owners and modes of a sandbox's files, kept beside them.
//!
//! A file of JSON lines, to which each change is appended as it happens, so that a crash loses nothing and a change costs the
//! same however many there were before. Nothing is written before the first change; that one also writes the file anew if most
//! of it is obsolete.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::Attributes;

/// A line of the log.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Entry {
    /// A path has these attributes.
    Set {
        path: Name,
        #[serde(flatten)]
        attributes: Attributes,
    },
    /// A path and all below it is gone.
    Removed { path: Name },
}

/// A path. Only one that is not UTF-8 is written as bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_owned()),
        }
    }
}

impl From<Name> for PathBuf {
    fn from(name: Name) -> Self {
        match name {
            Name::Text(text) => text.into(),
            Name::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

/// The attributes that were recorded, and the file that they are recorded in.
pub struct AttributeLog {
    path: PathBuf,
    attributes: BTreeMap<PathBuf, Attributes>,
    /// Opened by the first change.
    file: Option<File>,
    /// Lines of the file.
    lines: usize,
    /// Whether a line at its end was not written to its end.
    torn: bool,
}

impl AttributeLog {
    /// Reads the log at `path`. Where there is none, nothing was recorded yet.
    ///
    /// # Errors
    /// It can't be read, or holds something else.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            text => text?,
        };
        let mut log = Self { path, attributes: BTreeMap::new(), file: None, lines: 0, torn: false };
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            log.lines += 1;
            log.torn = !line.ends_with(b"\n");
            match serde_json::from_slice(line) {
                Ok(entry) => log.apply(entry),
                Err(_) if log.torn => {}
                Err(error) => {
                    let message = format!("line {} of `{}`: {error}", log.lines, log.path.display());
                    return Err(io::Error::new(ErrorKind::InvalidData, message));
                }
            }
        }
        Ok(log)
    }

    /// What was recorded for a path.
    pub fn get(&self, path: &Path) -> Option<Attributes> {
        self.attributes.get(path).copied()
    }

    /// Records the attributes of a path.
    ///
    /// # Errors
    /// The log can't be written.
    pub fn set(&mut self, path: &Path, attributes: Attributes) -> io::Result<()> {
        if self.get(path) == Some(attributes) {
            return Ok(());
        }
        self.append(Entry::Set { path: path.into(), attributes })
    }

    /// Forgets a path and all below it.
    ///
    /// # Errors
    /// The log can't be written.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        if self.below(path).next().is_none() {
            return Ok(());
        }
        self.append(Entry::Removed { path: path.into() })
    }

    /// What is recorded of a path and below it: in their order, paths come right behind those that they are below.
    fn below<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
        let from_here = self.attributes.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
        from_here.map(|(recorded, _)| recorded).take_while(move |recorded| recorded.starts_with(path))
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Set { path, attributes } => {
                self.attributes.insert(path.into(), attributes);
            }
            Entry::Removed { path } => {
                let gone: Vec<PathBuf> = self.below(&PathBuf::from(path)).cloned().collect();
                for path in gone {
                    self.attributes.remove(&path);
                }
            }
        }
    }

    fn append(&mut self, entry: Entry) -> io::Result<()> {
        let line = line(&entry)?;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.ready()?,
        };
        if let Err(error) = file.write_all(&line) {
            self.torn = true;
            return Err(error);
        }
        self.file = Some(file);
        self.lines += 1;
        self.apply(entry);
        Ok(())
    }

    /// The file, ready to be appended to.
    fn ready(&mut self) -> io::Result<File> {
        let obsolete = self.lines - self.attributes.len().min(self.lines);
        if self.torn || obsolete > self.attributes.len() {
            self.compact()?;
        }
        fs::OpenOptions::new().create(true).append(true).open(&self.path)
    }

    /// Writes the file anew, without what no longer counts.
    fn compact(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        for (path, attributes) in &self.attributes {
            text.extend(line(&Entry::Set { path: path.as_path().into(), attributes: *attributes })?);
        }
        let new = self.path.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.path)?;
        self.lines = self.attributes.len();
        self.torn = false;
        Ok(())
    }
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Attributes = Attributes { mode: 0o4755, uid: 1, gid: 2 };
    const OTHER: Attributes = Attributes { mode: 0o600, uid: 0, gid: 0 };

    fn log(directory: &tempfile::TempDir) -> AttributeLog {
        AttributeLog::open(directory.path().join("attributes.log")).unwrap()
    }

    fn text(directory: &tempfile::TempDir) -> String {
        fs::read_to_string(directory.path().join("attributes.log")).unwrap()
    }

    #[test]
    fn what_is_recorded_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = log(&directory);
        let odd = PathBuf::from(OsString::from_vec(b"/odd\xff".to_vec()));
        first.set(Path::new("/a/b"), ONE).unwrap();
        first.set(Path::new("/ab"), ONE).unwrap();
        first.set(&odd, OTHER).unwrap();
        first.remove(Path::new("/a")).unwrap();
        // Nobody closes it: a process that is killed doesn't.
        let second = log(&directory);
        assert_eq!(second.get(Path::new("/a/b")), None);
        assert_eq!(second.get(Path::new("/ab")), Some(ONE));
        assert_eq!(second.get(&odd), Some(OTHER));
        assert_eq!(first.attributes, second.attributes);
    }

    #[test]
    fn what_changes_nothing_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(&directory);
        log.remove(Path::new("/a")).unwrap();
        assert!(!directory.path().join("attributes.log").exists());
        log.set(Path::new("/a"), ONE).unwrap();
        let before = text(&directory);
        log.set(Path::new("/a"), ONE).unwrap();
        log.remove(Path::new("/b")).unwrap();
        assert_eq!(text(&directory), before);
    }

    #[test]
    fn a_torn_line_is_ignored_and_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        log(&directory).set(Path::new("/a"), ONE).unwrap();
        let whole = text(&directory);
        fs::write(directory.path().join("attributes.log"), format!("{whole}{{\"set\":{{\"pa")).unwrap();
        let mut again = log(&directory);
        assert_eq!(again.get(Path::new("/a")), Some(ONE));
        again.set(Path::new("/b"), OTHER).unwrap();
        assert_eq!(text(&directory).lines().count(), 2);
        assert_eq!(log(&directory).attributes, again.attributes);
    }

    #[test]
    fn a_line_of_something_else_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("attributes.log"), "{}\n").unwrap();
        let error = AttributeLog::open(directory.path().join("attributes.log")).err().unwrap();
        assert!(error.to_string().starts_with("line 1 of "), "{error}");
    }

    #[test]
    fn obsolete_lines_go_with_the_next_change() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = log(&directory);
        for mode in 0..100 {
            first.set(Path::new("/a"), Attributes { mode, ..OTHER }).unwrap();
        }
        drop(first);
        assert_eq!(text(&directory).lines().count(), 100);
        let mut again = log(&directory);
        assert_eq!(text(&directory).lines().count(), 100, "looking writes nothing");
        again.set(Path::new("/b"), ONE).unwrap();
        assert_eq!(text(&directory).lines().count(), 2);
        assert_eq!(log(&directory).get(Path::new("/a")), Some(Attributes { mode: 99, ..OTHER }));
    }
}
