//! The executable plays the program that it is called as.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

#[test]
fn a_program_is_known_by_the_name_that_it_is_called_by() {
    let simulated = env!("CARGO_BIN_EXE_simulated");
    for (name, expected) in [("true", 0), ("/usr/bin/false", 1), ("no-such-program", 127)] {
        // The other end of standard input stays open: nobody may wait for its end who does not read it.
        let mut child = Command::new(simulated);
        let mut child = child.arg0(name).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdin = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{name}");
        drop(stdin);
    }
}

#[test]
fn every_program_gets_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let status =
        Command::new(env!("CARGO_BIN_EXE_simulated")).arg("--install").arg(directory.path()).status();
    assert!(status.unwrap().success());
    for (name, _) in refrain_simulation::PROGRAMS {
        let target = std::fs::read_link(directory.path().join(name)).unwrap();
        assert_eq!(target.to_str(), Some("simulated"), "{name}");
    }
}
