//! `refrain lint`: everything that can be said against a playbook without a host.

use refrain_engine::analysis;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::project::Project;

use super::complain;
use crate::arguments::Lint;
use crate::exit;

/// Checks playbooks.
pub fn execute(arguments: &Lint) -> u8 {
    let registry = refrain_stdlib::registry();
    let mut problems = Vec::new();
    for path in &arguments.playbooks {
        match Project::find(path) {
            Ok((project, playbook)) => {
                problems.extend(analysis::analyse(&project, &registry, &playbook).problems);
            }
            Err(error) => problems
                .push(Diagnostic::new(format!("could not read the playbook `{}`: {error}", path.display()))),
        }
    }
    complain(&problems);
    if problems.is_empty() {
        println!("{} checked, nothing to complain about", plural(arguments.playbooks.len(), "playbook"));
        return exit::DONE;
    }
    eprintln!("{}", plural(problems.len(), "problem"));
    exit::BAD_INPUT
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
