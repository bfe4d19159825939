//! A program that travels with the play: put in place for one run, and gone afterwards.

use std::io;
use std::path::{Path, PathBuf};

use super::private_directory::PrivateDirectory;

/// A program in a directory of its own that only the agent's user can enter. Removed when dropped.
pub struct Placed {
    _directory: PrivateDirectory,
    path: PathBuf,
    interpreter: Vec<String>,
}

impl Placed {
    /// Puts `content` below `place`, under the last component of `name`.
    pub fn below(place: &Path, name: &str, content: &[u8]) -> io::Result<Self> {
        let directory = PrivateDirectory::below(place)?;
        let name = Path::new(Path::new(name).file_name().unwrap_or("program".as_ref()));
        directory.put(name, content, 0o700)?;
        let path = directory.path().join(name);
        Ok(Self { _directory: directory, path, interpreter: interpreter(content) })
    }

    /// The words that start the program: its interpreter, if it has one, and its path.
    ///
    /// The interpreter is started by name and not by the kernel, so that a script also runs from a file system that is
    /// mounted `noexec`, and without an execute bit.
    pub fn words(&self) -> Vec<String> {
        let path = self.path.to_string_lossy().into_owned();
        self.interpreter.iter().cloned().chain([path]).collect()
    }

    /// Whether the kernel itself has to execute the file.
    pub fn is_binary(&self) -> bool {
        self.interpreter.is_empty()
    }
}

/// The interpreter of a script with its argument, as the kernel reads the first line; a shell for a text without such a line;
/// nothing for a binary.
fn interpreter(content: &[u8]) -> Vec<String> {
    let Some(rest) = content.strip_prefix(b"#!") else {
        let binary = content.starts_with(b"\x7fELF");
        return if binary { Vec::new() } else { vec!["/bin/sh".to_owned()] };
    };
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let (program, argument) = line.trim().split_once([' ', '\t']).unwrap_or((line.trim(), ""));
    // All that follows the program is one argument, blanks and all.
    [program, argument.trim_start()].into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter() {
        let case = |content: &[u8], words: &[&str]| assert_eq!(interpreter(content), words);
        case(b"#!/bin/sh\necho", &["/bin/sh"]);
        case(b"#! /usr/bin/env -S python3 -u \nprint()", &["/usr/bin/env", "-S python3 -u"]);
        case(b"#!\t/bin/awk\t-f\n", &["/bin/awk", "-f"]);
        case(b"echo hello\n", &["/bin/sh"]);
        case(b"", &["/bin/sh"]);
        case(b"\x7fELF\x02", &[]);
    }

    #[test]
    fn a_program_is_private_and_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let placed = Placed::below(place.path(), "tools/../job.sh", b"exit 0").unwrap();
        let path = PathBuf::from(&placed.words()[1]);
        assert_eq!(path.file_name().unwrap(), "job.sh");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
        drop(placed);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
