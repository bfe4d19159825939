//! Rules against the programs that they are for, in a network of its own.

use std::path::Path;
use std::process::Command;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode, Report};
use refrain_engine::system::RootKind;
use refrain_engine::system::native::Native;
use serde_json::{Value, json};

use super::placed;
use crate::namespaces::inside;

fn call(name: &str, arguments: Value) -> Report {
    let host = placed(|| Native::new(RootKind::Live), RootKind::Live);
    let calls = Calls::default();
    let call = Call::new(Mode::Change(&*host), &NoMaterials, &calls);
    refrain_stdlib::registry().get(name).unwrap().call(arguments, &call)
}

fn shown(words: &[&str]) -> String {
    String::from_utf8(Command::new(words[0]).args(&words[1..]).output().unwrap().stdout).unwrap()
}

#[test]
fn iptables_takes_its_rules() {
    if !inside(module_path!(), "iptables_takes_its_rules", &["--net"], &["iptables-save"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("iptables.rules").display().to_string();
    let good = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n";
    let report = call("iptables::rules", json!({"path": path, "content": good, "mode": "0640"}));
    assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
    let failure = call(
        "iptables::rules",
        json!({"path": path, "content": "*filter\n-A INPUT --dprot 3 -j ACCEPT\nCOMMIT\n"}),
    )
    .failure;
    assert_eq!(
        failure.unwrap().to_string(),
        format!("`iptables-restore` does not accept what `{path}` would be")
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), good);

    let part = directory.path().join("part").display().to_string();
    let arguments =
        json!({"path": part, "content": "-A INPUT -p tcp --dport 22 -j ACCEPT", "table": "filter"});
    assert_eq!(call("iptables::rules", arguments).status, Status::Changed);
    assert_eq!(call("iptables::load", json!({"path": path})).status, Status::Changed);
    assert!(shown(&["iptables-save"]).contains("-A INPUT -i lo -j ACCEPT"));
}

#[test]
fn nft_takes_its_rules() {
    if !inside(module_path!(), "nft_takes_its_rules", &["--net"], &["nft", "list", "ruleset"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nftables.conf").display().to_string();
    let good = "flush ruleset\ntable inet web { chain input { tcp dport 80 accept; }; }\n";
    let report = call("nftables::rules", json!({"path": path, "content": good}));
    assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
    let failure =
        call("nftables::rules", json!({"path": path, "content": "table inet web { chian input { } }\n"}))
            .failure;
    assert!(failure.unwrap().output().unwrap().contains("syntax error"));
    assert!(Path::new(&path).exists());
    assert_eq!(call("nftables::load", json!({"path": path})).status, Status::Changed);
    assert!(shown(&["nft", "list", "ruleset"]).contains("tcp dport 80 accept"));
}
