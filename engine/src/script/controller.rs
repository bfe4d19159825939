//! What a play can do on the controller, where it is evaluated there.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::host::Host;
use super::marks::readable;
use super::workplace::OtherHost;
use crate::coordination::Coordination;
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;
use crate::printable;
use crate::system::System;

/// What a person says to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Make it.
    Yes,
    /// Leave it out.
    No,
    /// Nobody answers: the run ends here.
    Nobody,
}

/// The controller, for a play that is evaluated on it.
pub trait Controller {
    /// Its own files.
    fn system(&self) -> Rc<dyn System>;

    /// The top of the project.
    fn project(&self) -> &Path;

    /// Asks whether a call shall be made, where a person wants to be asked (`--step`).
    fn consent(&self, call: &str) -> Consent;

    /// Where the hosts of the play wait for one another.
    fn coordination(&self) -> &Coordination;

    /// Reaches another host of the inventory.
    ///
    /// # Errors
    /// There is no such host, or no way to it.
    fn reach(&self, host: &str) -> Result<OtherHost, Diagnostic>;
}

/// The place on the controller that a playbook means by `path`: below the project, or absolute.
///
/// # Errors
/// It is none: it goes up, or is the project itself.
fn place(project: &Path, path: &str) -> Result<PathBuf, Failure> {
    let refused = |reason: &str| {
        Err(Failure::state(format!("`{path}` is no place for a file on the controller: {reason}"))
            .advise("name a path below the project, or an absolute one"))
    };
    let named = Path::new(path);
    // Parts of the path may be what a host says of itself: none of it may lead out of where the playbook means.
    if named.components().any(|part| part == Component::ParentDir) {
        return refused("it has `..` in it");
    }
    if path.ends_with('/') || path.contains('\0') || named.file_name().is_none() {
        return refused("it does not name a file");
    }
    Ok(project.join(named))
}

impl Host {
    /// Whether a call is wanted, by the person who is asked before each.
    pub(super) fn consent(&self, function: &str, subject: &str) -> Consent {
        let Some(controller) = &self.controller else { return Consent::Yes };
        let call = format!("{}: {function} {subject}", self.bundle.host.name);
        controller.consent(&printable::brief(&self.secrets.mask(readable(call.trim_end()).as_str()), 200))
    }

    /// The controller's system, and the place there that a playbook means by `path`.
    ///
    /// # Errors
    /// The play is not evaluated on the controller, or the path is none.
    pub(super) fn local(&self, path: &str) -> Result<(Rc<dyn System>, PathBuf), Failure> {
        let Some(controller) = &self.controller else {
            return Err(Failure::state("the play is not evaluated on the controller")
                .advise("say `placement: \"controller\"` in the play's options"));
        };
        Ok((controller.system(), place(controller.project(), path)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_the_project_or_absolute() {
        let case = |path: &str, expected: Result<&str, &str>| {
            let place = place(Path::new("/srv/project"), path);
            let found = place.map(|place| place.display().to_string()).map_err(|failure| failure.to_string());
            let refused = |reason| format!("`{path}` is no place for a file on the controller: {reason}");
            assert_eq!(found, expected.map(ToOwned::to_owned).map_err(refused));
        };
        case("keys/web1.pub", Ok("/srv/project/keys/web1.pub"));
        case("./a", Ok("/srv/project/./a"));
        case("/var/backup/web1", Ok("/var/backup/web1"));
        for up in ["../a", "keys/../../a", "/var/backup/../../etc/passwd", "keys/.."] {
            case(up, Err("it has `..` in it"));
        }
        for none in ["", "/", ".", "keys/"] {
            case(none, Err("it does not name a file"));
        }
    }
}
