//! In which words a program says that nobody becomes another user.

use std::time::Duration;

use super::{Escalation, Method};
use crate::diagnostic::Diagnostic;
use crate::secrets::{HIDDEN, SecretText};
use crate::transport::{Stage, Unreachable, printable};

/// Why a user could not be become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The program is not there.
    NoProgram,
    /// It could not be started, or not be spoken with: the system's words.
    Failed(String),
    /// It asked for a password that nobody gave.
    PasswordNeeded,
    /// It did not take the password.
    WrongPassword,
    /// It wants a terminal, and the system gives none.
    NoTerminal,
    /// It has no rule that allows it.
    NotAllowed,
    /// There is no such user.
    NoSuchUser,
    /// The user's shell lets nobody in.
    NoShell,
    /// It was not done in this time.
    Late(Duration),
    /// It prints and prints.
    Endless,
    /// The run shall stop meanwhile.
    Interrupted,
    /// It ended, and nothing that it said is known: in words how.
    Ended(String),
}

/// What the programs say, in lower case, without `LC_ALL` in their own languages, too. Of two that are found, the first counts.
///
/// sudo, sudo-rs, opendoas, and the su of util-linux, shadow and busybox have words of their own.
const WORDS: [(&str, Refusal); 31] = [
    ("unknown user", Refusal::NoSuchUser),
    ("user entry does not contain", Refusal::NoSuchUser),
    ("no passwd entry for user", Refusal::NoSuchUser),
    ("' not found", Refusal::NoSuchUser),
    ("must have a tty", Refusal::NoTerminal),
    ("a terminal is required", Refusal::NoTerminal),
    ("no tty present", Refusal::NoTerminal),
    ("a tty is required", Refusal::NoTerminal),
    ("must be run from a terminal", Refusal::NoTerminal),
    ("/dev/tty: no such device", Refusal::NoTerminal),
    ("no password was provided", Refusal::PasswordNeeded),
    ("a password is required", Refusal::PasswordNeeded),
    ("interactive authentication is required", Refusal::PasswordNeeded),
    ("authentication required", Refusal::PasswordNeeded),
    ("authorization required", Refusal::PasswordNeeded),
    ("incorrect password", Refusal::WrongPassword),
    ("sorry, try again", Refusal::WrongPassword),
    ("authentication failure", Refusal::WrongPassword),
    ("authentication failed", Refusal::WrongPassword),
    ("authorization failed", Refusal::WrongPassword),
    ("incorrect authentication", Refusal::WrongPassword),
    ("not in the sudoers", Refusal::NotAllowed),
    ("is not allowed to execute", Refusal::NotAllowed),
    ("may not run sudo", Refusal::NotAllowed),
    ("not allowed to run sudo", Refusal::NotAllowed),
    ("i'm afraid i can't do that", Refusal::NotAllowed),
    ("doas: operation not permitted", Refusal::NotAllowed),
    ("doas: not permitted", Refusal::NotAllowed),
    ("doas is not enabled", Refusal::NotAllowed),
    ("permission denied", Refusal::NotAllowed),
    ("account is currently not available", Refusal::NoShell),
];

impl Refusal {
    /// What a program that has ended meant by what it said.
    pub(super) fn of(said: &[u8], ending: String) -> Self {
        let said = String::from_utf8_lossy(said).to_lowercase();
        let found = WORDS.into_iter().find(|(words, _)| said.contains(words));
        found.map_or(Self::Ended(ending), |(_, refusal)| refusal)
    }

    /// With what was said, for a person.
    pub(super) fn unreachable(self, escalation: &Escalation, said: &[u8]) -> Unreachable {
        let Escalation { method, user, .. } = escalation;
        let error = Diagnostic::new(format!("could not become `{user}` by `{}`", method.name()))
            .because(self.reason(escalation))
            .with_output(shown(said, escalation.password.as_ref()));
        let error = match self.hint(*method) {
            Some(hint) => error.hint(hint),
            None => error,
        };
        Unreachable { stage: Stage::Become, error }
    }

    fn reason(&self, escalation: &Escalation) -> String {
        let (program, user) = (escalation.method.name(), &escalation.user);
        match self {
            Self::NoProgram => format!("the host has no program `{program}`"),
            Self::Failed(reason) => format!("`{program}` could not be started: {reason}"),
            Self::PasswordNeeded => format!("`{program}` asks for a password, and there is none"),
            Self::WrongPassword => "the password is wrong".to_owned(),
            Self::NoTerminal => format!("`{program}` wants a terminal, and the host has none to give"),
            Self::NotAllowed => format!("`{program}` does not allow it"),
            Self::NoSuchUser => format!("the host has no user `{user}`"),
            Self::NoShell => format!("the shell of `{user}` lets nobody in"),
            Self::Late(patience) => format!("`{program}` was not done in {} s", patience.as_secs_f64()),
            Self::Endless => format!("`{program}` prints without end"),
            Self::Interrupted => "interrupted".to_owned(),
            Self::Ended(ending) => format!("`{program}`: {ending}"),
        }
    }

    fn hint(&self, method: Method) -> Option<String> {
        Some(match (self, method) {
            (Self::NoProgram, _) => {
                format!("`become_method` can be {}", Method::NAMES.join(", "))
            }
            (Self::PasswordNeeded, _) => {
                "`-K` asks for it; the variable `ansible_become_password` gives one for a host".to_owned()
            }
            (Self::WrongPassword, Method::Su) => {
                "`su` wants the password of the user whom one becomes".to_owned()
            }
            (Self::WrongPassword, _) => {
                format!("`{}` wants the password of the user who logs in", method.name())
            }
            (Self::NoTerminal, _) => "`/dev/pts` has to be mounted there".to_owned(),
            (Self::NotAllowed, Method::Sudo) => {
                "sudoers has to allow the user who logs in to run `/bin/sh` as the other one".to_owned()
            }
            (Self::NotAllowed, Method::Doas) => {
                "doas.conf has to `permit` the user who logs in to run `/bin/sh` as the other one".to_owned()
            }
            (Self::NotAllowed, Method::Su) => {
                "PAM may allow `su` only to a group, such as `wheel`".to_owned()
            }
            (Self::NoShell, _) => "`sudo` and `doas` need no shell of the user".to_owned(),
            _ => return None,
        })
    }
}

/// What was said as it may be seen.
fn shown(said: &[u8], password: Option<&SecretText>) -> String {
    // A terminal is told to go back to the beginning of its line, before and behind questions.
    let said: Vec<u8> = said.iter().copied().filter(|byte| *byte != b'\r').collect();
    let said = printable(&said);
    let said = match password.map(SecretText::expose).filter(|password| !password.is_empty()) {
        Some(password) => said.replace(password, HIDDEN),
        None => said,
    };
    said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_every_program_are_known() {
        for (said, refusal) in [
            ("sudo: a password is required\n", Refusal::PasswordNeeded),
            ("sudo: interactive authentication is required\n", Refusal::PasswordNeeded),
            ("doas: Authentication required\n", Refusal::PasswordNeeded),
            ("Sorry, try again.\nsudo: 1 incorrect password attempt\n", Refusal::WrongPassword),
            ("su: Authentication failure\n", Refusal::WrongPassword),
            ("doas: Authentication failed\n", Refusal::WrongPassword),
            ("su: incorrect password\n", Refusal::WrongPassword),
            ("sudo: unknown user: app\nsudo: error initializing audit plugin\n", Refusal::NoSuchUser),
            ("sudo: user 'app' not found\n", Refusal::NoSuchUser),
            (
                "su: user app does not exist or the user entry does not contain all the required fields\n",
                Refusal::NoSuchUser,
            ),
            ("No passwd entry for user 'app'\n", Refusal::NoSuchUser),
            ("sudo: sorry, you must have a tty to run sudo\n", Refusal::NoTerminal),
            ("doas: a tty is required\n", Refusal::NoTerminal),
            ("tester is not in the sudoers file.\n", Refusal::NotAllowed),
            (
                "Sorry, user tester is not allowed to execute '/bin/sh -c x' as app on web1.\n",
                Refusal::NotAllowed,
            ),
            ("doas: Operation not permitted\n", Refusal::NotAllowed),
            ("su: Permission denied\n", Refusal::NotAllowed),
            ("This account is currently not available.\n", Refusal::NoShell),
            ("su: Fehler bei Authentifizierung\n", Refusal::Ended("it exited with status 1".to_owned())),
        ] {
            assert_eq!(Refusal::of(said.as_bytes(), "it exited with status 1".to_owned()), refusal, "{said}");
        }
    }

    #[test]
    fn what_was_said_is_shown_without_the_password() {
        let escalation = Escalation {
            method: Method::Sudo,
            user: "root".to_owned(),
            password: Some(SecretText::new("hunter2")),
        };
        let refusal = Refusal::Ended("it exited with status 1".to_owned());
        let unreachable = refusal.unreachable(&escalation, b"Passwort: hunter2\r\n\r\n\x1b[31mNein.\r\n");
        assert_eq!(unreachable.error.output.as_deref(), Some("Passwort: ••••\n^[[31mNein."));
        assert_eq!(unreachable.error.causes, ["`sudo`: it exited with status 1"]);
    }
}
