//! A fresh root: check mode foretells the whole of it, the run makes just that, and then there is nothing left to do.

use crate::support::void_root::VoidRoot;
use crate::support::{have, is_root};

/// What was changed, or would be: a line each, without the word that tells which.
fn changes(said: &str) -> Vec<String> {
    let lines = said.lines().filter_map(|line| {
        let line = line.trim_start();
        let change = line.strip_prefix("would ").or_else(|| line.strip_prefix("changed "))?;
        // An action: check mode does not do it.
        (!change.contains("xbps::refresh")).then(|| change.to_owned())
    });
    lines.collect()
}

#[test]
fn the_whole_of_it_is_foretold() {
    if !is_root() || !have("busybox") {
        return;
    }
    let root = VoidRoot::new();
    let run = |further: &[&str]| {
        // The machine's own address depends on the machine: it may have none.
        let address = "nomad_advertise_address=192.0.2.2";
        let mut arguments = vec!["playbooks/nomad.rhai", "--limit", "matrix-core", "-e", address];
        arguments.extend(further);
        root.refrain("playbooks/base.rhai", &arguments)
    };
    let everything = |_: &str| true;
    let before = root.tree(everything);
    let foretold = run(&["--check"]);
    assert_eq!(root.tree(everything), before, "check mode writes nothing");
    let made = run(&[]);
    assert_eq!(changes(&foretold), changes(&made), "{foretold}\n{made}");
    assert!(changes(&made).len() > 20, "{made}");
    let again = run(&[]);
    assert_eq!(changes(&again), Vec::<String>::new(), "{again}");
}
