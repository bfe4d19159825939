//! The tables of one-line templates in `cases/`.

use std::fs;
use std::path::Path;

/// A template, and what is known of it.
pub struct Case {
    /// The table and the line, for messages.
    pub at: String,
    pub template: String,
    /// Why it gives something else here than in Ansible.
    pub reason: Option<String>,
}

impl Case {
    /// Whether it is from a table.
    pub fn is_in(&self, table: &str) -> bool {
        self.at.starts_with(table)
    }
}

/// Says why the next line differs.
const REASON: &str = "#! ";

/// All of them. A line of several expressions is several cases.
pub fn all() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/cases");
    let mut paths: Vec<_> =
        fs::read_dir(directory).expect("the tables").map(|entry| entry.expect("a table").path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| table(path)).collect()
}

fn table(path: &Path) -> Vec<Case> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut reason = None;
    let mut cases = Vec::new();
    for (number, line) in (1..).zip(fs::read_to_string(path).expect("a table").lines()) {
        match line.strip_prefix(REASON) {
            Some(text) => reason = Some(text.to_owned()),
            None if line.is_empty() || line.starts_with("# ") => {}
            None => {
                let at = format!("{name}:{number}");
                let reason = reason.take();
                cases.extend(expressions(line).into_iter().map(|template| Case {
                    at: at.clone(),
                    template,
                    reason: reason.clone(),
                }));
            }
        }
    }
    cases
}

/// `{{ a }} {{ b }}` is two, and anything with a statement in it is one.
fn expressions(line: &str) -> Vec<String> {
    const BETWEEN: &str = "}} {{";
    if !line.starts_with("{{") || !line.contains(BETWEEN) || line.contains("{%") {
        return vec![line.to_owned()];
    }
    let parts: Vec<&str> = line.split(BETWEEN).collect();
    let last = parts.len() - 1;
    let whole = |(at, part): (usize, &&str)| {
        format!("{}{part}{}", if at == 0 { "" } else { "{{" }, if at == last { "" } else { "}}" })
    };
    parts.iter().enumerate().map(whole).collect()
}
