//! What playbooks can say: each file in `language/` is run on a sandbox host, and its whole output compared.

use std::fs;

use crate::support::project::Project;

#[test]
fn playbooks_do_what_they_say() {
    insta::glob!("language/*.rhai", |path| {
        let text = fs::read_to_string(path).expect("a playbook");
        // `//@ run: …` are the arguments of a run; without one there is one without arguments.
        let mut runs: Vec<Vec<&str>> = text
            .lines()
            .filter_map(|line| line.strip_prefix("//@ run:"))
            .map(|arguments| arguments.split_whitespace().collect())
            .collect();
        if runs.is_empty() {
            runs.push(Vec::new());
        }
        let project = Project::of(&text);
        for (name, content) in parts(&text) {
            project.file(name, content);
        }
        let mut whole = String::new();
        for arguments in runs {
            let all = [&["run", "site.rhai", "-v", "-c", "sandbox"], &*arguments].concat();
            let outcome = project.refrain(&all);
            whole.push_str(&format!(
                "$ refrain run site.rhai {}\n{}\n",
                arguments.join(" "),
                outcome.whole()
            ));
        }
        insta::assert_snapshot!(whole);
    });
}

/// Further files of the project: what stands in a comment block that begins with `/*@ NAME`.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("/*@ ")
        .skip(1)
        .filter_map(|part| part.split_once("@*/")?.0.split_once('\n'))
        .map(|(name, content)| (name.trim(), content))
}
