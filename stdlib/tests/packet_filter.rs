//! Rules against the programs that they are for, in a network of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode, Report};
use refrain_engine::system::RootKind;
use refrain_engine::system::native::Native;
use serde_json::{Value, json};

const INSIDE: &str = "REFRAIN_TEST_INSIDE";

/// Runs the test `name` again in a network of its own, if `program` works there. Returns whether this is that run.
fn inside(name: &str, program: &[&str], input: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let works = format!("printf '{input}' | {}", program.join(" "));
    let possible = Command::new("unshare").args(["--net", "sh", "-c", &works]).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "needs {} and a network of its own", program[0]);
        eprintln!("skipped: needs {} and a network of its own", program[0]);
        return false;
    }
    let test = std::env::current_exe().unwrap();
    let again = ["--exact", name, "--nocapture"];
    let output =
        Command::new("unshare").arg("--net").arg(test).args(again).env(INSIDE, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

fn call(name: &str, arguments: Value) -> Report {
    let host = Native::new(RootKind::Live);
    let calls = Calls::default();
    let call = Call::new(Mode::Change(&host), &NoMaterials, &calls);
    refrain_stdlib::registry().get(name).unwrap().call(arguments, &call)
}

fn shown(words: &[&str]) -> String {
    String::from_utf8(Command::new(words[0]).args(&words[1..]).output().unwrap().stdout).unwrap()
}

#[test]
fn iptables_takes_its_rules() {
    if !inside("iptables_takes_its_rules", &["iptables-restore", "--test"], "*filter\\nCOMMIT\\n") {
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
    if !inside("nft_takes_its_rules", &["nft", "--check", "--file", "-"], "flush ruleset\\n") {
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
