//! Files that a command is given for one run: a candidate to judge, a configuration of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::private_directory::{PLACES, PrivateDirectory};
use super::{Command, Output};
use crate::failure::Failure;

/// Stands in the words of a command for the directory that its scratch files are in: `visudo -cf {scratch}/sudoers`.
///
/// In what the command then says, it stands for that directory again: the real name is another one each time.
pub const PLACEHOLDER: &str = "{scratch}";

/// Files that are put in place for one run of a command, and are gone afterwards.
///
/// Only the agent's user can enter their directory or read them (mode 0700 and 0600). With no files at all, the directory is
/// an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scratch(BTreeMap<String, ByteBuf>);

impl Scratch {
    /// A single file of this name.
    pub fn file(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self::default().with(name, content)
    }

    /// One more file. Its path is relative and has no `..`; the directories in it are made.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.into(), ByteBuf::from(content.into()));
        self
    }

    /// Puts the files into a new directory below `place`.
    pub(super) fn below(&self, place: &Path) -> io::Result<PrivateDirectory> {
        let directory = PrivateDirectory::below(place)?;
        for (path, content) in &self.0 {
            let path = Path::new(path);
            if !path.components().all(|component| matches!(component, Component::Normal(_))) {
                return Err(io::Error::other(format!("`{}` is no relative path", path.display())));
            }
            let above = directory.path().join(path.parent().unwrap_or(path));
            fs::DirBuilder::new().recursive(true).mode(0o700).create(above)?;
            directory.put(path, content, 0o600)?;
        }
        Ok(directory)
    }

    /// The same below the first of the usual places that takes them.
    pub(super) fn somewhere(&self) -> Result<PrivateDirectory, Failure> {
        let mut refused = Failure::state("there is no place for the files of a command");
        for place in PLACES.map(Path::new) {
            match self.below(place) {
                Ok(directory) => return Ok(directory),
                Err(error) => refused = Failure::io("put the files of a command into", place, &error),
            }
        }
        Err(refused)
    }
}

/// Runs `command` by `run`, its scratch files being in the directory that it knows as `directory`.
pub(super) fn run_in(
    command: &Command,
    directory: &Path,
    run: impl FnOnce(&Command) -> Result<Output, Failure>,
) -> Result<Output, Failure> {
    let name = directory.to_string_lossy();
    let argv = command.argv.iter().map(|word| word.replace(PLACEHOLDER, &name)).collect();
    let output = run(&Command { argv, scratch: None, ..command.clone() })?;
    let known = |stream: &[u8]| replace(stream, name.as_bytes(), PLACEHOLDER.as_bytes());
    Ok(Output { stdout: known(&output.stdout), stderr: known(&output.stderr), ..output })
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut new, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        new.extend_from_slice(&rest[..at]);
        new.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    new.extend_from_slice(rest);
    new
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_private_and_leave_nothing() {
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::file("candidate", "a").with("xbps.d/00-main.conf", "b");
        let directory = scratch.below(place.path()).unwrap();
        let mode =
            |path: &str| fs::metadata(directory.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            ["", "candidate", "xbps.d", "xbps.d/00-main.conf"].map(mode),
            [0o700, 0o600, 0o700, 0o600]
        );
        assert_eq!(fs::read(directory.path().join("xbps.d/00-main.conf")).unwrap(), b"b");
        drop(directory);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        for path in ["../out", "/etc/out", ""] {
            assert!(Scratch::file(path, "").below(place.path()).is_err(), "{path}");
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_command_alone_knows_the_directory() {
        let command = Command {
            scratch: Some(Scratch::default()),
            ..Command::new(["check", "-f", "{scratch}/sudoers", "{}"])
        };
        let output = run_in(&command, Path::new("/tmp/x"), |command| {
            assert_eq!(command.argv, ["check", "-f", "/tmp/x/sudoers", "{}"]);
            Ok(Output { stderr: b"/tmp/x/sudoers:1: no\n/tmp/x".to_vec(), ..Output::default() })
        });
        assert_eq!(output.unwrap().stderr, b"{scratch}/sudoers:1: no\n{scratch}");
    }
}
