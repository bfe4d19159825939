//! Every playbook keeps its promises on every host that it is for.

use std::path::Path;
use std::process::Command;

use crate::support::project::binary;

#[test]
fn playbooks_pass_their_tests() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let playbooks = ["bootstrap", "base", "nomad"].map(|name| format!("playbooks/{name}.rhai"));
    let tested = Command::new(binary()).arg("test").args(&playbooks).current_dir(top).output();
    let tested = tested.expect("the binary starts");
    let (said, complaints) =
        (String::from_utf8_lossy(&tested.stdout), String::from_utf8_lossy(&tested.stderr));
    assert!(tested.status.success(), "{said}{complaints}");
    // Nothing in them is left to chance.
    assert!(!said.contains("uncertain") && !said.contains("note:"), "{said}");
    for stage in ["foretold", "made", "as foretold", "at rest", "assertions"] {
        let passed =
            said.lines().filter(|line| line.trim_start().starts_with(&format!("ok {stage} "))).count();
        assert_eq!(passed, playbooks.len(), "{stage}\n{said}");
    }
}
