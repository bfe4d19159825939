//! The same play brings about the same tree, over ssh and in this process, evaluated there and here.

use std::fs;
use std::path::Path;

use crate::support::everything::{converge, placed};
use crate::support::sshd::Setup;

#[test]
fn what_is_made_over_ssh_is_what_is_made_here() {
    let Some(sshd) = Setup::default().start() else { return };
    let place = tempfile::tempdir().unwrap();
    let made = |name: &str, placement: &str, arguments: &[&str]| {
        let top = place.path().join(name);
        fs::create_dir(&top).unwrap();
        let project = placed(top.to_str().unwrap(), placement);
        if arguments.is_empty() {
            sshd.open_to(&project);
        }
        without(&top, converge(&project, arguments, &top))
    };
    let here = made("here", "host", &["-c", "local"]);
    assert_eq!(made("there", "host", &[]), here);
    assert_eq!(made("call by call", "controller", &[]), here);
}

/// The tree, with its own place taken out of its texts.
fn without(top: &Path, tree: Vec<String>) -> Vec<String> {
    let place = top.to_str().unwrap();
    tree.into_iter().map(|line| line.replace(place, "")).collect()
}
