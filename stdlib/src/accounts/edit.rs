//! Changing accounts: what becomes of them, in words and in files, and the step that does it.

use std::fmt::Write;

use refrain_engine::diff;
use refrain_engine::failure::Failure;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::account_files::AccountFile;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Content, System};

use super::Accounts;

/// Gathers changes of the accounts.
pub struct Editor<'a> {
    before: &'a Accounts,
    /// The accounts as they shall be.
    pub accounts: Accounts,
    words: Vec<String>,
}

impl<'a> Editor<'a> {
    /// Nothing changed yet.
    pub fn new(before: &'a Accounts) -> Self {
        Self { before, accounts: before.clone(), words: Vec::new() }
    }

    /// Says what one of the changes is: `shell /bin/zsh (was /bin/sh)`.
    pub fn says(&mut self, words: impl Into<String>) {
        self.words.push(words.into());
    }

    /// Says which names of a list are new, and which are gone.
    pub fn says_difference(&mut self, what: &str, before: &[String], after: &[String]) {
        let mut say = |sign: char, of: &[String], without: &[String]| {
            let names = of.iter().filter(|name| !without.contains(name));
            self.words.extend(names.map(|name| format!("{sign}{what} {name}")));
        };
        say('+', after, before);
        say('-', before, after);
    }

    /// The step that makes the changes, `what` to whom. None when there are none.
    pub fn step(self, what: &str) -> Option<Box<dyn Step>> {
        let files = self.before.differences(&self.accounts);
        let text = if self.words.is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", self.words.join(", "))
        };
        (!files.is_empty()).then(|| -> Box<dyn Step> { Box::new(EditAccounts { text, files }) })
    }
}

/// Replaces some of the account files together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditAccounts {
    /// What that does, for people.
    pub text: String,
    /// The files that change.
    pub files: Vec<AccountFile>,
}

impl Step for EditAccounts {
    fn describe(&self) -> String {
        self.text.clone()
    }

    /// Of each file its difference; of those that hold passwords, that there is one.
    fn diff(&self) -> Option<String> {
        let mut text = String::new();
        for file in &self.files {
            let path = file.path.display();
            let difference = if is_secret(file) {
                diff::hidden(&file.before, &file.after)
            } else {
                diff::unified(&file.path, &file.before, &file.after)
            };
            // Writing to a text can't fail.
            let _ = write!(text, "--- {path}\n+++ {path}\n{difference}");
        }
        Some(text)
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        for file in &self.files {
            overlay.write(&file.path, Content::Known(file.after.clone()), file.attributes)?;
        }
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        system.write_accounts(&self.files)
    }

    fn undo(&self) -> Undo {
        Undo::Restore(self.files.iter().map(|file| file.path.clone()).collect())
    }
}

/// Whether the file is not for everybody, or a password is in it all the same, as on a host without `/etc/shadow`.
fn is_secret(file: &AccountFile) -> bool {
    let name = file.path.file_name().unwrap_or_default();
    file.attributes.mode & 0o004 == 0
        || name == "shadow"
        || name == "gshadow"
        || [&file.before, &file.after].into_iter().any(|text| text.split(|byte| *byte == b'\n').any(has_hash))
}

/// Whether the password field of a line is more than `x`, `*`, `!` or `!!`.
fn has_hash(line: &[u8]) -> bool {
    line.split(|byte| *byte == b':').nth(1).is_some_and(|password| password.len() > 2)
}
