//! Before a run: inventory, playbooks and variables are read and checked. No host is touched.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::Value;

use super::connect::ConnectionOptions;
use super::connection_variables::ConnectionVariables;
use super::target::{self, Reach, Target};
use crate::analysis;
use crate::bundle::{HostData, Neighbours, Peer, Settings, Sources, Variable};
use crate::diagnostic::Diagnostic;
use crate::inventory::Inventory;
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
    /// What travels of the inventory.
    pub neighbours: Arc<Neighbours>,
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
    pub playbooks: Vec<PreparedPlaybook>,
    /// Check mode, tags and the like.
    pub settings: Arc<Settings>,
    /// At most so many hosts at once.
    pub forks: Option<usize>,
    inventory: Inventory,
    extra: IndexMap<String, Value>,
    connection: ConnectionOptions,
    ssh_client: OnceLock<Arc<ssh::Client>>,
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
    let inventory = inventory(&options, found.first().map(|(_, project, _)| project), found.first())
        .map_err(|error| vec![error])?;
    let extra = crate::inventory::extra_vars(&options.extra).map_err(|error| vec![error])?;
    target::check(options.connection.connection.as_deref()).map_err(|error| vec![error])?;

    let mut problems = Vec::new();
    let mut playbooks = Vec::new();
    for (name, project, path) in found {
        let analysis = analysis::analyse(&project, registry, &path);
        if !analysis.problems.is_empty() {
            problems.extend(analysis.problems);
            continue;
        }
        let groups = groups(&inventory);
        let top = TopLevel::new(project.clone(), groups, ask());
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
                    plays: Vec::new(),
                    said: evaluated.said,
                };
                for definition in evaluated.plays {
                    match select(&inventory, &definition, options.limit.as_deref()) {
                        Ok(hosts) => prepared.plays.push((definition, hosts)),
                        Err(problem) => problems.push(problem),
                    }
                }
                playbooks.push(prepared);
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
        forks: options.forks,
        inventory,
        extra: extra.into_iter().map(|(name, variable)| (name, variable.value)).collect(),
        connection: options.connection,
        ssh_client: OnceLock::new(),
    };
    prepared.check_limit(options.limit.as_deref()).map_err(|error| vec![error])?;
    Ok(prepared)
}

fn inventory(
    options: &Options,
    project: Option<&Project>,
    first: Option<&(&PathBuf, Project, String)>,
) -> Result<Inventory, Diagnostic> {
    let mut sources = options.inventories.clone();
    if sources.is_empty() {
        let own = project.map(|project| project.on_disk(INVENTORY)).filter(|path| path.exists());
        sources.extend(own.map(|path| path.to_string_lossy().into_owned()));
    }
    let playbook_directory = first.map(|(_, project, path)| project.on_disk(crate::bundle::parent(path)));
    Inventory::load(&sources, playbook_directory.as_deref())
}

/// The hosts of a play, at least where its pattern makes sense.
fn select(
    inventory: &Inventory,
    definition: &PlayDefinition,
    limit: Option<&str>,
) -> Result<Vec<String>, Diagnostic> {
    target::check(definition.connection.as_deref())
        .and_then(|()| inventory.select_limited(&definition.hosts, limit))
        .map_err(|problem| match (&problem.at, &definition.at) {
            (None, Some(at)) => problem.at(at.clone()),
            _ => problem,
        })
}

fn groups(inventory: &Inventory) -> IndexMap<String, Vec<String>> {
    inventory
        .groups()
        .map(|group| (group.to_owned(), inventory.hosts_of(group).map(ToOwned::to_owned).collect()))
        .collect()
}

fn neighbours(inventory: &Inventory, groups_wanted: bool, hosts_wanted: bool) -> Neighbours {
    // A template that reads another host's variables may come to the groups through them.
    let groups = if groups_wanted || hosts_wanted { groups(inventory) } else { IndexMap::new() };
    let hosts = if hosts_wanted {
        inventory
            .hosts()
            .map(|host| {
                let variables = inventory.variables(host);
                let peer = Peer {
                    groups: inventory.groups_of(host).map(ToOwned::to_owned).collect(),
                    variables: variables.into_iter().map(|(name, variable)| (name, variable.value)).collect(),
                };
                (host.to_owned(), peer)
            })
            .collect()
    } else {
        IndexMap::new()
    };
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

    /// What travels to a host, and how it is reached.
    ///
    /// # Errors
    /// A connection variable makes no sense.
    pub(super) fn host(
        &self,
        name: &str,
        definition: &PlayDefinition,
    ) -> Result<(HostData, Target), Diagnostic> {
        let variables = self.inventory.variables(name);
        let groups: Vec<String> = self.inventory.groups_of(name).map(ToOwned::to_owned).collect();
        let names = || self.names_of(name, &groups);
        let reach = Reach {
            name,
            connection: definition.connection.as_deref(),
            options: &self.connection,
            variables: ConnectionVariables::new(&variables, &definition.play.variables, &self.extra, &names),
            sandboxes: self.sandboxes(),
        };
        let target = reach.target(|| self.ssh_client())?;
        let variables = variables
            .into_iter()
            .map(|(name, variable)| {
                let origin = variable.origin.to_string();
                (name, Variable { value: variable.value, origin })
            })
            .collect();
        Ok((HostData { name: name.to_owned(), groups, variables, extra: self.extra.clone() }, target))
    }

    /// The names that belong to the engine, as templates in connection variables see them.
    fn names_of(&self, name: &str, groups: &[String]) -> IndexMap<String, Value> {
        let mut groups = groups.to_owned();
        groups.sort();
        let short = name.split('.').next().unwrap_or_default();
        IndexMap::from([
            ("inventory_hostname".to_owned(), name.into()),
            ("inventory_hostname_short".to_owned(), short.into()),
            ("group_names".to_owned(), groups.into()),
            ("groups".to_owned(), self::groups(&self.inventory).into_iter().collect()),
        ])
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
