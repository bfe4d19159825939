//! A file that a program which knows its format has to accept before it is put in place.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, Text};
use refrain_engine::system::scratch::{PLACEHOLDER, Scratch};
use refrain_engine::system::{Command, Content};

use crate::attributes::AttributeOptions;
use crate::whole_file::WholeFile;

/// Stands in the words of a validator for the path of the file to judge.
pub const CANDIDATE: &str = "{candidate}";

/// A program that says whether it could work with a file: `visudo -cf {candidate}`, `nft -c -f -`.
///
/// It is shown the file as it would be, in a private place or on its standard input; what is in place is not touched. It
/// has to leave the host as it is, since check mode asks it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    argv: Vec<String>,
}

impl Validator {
    /// The program, and its arguments. Without a [`CANDIDATE`] among them it reads the file on its standard input.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect() }
    }

    /// Whether the host has the program. One that a run is about to install is not there in check mode.
    pub fn is_there(&self, context: &Context<'_>) -> bool {
        self.argv.first().is_some_and(|program| context.host.find_program(program).is_some())
    }

    /// Asks whether `path` may hold `candidate`. Where the program is missing, it may.
    ///
    /// # Errors
    /// [`Failure::Refused`] with what the program said, or it can't be run.
    pub fn judge(&self, context: &Context<'_>, path: &Path, candidate: &[u8]) -> Result<(), Failure> {
        if !self.is_there(context) {
            return Ok(());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{PLACEHOLDER}/{name}");
        let argv: Vec<String> = self.argv.iter().map(|word| word.replace(CANDIDATE, &place)).collect();
        let mut command = context.command(argv);
        if command.argv == self.argv {
            command.stdin = Some(candidate.to_owned());
        } else {
            command.scratch = Some(Scratch::file(name, candidate));
        }
        self.ask(context, path, &command, &place)
    }

    fn ask(&self, context: &Context<'_>, path: &Path, command: &Command, place: &str) -> Result<(), Failure> {
        let output = context.host.probe(command)?;
        if output.status == 0 {
            return Ok(());
        }
        // People know the file by the name that it will have.
        let said = output.both_streams().replace(place, &path.to_string_lossy());
        let program = self.argv.first().cloned().unwrap_or_default();
        Err(Failure::Refused { program, path: path.to_owned(), output: said })
    }
}

/// A file whose whole content is decided, and accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedFile {
    file: WholeFile,
    text: Text,
}

impl ValidatedFile {
    /// Looks at the file at `path`, which shall hold `text`; `options` tell its owner, group and mode. The validator is asked
    /// only about what would be put in place: not about what is there, and not about what check mode can't know.
    ///
    /// # Errors
    /// As [`WholeFile::look`] and [`Validator::judge`].
    pub fn look(
        context: &Context<'_>,
        path: &Path,
        options: &AttributeOptions,
        text: Text,
        validator: Option<&Validator>,
    ) -> Result<Self, Failure> {
        let file = Self { file: WholeFile::look(context.host, path, options)?, text };
        if let (Some(validator), Some(candidate)) = (validator, file.candidate()) {
            validator.judge(context, path, candidate)?;
        }
        Ok(file)
    }

    /// What would be put in place, if something would be and it is known.
    pub fn candidate(&self) -> Option<&[u8]> {
        match &self.text.content {
            Content::Known(candidate) if self.file.content() != Some(&self.text.content) => Some(candidate),
            _ => None,
        }
    }

    /// The steps after which the file is there, with its content and attributes. None when it is so.
    pub fn plan(&self) -> Plan {
        self.file.plan(self.text.content.clone(), !self.text.secret)
    }
}

#[cfg(test)]
mod tests {
    use refrain_engine::module::NoMaterials;
    use refrain_engine::system::RootKind;
    use refrain_engine::system::native::Native;

    use super::*;

    fn look(directory: &Path, text: &str, argv: &[&str]) -> Result<ValidatedFile, Failure> {
        let host = Native::new(RootKind::Live);
        let context = Context { host: &host, materials: &NoMaterials };
        let validator = Validator::new(argv.iter().copied());
        let text = Text::new(text.to_owned());
        let path = directory.join("rules");
        ValidatedFile::look(&context, &path, &AttributeOptions::default(), text, Some(&validator))
    }

    #[test]
    fn what_is_refused_is_not_put_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let by_path = ["sh", "-c", "grep -q good {candidate} || { echo {candidate}:1: bad >&2; exit 1; }"];
        let by_input = ["sh", "-c", "grep -q good || { echo bad; exit 1; }"];
        assert_eq!(look(directory.path(), "good", &by_path).unwrap().plan().len(), 1);
        assert_eq!(look(directory.path(), "good", &by_input).unwrap().plan().len(), 1);
        let failure = look(directory.path(), "evil", &by_path).unwrap_err();
        let path = directory.path().join("rules");
        assert_eq!(failure.to_string(), format!("`sh` does not accept what `{}` would be", path.display()));
        assert_eq!(failure.output(), Some(format!("{}:1: bad\n", path.display()).as_str()));
        assert_eq!(look(directory.path(), "evil", &by_input).unwrap_err().output(), Some("bad\n"));
        assert!(!path.exists());
    }

    #[test]
    fn nobody_is_asked_in_vain() {
        let directory = tempfile::tempdir().unwrap();
        let fails = ["sh", "-c", "exit 1"];
        assert!(look(directory.path(), "evil", &["no-such-program"]).is_ok());
        std::fs::write(directory.path().join("rules"), "evil").unwrap();
        assert!(look(directory.path(), "evil", &fails).unwrap().plan().is_empty());
        assert!(look(directory.path(), "worse", &fails).is_err());
    }
}
