//! Before a run that takes another one back. No host is touched.

use std::sync::{Arc, OnceLock};

use super::prepare::{Options, Prepared, PreparedPlay, PreparedPlaybook, load_inventory, lock_timeout};
use super::shape::Shape;
use super::target;
use crate::analysis::reach::Map;
use crate::bundle::{Play, Settings};
use crate::diagnostic::Diagnostic;
use crate::inventory::{self, extra_vars};
use crate::placement::Decision;
use crate::project::Project;
use crate::script::playbook::PlayDefinition;

/// Prepares to take back what `run` has changed on the hosts that the options select: all of the inventory unless there is a limit,
/// and this machine where there is no inventory. The options name no playbook.
///
/// # Errors
/// All that is wrong with the input.
pub fn prepare_rollback(options: Options, run: &str) -> Result<Prepared, Vec<Diagnostic>> {
    let one = |error| vec![error];
    let project = Project::here().map_err(one)?;
    let inventory = load_inventory(&options.inventories, &project)?;
    let extra = extra_vars::read(&options.extra, project.root())?;
    target::check(options.connection.connection.as_deref()).map_err(one)?;
    // Without any inventory there is this machine.
    let everything = if inventory.hosts().next().is_some() { "all" } else { "localhost" };
    let pattern = options.limit.as_deref().unwrap_or(everything);
    let hosts = inventory.select(pattern).map_err(one)?;
    if hosts.is_empty() {
        let error = Diagnostic::new("there is no host to take anything back on");
        return Err(one(error.hint("`-i` says where the inventory is")));
    }
    let of_project = Arc::clone(&project.settings);
    let warnings = of_project.warnings.iter().chain(inventory.warnings()).cloned().collect();
    let definition = play(run);
    let shape = Shape::new(&definition, &Map::default(), &project).map_err(one)?;
    let playbook = PreparedPlaybook {
        name: "rollback".to_owned(),
        project: Arc::new(project),
        inventory: Arc::new(inventory),
        plays: vec![PreparedPlay { definition, hosts, placement: Decision::default(), shape }],
        map: Map::default(),
        said: Vec::new(),
    };
    Ok(Prepared {
        run: options.run,
        playbooks: vec![Arc::new(playbook)],
        settings: Arc::new(Settings {
            lock_timeout: lock_timeout(options.lock_timeout, &of_project),
            ..options.settings
        }),
        forks: options.forks.or(of_project.forks.map(usize::from)),
        step: None,
        warnings,
        takes_back: Some(run.to_owned()),
        extra: Arc::new(inventory::values(extra.iter().map(|(name, variable)| (&**name, &**variable)))),
        connection: options.connection,
        ssh_client: OnceLock::new(),
    })
}

/// What stands for a play in the events of a rollback.
fn play(run: &str) -> PlayDefinition {
    let name = format!("Take back the run {run}");
    PlayDefinition { play: Play { name, ..Play::default() }, ..PlayDefinition::default() }
}
