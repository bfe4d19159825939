//! Before a run: inventory, playbooks and variables are read and checked. No host is touched.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::Value;

use super::connect::{ConnectionOptions, Target};
use crate::analysis;
use crate::bundle::{HostData, Neighbours, Peer, Settings, Sources, Variable};
use crate::diagnostic::{Diagnostic, near_match};
use crate::inventory::Inventory;
use crate::module::Registry;
use crate::project::Project;
use crate::script::playbook::{self, Ask, PlayDefinition, Said, TopLevel};
use crate::system::root;
use crate::transport::{AgentBinary, ssh};

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
    agent: OnceLock<Result<Arc<AgentBinary>, String>>,
}

/// The kinds of connection.
const CONNECTIONS: [&str; 4] = ["ssh", "local", "chroot", "sandbox"];

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
    check_connection(options.connection.connection.as_deref()).map_err(|error| vec![error])?;

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
        agent: OnceLock::new(),
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
    check_connection(definition.connection.as_deref())
        .and_then(|()| inventory.select_limited(&definition.hosts, limit))
        .map_err(|problem| match (&problem.at, &definition.at) {
            (None, Some(at)) => problem.at(at.clone()),
            _ => problem,
        })
}

fn check_connection(connection: Option<&str>) -> Result<(), Diagnostic> {
    match connection {
        Some(connection) if !CONNECTIONS.contains(&connection) => {
            let hint = match near_match(connection, CONNECTIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", CONNECTIONS.join(", ")),
            };
            Err(Diagnostic::new(format!("unknown connection `{connection}`")).hint(hint))
        }
        _ => Ok(()),
    }
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
        let text = |key: &str| {
            let value = self.extra.get(key).or_else(|| variables.get(key).map(|variable| &variable.value))?;
            Some(match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let data = HostData {
            name: name.to_owned(),
            groups: self.inventory.groups_of(name).map(ToOwned::to_owned).collect(),
            variables: IndexMap::new(),
            extra: self.extra.clone(),
        };
        let target = self.target(name, definition, &text)?;
        let variables = variables
            .into_iter()
            .map(|(name, variable)| {
                let origin = variable.origin.to_string();
                (name, Variable { value: variable.value, origin })
            })
            .collect();
        Ok((HostData { variables, ..data }, target))
    }

    fn target(
        &self,
        name: &str,
        definition: &PlayDefinition,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Target, Diagnostic> {
        let options = &self.connection;
        let kind = options
            .connection
            .clone()
            .or_else(|| definition.connection.clone())
            .or_else(|| variable("ansible_connection"))
            .unwrap_or_else(|| if name == "localhost" { "local" } else { "ssh" }.to_owned());
        check_connection(Some(&kind))?;
        match kind.as_str() {
            "local" => Ok(Target::Local),
            "chroot" => {
                let root = options.root.clone().or_else(|| variable("ansible_host").map(PathBuf::from));
                let Some(root) = root else {
                    return Err(Diagnostic::new("a chroot connection needs the root to work on")
                        .hint("say it with `--root DIR`"));
                };
                let kind = options.root_kind.unwrap_or_else(|| root::kind_of(&root));
                Ok(Target::Chroot(root, kind))
            }
            "sandbox" => {
                let base = options.root.clone().unwrap_or_else(|| self.sandboxes());
                Ok(Target::Sandbox(base.join(name), options.sandbox_programs))
            }
            _ => self.ssh(name, variable),
        }
    }

    /// Where sandbox hosts are kept.
    fn sandboxes(&self) -> PathBuf {
        let project = self.playbooks.first().map(|playbook| playbook.project.root().to_owned());
        project.unwrap_or_default().join(".refrain/sandbox")
    }

    fn ssh(&self, name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Target, Diagnostic> {
        let agent = self
            .agent
            .get_or_init(|| AgentBinary::own().map(Arc::new).map_err(|error| error.to_string()))
            .clone()
            .map_err(|reason| Diagnostic::new(format!("could not read this program's own file: {reason}")))?;
        let address = variable("ansible_host").unwrap_or_else(|| name.to_owned());
        let mut target = ssh::Target::new(address);
        if let Some(port) = variable("ansible_port") {
            target.port = port.parse().map_err(|_| {
                Diagnostic::new(format!("`ansible_port` of `{name}` is not a port: `{port}`"))
            })?;
        }
        let user = self.connection.user.clone().or_else(|| variable("ansible_user"));
        if let Some(user) = user {
            target.user = user;
        }
        let key = variable("ansible_ssh_private_key_file").map(PathBuf::from);
        target.keys = if self.connection.keys.is_empty() {
            key.into_iter().collect()
        } else {
            self.connection.keys.clone()
        };
        target.password = self
            .connection
            .password
            .clone()
            .or_else(|| variable("ansible_password"))
            .or_else(|| variable("ansible_ssh_pass"));
        Ok(Target::Ssh(Box::new(target), agent))
    }
}
