//! What the documents promise: the quickstart, the generated reference, the places that pages point at.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::project::{Outcome, binary};

/// Runs `refrain` in the repository.
fn refrain(arguments: &[&str], masked: &Path) -> Outcome {
    let output = Command::new(binary())
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .expect("the binary starts");
    Outcome::of(&output, masked)
}

#[test]
fn the_quickstart_converges_and_then_rests() {
    let boxes = tempfile::tempdir().expect("a directory");
    let root = boxes.path().to_str().expect("a path");
    let run = |more: &[&str]| {
        let arguments =
            [&["run", "playbooks/quickstart.rhai", "-c", "sandbox", "--root", root], more].concat();
        refrain(&arguments, boxes.path()).expect(0).stdout
    };
    let predicted = run(&["--check"]);
    let made = run(&[]);
    // The same lines, but for the words that tell a prediction from a change, and what reading the tree itself shows.
    assert_eq!(predicted.replace("   would ", " changed ").replace("would change", "changed"), made);
    insta::assert_snapshot!("first", made);
    insta::assert_snapshot!("second", run(&[]));
    insta::assert_snapshot!("another_port", run(&["--check", "-e", "port=8080"]));
}

#[test]
fn the_reference_is_what_the_modules_say() {
    let reference = refrain(&["doc", "--markdown"], Path::new("/nowhere")).expect(0).stdout;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(page, &reference).expect("the page can be written");
    }
    let written = fs::read_to_string(page).expect("the page is there");
    assert!(written == reference, "docs/reference.md is out of date: run the test with UPDATE_REFERENCE=1");
}

#[test]
fn pages_point_at_what_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = regex::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").expect("a pattern");
    let pages = ["README.md", "docs/guide.md", "docs/architecture.md", "docs/facts.md", "bench/README.md"];
    for page in pages {
        let text = fs::read_to_string(top.join(page)).expect("the page is there");
        for found in link.captures_iter(&text) {
            let target = top.join(page).with_file_name("").join(&found[1]);
            assert!(target.exists(), "{page} points at {}", &found[1]);
        }
    }
}
