//! Templates as people have them, rendered by a whole run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::rendered::Outcome;
use crate::support::project::Project;
use crate::support::python;

/// Renders every template of the project for each host.
const PLAYBOOK: &str = r#"
play("Templates", #{ hosts: "all", files: ["templates/*"] }, || {
    let top = "TOP";
    file::directory(`${top}/${host.name}`);
    for name in TEMPLATES {
        file::template(name, `${top}/${host.name}/${name}`);
    }
});
"#;

#[test]
fn a_project_s_templates_give_what_ansible_gives() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/corpus");
    let home = tempfile::tempdir().expect("a directory");
    let Some(mut command) = python::program("python", home.path()) else { return };
    command.arg(corpus.with_file_name("render_project.py")).arg(&corpus);
    let output = command.output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: BTreeMap<String, BTreeMap<String, Outcome>> =
        serde_json::from_slice(&output.stdout).expect("an answer");

    let project = Project::new();
    copy(&corpus, &project.path(""));
    let names: Vec<&String> = theirs.values().next().expect("a host").keys().collect();
    let playbook = PLAYBOOK.replace("TOP", &project.path("out").to_string_lossy());
    project.file("site.rhai", playbook.replace("TEMPLATES", &format!("{names:?}")));
    fs::create_dir(project.path("out")).expect("a directory");
    project.refrain(&["run", "site.rhai", "--connection", "local", "--forks", "1"]).expect(0);

    let mut wrong = String::new();
    for (host, templates) in &theirs {
        for (name, theirs) in templates {
            let path = project.path("out").join(host).join(name);
            let ours = String::from_utf8(fs::read(path).expect("a file")).expect("UTF-8");
            let Outcome::Ok(theirs) = theirs else { panic!("{name} for {host}: {theirs:?}") };
            if theirs.as_str() != Some(&ours) {
                _ = writeln!(
                    wrong,
                    "--- {name} for {host}\n{ours}\n+++ theirs\n{}",
                    theirs.as_str().unwrap_or("")
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}
