//! A play that does a bit of everything, and what has to hold wherever it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::project::{Outcome, Project, tree};

/// A project whose play does a bit of everything below `top`.
pub fn project(top: &str) -> Project {
    placed(top, "host")
}

/// The same, evaluated as `placement` says.
pub fn placed(top: &str, placement: &str) -> Project {
    let project = Project::of(&format!(
        r##"play("Everything", #{{ hosts: "all", placement: "{placement}", vars: #{{ sites: ["a", "b"], port: 80 }} }}, || {{
    let reload = handler("Reload", || file::content("{top}/reloaded", "yes\n"));
    file::directory("{top}/etc/web/sites", #{{ mode: "0750" }});
    for site in vars.sites {{
        file::template("site.j2", `{top}/etc/web/sites/${{site}}.conf`, #{{ vars: #{{ site: site }} }}).notify(reload);
    }}
    file::copy("htdocs", "{top}/srv/htdocs", #{{ mode: "u=rw,g=r,o=" }});
    file::copy("run", "{top}/run.sh");
    file::link("{top}/current", "etc/web/through");
    file::content("{top}/current", "through the link\n", #{{ mode: 0o600 }});
    file::line("{top}/etc/hosts", "127.0.0.1 localhost here", #{{ create: true, regexp: "^127" }});
    file::line("{top}/etc/hosts", "::1 localhost here", #{{ regexp: "^::1" }});
    file::block("{top}/etc/hosts", "10.0.0.1 one two\n10.0.0.2 three");
    file::replace("{top}/etc/hosts", "local(host)$", "local\\\\1");
    file::ini("{top}/etc/app.ini", "main", "port", "80", #{{ create: true }});
    file::attributes("{top}/srv", #{{ recurse: true, mode: "g+X,o=" }});
    if !file::exists("{top}/facts") {{
        file::directory("{top}/gone/deep");
        file::absent("{top}/gone");
        if file::exists("{top}/gone") {{ fail("it should be gone") }}
    }}
    let made = file::stat("{top}/run.sh");
    file::content("{top}/facts", `${{made.mode}} ${{file::read("{top}/etc/app.ini")}}`);
}});
"##
    ));
    project.file("inventory", "localhost\n");
    project.file(
        "templates/site.j2",
        "site {{ site }}:{{ port }}\n{% for s in sites %}\n- {{ s }}\n{% endfor %}\n",
    );
    project.file("files/htdocs/index.html", "<h1>hello</h1>\n");
    project.file("files/htdocs/deep/er/large", vec![b'x'; 300 * 1024]);
    project.file("files/run", "#!/bin/sh\necho run\n");
    fs::set_permissions(project.path("files/run"), fs::Permissions::from_mode(0o755)).expect("a mode");
    project
}

/// The lines of a run that say what was changed, or would be.
pub fn changes(outcome: &Outcome) -> Vec<String> {
    outcome
        .stdout
        .lines()
        .filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("changed ").or_else(|| line.strip_prefix("would "))
        })
        .map(ToOwned::to_owned)
        .collect()
}

/// Predicts, runs, runs again: the prediction is what is made, and then nothing is left to do. Gives the tree.
#[track_caller]
pub fn converge(project: &Project, arguments: &[&str], target: &Path) -> Vec<String> {
    let run = |more: &[&str]| project.refrain(&[&["run", "site.rhai"], arguments, more].concat()).expect(0);
    let before = target.exists().then(|| tree(target));
    let predicted = run(&["--check"]);
    assert_eq!(target.exists().then(|| tree(target)), before, "check mode changes nothing");
    let made = run(&[]);
    assert_eq!(changes(&predicted), changes(&made), "what is predicted is made");
    assert!(changes(&made).len() > 10);
    let again = run(&[]);
    assert_eq!(changes(&again), [""; 0], "a second run changes nothing\n{}", again.stdout);
    tree(target)
}

/// A tree without the owners: those of a normal user differ.
pub fn without_owners(tree: &[String]) -> Vec<String> {
    let owner = regex::Regex::new(r" \d+:\d+").expect("a pattern");
    tree.iter().map(|line| owner.replace(line, "").into_owned()).collect()
}
