//! `refrain lint`: everything that can be said against a playbook without a host.

mod bundles;

use refrain_engine::analysis;
use refrain_engine::project::Project;

use super::{complain, warn};
use crate::arguments::Lint;
use crate::exit;
use crate::plural::plural;

/// Checks playbooks, or shows what a host would get.
pub fn execute(arguments: &Lint) -> u8 {
    let registry = refrain_stdlib::registry();
    let (mut problems, mut warnings, mut placements) = (Vec::new(), Vec::new(), Vec::new());
    for path in &arguments.playbooks {
        match Project::find(path) {
            Ok((project, playbook)) => {
                let analysis = analysis::analyse(&project, &registry, &playbook);
                warnings.extend(analysis.map.warnings());
                problems.extend(analysis.problems);
                for (play, decision) in analysis.map.placements() {
                    match decision {
                        Ok(decision) => placements.push(format!("{play}: placement: {decision}")),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    warn(&warnings);
    complain(&problems);
    if !problems.is_empty() {
        eprintln!("{}", plural(problems.len(), "problem"));
        return exit::BAD_INPUT;
    }
    if let Some(host) = &arguments.bundle {
        return bundles::show(arguments, host, &registry);
    }
    placements.iter().for_each(|placement| println!("{placement}"));
    let verdict = match warnings.len() {
        0 => "nothing to complain about".to_owned(),
        count => plural(count, "warning"),
    };
    println!("{} checked, {verdict}", plural(arguments.playbooks.len(), "playbook"));
    exit::DONE
}
