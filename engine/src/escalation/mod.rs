//! Acting as another user, which a playbook calls `become`.
//!
//! sudo, doas or su starts an agent of that user, and speaks with this program at a terminal of its own until it does: so the
//! password is typed as a person would, and is in no argument, environment or file. The frames go through pipes.
//!
//! The same launcher serves everybody: the agent of the user who logged in, the controller itself for a local play, and an agent
//! that makes the calls of a task.

mod conversation;
mod invocation;
mod launch;
mod launched;
mod refusal;
mod relay;
mod terminal;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounts;
use crate::diagnostic::Diagnostic;
use crate::secrets::SecretText;
use crate::system::View;

pub use launch::launch;
pub use launched::Launched;
pub use relay::relay;

/// The program that makes somebody another user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    /// sudo.
    #[default]
    Sudo,
    /// doas.
    Doas,
    /// su: asks for the password of the user whom one becomes.
    Su,
}

impl Method {
    /// Their names.
    pub const NAMES: [&str; 3] = ["sudo", "doas", "su"];

    /// The method of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, Diagnostic> {
        match name {
            "sudo" => Ok(Self::Sudo),
            "doas" => Ok(Self::Doas),
            "su" => Ok(Self::Su),
            _ => Err(Diagnostic::new(format!("unknown method `{name}` to become another user"))
                .hint(format!("there are {}", Self::NAMES.join(", ")))
                .near(name, Self::NAMES)),
        }
    }

    /// Its name, which is that of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Doas => "doas",
            Self::Su => "su",
        }
    }
}

/// Whom one becomes unless something else is said.
pub const DEFAULT_USER: &str = "root";

/// What one layer (the command line, a play, a task, variables) says about becoming another user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationOptions {
    /// Whether to become another user.
    pub wanted: Option<bool>,
    /// Whom.
    pub user: Option<String>,
    /// By what.
    pub method: Option<Method>,
}

impl EscalationOptions {
    /// The names of the options in a playbook.
    pub const NAMES: [&str; 3] = ["become", "become_user", "become_method"];

    /// Takes in an option of a play or task.
    ///
    /// # Errors
    /// It makes no sense; `bad` says so with what it should be.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: &Value,
        bad: impl Fn(&str) -> Diagnostic,
    ) -> Result<(), Diagnostic> {
        match (name, value) {
            ("become", Value::Bool(wanted)) => self.wanted = Some(*wanted),
            ("become", _) => return Err(bad("true or false")),
            ("become_user", Value::String(user)) => {
                check_user(user)?;
                self.user = Some(user.clone());
            }
            ("become_method", Value::String(method)) => self.method = Some(Method::named(method)?),
            _ => return Err(bad("a name")),
        }
        Ok(())
    }

    /// These, and where they say nothing, what `below` says.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        Self {
            wanted: self.wanted.or(below.wanted),
            user: self.user.clone().or_else(|| below.user.clone()),
            method: self.method.or(below.method),
        }
    }

    /// Who is to be become, if anybody.
    pub fn escalation(&self, password: Option<SecretText>) -> Option<Escalation> {
        self.wanted.unwrap_or(false).then(|| Escalation {
            method: self.method.unwrap_or_default(),
            user: self.user.clone().unwrap_or_else(|| DEFAULT_USER.to_owned()),
            password,
        })
    }
}

/// What the tasks of a play that become another user have of that play.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskEscalation {
    /// Whom and by what, where a task does not say so.
    pub options: EscalationOptions,
    /// What to answer when a program asks for a password.
    pub password: Option<SecretText>,
    /// Whom the play itself has become, if anybody.
    pub play: Option<String>,
}

/// Checks the name of a user: a program must not take it for something else.
///
/// # Errors
/// It can't be one.
pub fn check_user(name: &str) -> Result<(), Diagnostic> {
    let wrong = name.is_empty() || name.starts_with('-') || name.contains([':', '/', '\0', '\n', ' ']);
    if wrong { Err(Diagnostic::new(format!("`{name}` can't be the name of a user"))) } else { Ok(()) }
}

/// Whom to become, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The program.
    pub method: Method,
    /// The user.
    pub user: String,
    /// What to answer when the program asks for a password.
    pub password: Option<SecretText>,
}

/// A user who is become, and by what: an escalation without its password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Whom {
    /// The program.
    pub method: Method,
    /// The user.
    pub user: String,
}

impl Whom {
    /// The way to become this user, with what is to be answered when the program asks for a password.
    pub fn with(&self, password: Option<SecretText>) -> Escalation {
        Escalation { method: self.method, user: self.user.clone(), password }
    }
}

impl Escalation {
    /// Who is become.
    pub fn whom(&self) -> Whom {
        Whom { method: self.method, user: self.user.clone() }
    }

    /// Whether what is done on `host` is done as that user already. A user whom only a directory service knows is never found.
    pub fn is_in_effect(&self, host: &dyn View) -> bool {
        let (own, _) = host.identity();
        if self.user == DEFAULT_USER {
            return own == 0;
        }
        let known = accounts::users(host).unwrap_or_default();
        known.iter().any(|user| user.name == self.user && user.uid == own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::RootKind;
    use crate::system::native::Native;

    #[test]
    fn what_a_layer_does_not_say_is_said_by_those_below() {
        let options = |wanted, user: Option<&str>, method| EscalationOptions {
            wanted,
            user: user.map(ToOwned::to_owned),
            method,
        };
        let below = options(Some(true), Some("app"), Some(Method::Su));
        assert_eq!(EscalationOptions::default().over(&below), below);
        let merged = options(None, Some("db"), None).over(&below).escalation(None).unwrap();
        assert_eq!((merged.user.as_str(), merged.method), ("db", Method::Su));
        assert_eq!(options(Some(false), None, None).over(&below).escalation(None), None);
        let plain = options(Some(true), None, None).escalation(None).unwrap();
        assert_eq!((plain.user.as_str(), plain.method), ("root", Method::Sudo));
        assert_eq!(options(None, Some("app"), Some(Method::Doas)).escalation(None), None);
    }

    #[test]
    fn names_are_checked() {
        for name in Method::NAMES {
            assert_eq!(Method::named(name).unwrap().name(), name);
        }
        assert_eq!(Method::named("suddo").unwrap_err().hint.as_deref(), Some("did you mean `sudo`?"));
        assert_eq!(Method::named("runas").unwrap_err().hint.as_deref(), Some("there are sudo, doas, su"));
        assert!(check_user("web-app").is_ok());
        for wrong in ["", "-s", "a:b", "a b"] {
            assert!(check_user(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_one_is_already_needs_not_be_become() {
        let to = |user: &str| Escalation { method: Method::Sudo, user: user.to_owned(), password: None };
        let host = Native::new(RootKind::Live);
        assert_eq!(to("root").is_in_effect(&host), rustix::process::geteuid().is_root());
        assert!(!to("nobody at all").is_in_effect(&host));
    }
}
