//! What check mode has foretold of the hosts of a run, from play to play.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::target::Target;
use crate::ended::Foretold;
use crate::escalation::{DEFAULT_USER, Escalation};

/// What plays have foretold, each for one host and told to nobody else.
#[derive(Default)]
pub(super) struct Foretellings(Mutex<HashMap<String, Vec<Foretelling>>>);

struct Foretelling {
    /// The user of its play: who saw the contents of files.
    user: String,
    foretold: Foretold,
}

impl Foretellings {
    /// What earlier plays have foretold of the host at `target`, in their order, for a play whose user is that of
    /// `escalation` if there is one. What a user may not read who is neither root nor the same, has no content.
    pub(super) fn of(&self, target: &Target, escalation: Option<&Escalation>) -> Vec<Foretold> {
        let user = user(target, escalation);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_host = known.get(&target.place()).into_iter().flatten();
        of_host
            .map(|earlier| match user == DEFAULT_USER || user == earlier.user {
                true => earlier.foretold.clone(),
                false => earlier.foretold.without_contents(),
            })
            .collect()
    }

    /// Takes in what a play has foretold.
    pub(super) fn add(&self, target: &Target, escalation: Option<&Escalation>, foretold: Foretold) {
        if foretold.is_empty() {
            return;
        }
        let user = user(target, escalation);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(target.place()).or_default().push(Foretelling { user, foretold });
    }
}

/// As whom a play sees a host.
fn user(target: &Target, escalation: Option<&Escalation>) -> String {
    match (escalation, target) {
        (Some(escalation), _) => escalation.user.clone(),
        (None, Target::Remote(remote, _)) => remote.user().unwrap_or_default().to_owned(),
        // Whoever this process is, it has no other name here.
        (None, _) if !rustix::process::geteuid().is_root() => String::new(),
        (None, _) => DEFAULT_USER.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escalation::Method;
    use crate::system::preview::Overlay;
    use crate::system::{Attributes, Content, RootKind, View, native::Native};
    use crate::transport::{Remote, ssh};
    use std::path::Path;
    use std::rc::Rc;
    use std::sync::Arc;

    fn host(user: &str, name: &str) -> Target {
        let target = ssh::Target { user: user.to_owned(), ..ssh::Target::new(name.to_owned()) };
        Target::Remote(
            Box::new(Remote::Ssh(Box::new(target))),
            Arc::new(ssh::Client::new(ssh::LocalUser::default(), None)),
        )
    }

    fn overlay(earlier: &[Foretold]) -> Overlay {
        Overlay::after(Rc::new(Native::new(RootKind::Live)), earlier.iter().map(|it| &it.predicted))
    }

    #[test]
    fn contents_are_for_root_and_for_who_has_seen_them() {
        let file = Path::new("/no-such-directory/file");
        let root = Escalation { method: Method::Sudo, user: "root".to_owned(), password: None };
        let made = overlay(&[]);
        made.make_directory(file.parent().unwrap(), Attributes { mode: 0o700, uid: 0, gid: 0 }).unwrap();
        made.write(file, Content::Known(b"secret".to_vec()), Attributes { mode: 0o600, uid: 0, gid: 0 })
            .unwrap();
        let foretellings = Foretellings::default();
        let predicted = made.predicted_here().unwrap();
        let foretold = Foretold { predicted, ..Foretold::default() };
        foretellings.add(&host("ada", "web1"), Some(&root), foretold);

        let seen = |user, name, escalation| {
            overlay(&foretellings.of(&host(user, name), escalation)).read(file).unwrap()
        };
        let secret = Some(Content::Known(b"secret".to_vec()));
        assert_eq!(seen("bob", "web1", Some(&root)), secret);
        assert_eq!(seen("root", "web1", None), secret);
        assert_eq!(seen("ada", "web1", None), Some(Content::Unknown));
        assert_eq!(seen("root", "web2", None), None, "another host");
    }
}
