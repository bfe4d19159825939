//! Before a run: inventory, playbooks and variables are read and checked. No host is touched.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::Value;

use super::connect::ConnectionOptions;
use super::connection_variables::ConnectionVariables;
use super::controller::AskStep;
use super::target::{self, Reach, Target};
use crate::analysis;
use crate::bundle::{self, HostData, Neighbours, Peer, Settings, Sources, Values};
use crate::diagnostic::Diagnostic;
use crate::escalation::{Escalation, TaskEscalation};
use crate::inventory::{self, Inventory, extra_vars};
use crate::module::Registry;
use crate::project::Project;
use crate::script::playbook::{self, Ask, PlayDefinition, Said, TopLevel};
use crate::transport::ssh;

/// What a run was asked for.
#[derive(Clone, Default)]
pub struct Options {
    /// The playbooks, in order.
    pub playbooks: Vec<PathBuf>,
    /// Inventories: files, directories, or lists of hosts with a comma. The project's `inventory` when empty.
    pub inventories: Vec<String>,
    /// Only hosts that this pattern selects too.
    pub limit: Option<String>,
    /// Variables of the highest layer: `k=v`, `k:=JSON`, `@file`.
    pub extra: Vec<String>,
    /// Check mode, tags and the like.
    pub settings: Settings,
    /// At most so many hosts at once.
    pub forks: Option<usize>,
    /// How hosts are reached.
    pub connection: ConnectionOptions,
    /// Asks before each call whether it shall be made. Hosts then come one after the other.
    pub step: Option<AskStep>,
    /// Identifies the run.
    pub run: String,
}

/// A playbook that is ready to run.
pub struct PreparedPlaybook {
    /// As it was named on the command line.
    pub name: String,
    /// Its project.
    pub project: Arc<Project>,
    /// What travels of the project.
    pub sources: Arc<Sources>,
    /// The inventory, with the variable files beside the playbook.
    pub inventory: Inventory,
    /// What travels of the inventory.
    pub neighbours: Arc<Neighbours>,
    /// Whether a task becomes another user.
    pub tasks_become: bool,
    /// Its plays with their hosts.
    pub plays: Vec<(PlayDefinition, Vec<String>)>,
    /// What its top level said.
    pub said: Vec<Said>,
}

/// A run that is ready.
pub struct Prepared {
    /// Identifies the run.
    pub run: String,
    /// The playbooks, in order.
    pub playbooks: Vec<Arc<PreparedPlaybook>>,
    /// Check mode, tags and the like.
    pub settings: Arc<Settings>,
    /// At most so many hosts at once.
    pub forks: Option<usize>,
    /// Asks before each call whether it shall be made.
    pub(super) step: Option<AskStep>,
    /// What is suspicious about the inventory.
    pub warnings: Vec<Diagnostic>,
    /// The run that is taken back instead of anything being run.
    pub(super) takes_back: Option<String>,
    pub(super) extra: Arc<Values>,
    pub(super) connection: ConnectionOptions,
    pub(super) ssh_client: OnceLock<Arc<ssh::Client>>,
}

/// Where a project keeps its inventory when nobody says otherwise.
const INVENTORY: &str = "inventory";

/// Reads and checks everything that a run needs.
///
/// `ask` answers the questions of playbooks; it may be asked several times.
///
/// # Errors
/// All that is wrong with the input.
pub fn prepare(
    options: Options,
    registry: &Registry,
    ask: impl Fn() -> Ask,
) -> Result<Prepared, Vec<Diagnostic>> {
    let mut found = Vec::new();
    for path in &options.playbooks {
        let (project, playbook) = Project::find(path).map_err(|error| {
            let reason = crate::failure::reason(&error);
            vec![Diagnostic::new(format!("could not read the playbook `{}`: {reason}", path.display()))]
        })?;
        found.push((path, project, playbook));
    }
    let root = found.first().map_or(Path::new(""), |(_, project, _)| project.root());
    let all_hosts = load_inventory(&options, root)?;
    let limit = options.limit.as_deref().map(|limit| all_hosts.limit(limit)).transpose();
    let limit = limit.map_err(|error| vec![error])?;
    let extra = extra_vars::read(&options.extra, root)?;
    target::check(options.connection.connection.as_deref()).map_err(|error| vec![error])?;

    let mut problems = Vec::new();
    let mut playbooks = Vec::new();
    let mut warnings: Vec<Diagnostic> = all_hosts.warnings().cloned().collect();
    for (name, project, path) in found {
        let inventory = match all_hosts.beside(&project.on_disk(bundle::parent(&path))) {
            Ok(inventory) => inventory,
            Err(more) => {
                problems.extend(more);
                continue;
            }
        };
        for warning in inventory.warnings_beside_playbook() {
            // Several playbooks may lie in one directory.
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        let analysis = analysis::analyse(&project, registry, &path);
        if !analysis.problems.is_empty() {
            problems.extend(analysis.problems);
            continue;
        }
        let top = TopLevel::new(project.clone(), inventory.hosts_by_group(), ask());
        match playbook::evaluate(registry, &path, top) {
            Err(problem) => problems.push(problem),
            Ok(evaluated) => {
                let mut prepared = PreparedPlaybook {
                    name: name.display().to_string(),
                    project: Arc::new(project),
                    neighbours: Arc::new(neighbours(
                        &inventory,
                        analysis.reads_groups,
                        analysis.reads_hostvars,
                    )),
                    sources: Arc::new(analysis.sources),
                    tasks_become: analysis.tasks_become,
                    plays: Vec::new(),
                    said: evaluated.said,
                    inventory,
                };
                for definition in evaluated.plays {
                    match select(&prepared.inventory, &definition, limit.as_ref()) {
                        Ok(hosts) => prepared.plays.push((definition, hosts)),
                        Err(problem) => problems.push(problem),
                    }
                }
                playbooks.push(Arc::new(prepared));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let prepared = Prepared {
        run: options.run,
        playbooks,
        settings: Arc::new(options.settings),
        forks: if options.step.is_some() { Some(1) } else { options.forks },
        step: options.step,
        warnings,
        takes_back: None,
        extra: Arc::new(inventory::values(extra.iter().map(|(name, variable)| (&**name, &**variable)))),
        connection: options.connection,
        ssh_client: OnceLock::new(),
    };
    prepared.check_limit(options.limit.as_deref()).map_err(|error| vec![error])?;
    Ok(prepared)
}

/// The inventories that were named, or else the project's own.
pub(super) fn load_inventory(options: &Options, root: &Path) -> Result<Inventory, Vec<Diagnostic>> {
    let own = root.join(INVENTORY);
    if options.inventories.is_empty() && own.exists() {
        return Inventory::load(&[own.to_string_lossy().into_owned()], root);
    }
    Inventory::load(&options.inventories, root)
}

/// The hosts of a play that the limit leaves, at least where its pattern makes sense.
fn select(
    inventory: &Inventory,
    definition: &PlayDefinition,
    limit: Option<&HashSet<String>>,
) -> Result<Vec<String>, Diagnostic> {
    let selected = target::check(definition.connection.as_deref())
        .and_then(|()| inventory.select(&definition.hosts))
        .map_err(|problem| match (&problem.at, &definition.at) {
            (None, Some(at)) => problem.at(at.clone()),
            _ => problem,
        })?;
    Ok(selected.into_iter().filter(|host| limit.is_none_or(|limit| limit.contains(host))).collect())
}

fn neighbours(inventory: &Inventory, groups_wanted: bool, hosts_wanted: bool) -> Neighbours {
    // A template that reads another host's variables may come to the groups through them.
    let groups = if groups_wanted || hosts_wanted { inventory.hosts_by_group() } else { IndexMap::new() };
    let peer = |host: &str| {
        let variables = inventory::values(inventory.variables(host).iter());
        Peer {
            groups: inventory.groups_of(host).map(ToOwned::to_owned).collect(),
            variables: Arc::new(Values { places: BTreeMap::new(), ..variables }),
        }
    };
    let hosts =
        inventory.hosts().filter(|_| hosts_wanted).map(|host| (host.to_owned(), peer(host))).collect();
    Neighbours { groups, hosts }
}

impl Prepared {
    /// A limit that leaves no host at all is a slip.
    fn check_limit(&self, limit: Option<&str>) -> Result<(), Diagnostic> {
        let plays = || self.playbooks.iter().flat_map(|playbook| &playbook.plays);
        match limit {
            Some(limit) if plays().next().is_some() && plays().all(|(_, hosts)| hosts.is_empty()) => {
                Err(Diagnostic::new(format!("no play has a host that `--limit {limit}` leaves")))
            }
            _ => Ok(()),
        }
    }

    /// What travels to a host, how it is reached, and who the play becomes there.
    ///
    /// # Errors
    /// A connection variable makes no sense.
    pub(super) fn host(
        &self,
        playbook: &PreparedPlaybook,
        name: &str,
        definition: &PlayDefinition,
    ) -> Result<(HostData, Target, Option<Escalation>), Diagnostic> {
        let inventory = &playbook.inventory;
        let written = inventory.variables(name);
        let mut data = HostData {
            name: name.to_owned(),
            groups: inventory.groups_of(name).map(ToOwned::to_owned).collect(),
            variables: Arc::new(inventory::values(written.iter())),
            extra: Arc::clone(&self.extra),
            escalation: TaskEscalation::default(),
        };
        let names = || names_of(name, inventory);
        let reach = Reach {
            name,
            connection: definition.connection.as_deref(),
            escalation: &definition.escalation,
            options: &self.connection,
            variables: ConnectionVariables::new(&written, &data, &definition.play.variables, &names),
            sandboxes: self.sandboxes(),
        };
        let target = reach.target(|| self.ssh_client())?;
        let escalation = reach.escalation(&target)?;
        if playbook.tasks_become {
            let play = escalation.as_ref().map(|escalation| escalation.user.clone());
            data.escalation = TaskEscalation { play, ..reach.task_escalation()? };
        }
        Ok((data, target, escalation))
    }

    /// What all ssh connections of the run share, made when there is one.
    fn ssh_client(&self) -> Arc<ssh::Client> {
        let options = &self.connection;
        let client = self
            .ssh_client
            .get_or_init(|| Arc::new(ssh::Client::new(options.local_user.clone(), options.ask.clone())));
        Arc::clone(client)
    }

    /// Where sandbox hosts are kept.
    fn sandboxes(&self) -> PathBuf {
        let project = self.playbooks.first().map(|playbook| playbook.project.root().to_owned());
        project.unwrap_or_default().join(".refrain/sandbox")
    }
}

/// The names that belong to the engine, as templates in connection variables see them.
fn names_of(host: &str, inventory: &Inventory) -> IndexMap<String, Value> {
    let groups: Vec<&str> = inventory.groups_of(host).collect();
    let short = host.split('.').next().unwrap_or_default();
    IndexMap::from([
        ("inventory_hostname".to_owned(), host.into()),
        ("inventory_hostname_short".to_owned(), short.into()),
        ("group_names".to_owned(), groups.into()),
        ("groups".to_owned(), inventory.hosts_by_group().into_iter().collect()),
    ])
}
