//! Before a run: inventory, playbooks and variables are read and checked. No host is touched.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::connection_options::ConnectionOptions;
use super::connection_variables::ConnectionVariables;
use super::controller::AskStep;
use super::shape::{Parts, Shape, Stock};
use super::target::{self, Reach, Target};
use crate::agent::Work;
use crate::analysis;
use crate::analysis::outline::{self, Outline};
use crate::bundle::{self, Bundle, HostData, Play, Settings, Values};
use crate::diagnostic::Diagnostic;
use crate::escalation::{Escalation, TaskEscalation};
use crate::inventory::{self, Inventory, Resolver, extra_vars};
use crate::journal::rollback;
use crate::module::Registry;
use crate::placement::Decision;
use crate::project::{Project, ProjectSettings, Script};
use crate::script::playbook::{self, Ask, PlayDefinition, Said, TopLevel};
use crate::transport::ssh;

/// What a run was asked for.
#[derive(Clone, Default)]
pub struct Options {
    /// The playbooks, in order.
    pub playbooks: Vec<PathBuf>,
    /// A playbook of the current directory's project that is no file, after the others.
    pub script: Option<Script>,
    /// Inventories: files, directories, or lists of hosts with a comma. The project's `inventory` when empty.
    pub inventories: Vec<String>,
    /// Only hosts that this pattern selects too.
    pub limit: Option<String>,
    /// Variables of the highest layer: `k=v`, `k:=JSON`, `@file`.
    pub extra: Vec<String>,
    /// Check mode, tags and the like.
    pub settings: Settings,
    /// How long to wait for another run that is at work on a host, in seconds. The project's when it is not set, else
    /// [`LOCK_TIMEOUT`].
    pub lock_timeout: Option<u32>,
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
    /// The inventory, with the variable files beside the playbook.
    pub inventory: Arc<Inventory>,
    /// Its plays.
    pub plays: Vec<PreparedPlay>,
    /// What its plays can reach.
    pub map: analysis::reach::Map,
    /// What its top level said.
    pub said: Vec<Said>,
}

/// How a host is reached.
pub(super) struct Way {
    /// Where the play runs.
    pub target: Target,
    /// Who the play becomes there.
    pub escalation: Option<Escalation>,
    /// What its tasks need that become another user. Nothing where there are none.
    pub of_tasks: TaskEscalation,
}

/// A play that is ready to run.
pub struct PreparedPlay {
    /// What the playbook says.
    pub definition: PlayDefinition,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// Where it is evaluated, and why.
    pub placement: Decision,
    /// How its bundles are made.
    pub(super) shape: Shape,
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
    /// Variables of the highest layer.
    pub(super) extra: Arc<Values>,
    pub(super) connection: ConnectionOptions,
    pub(super) ssh_client: OnceLock<Arc<ssh::Client>>,
}

/// How long a run waits for another one on a host, in seconds, where nobody says otherwise.
pub const LOCK_TIMEOUT: u32 = 60;

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
        let (project, playbook) = Project::find(path).map_err(|error| vec![error])?;
        found.push((path.display().to_string(), project, playbook));
    }
    if let Some(script) = options.script {
        let name = script.name.clone();
        let (project, playbook) = Project::with_script(script).map_err(|error| vec![error])?;
        found.push((name, project, playbook));
    }
    let Some((_, project, _)) = found.first() else {
        return Err(vec![Diagnostic::new("no playbook is named")]);
    };
    let root = project.root();
    let of_project = Arc::clone(&project.settings);
    let all_hosts = load_inventory(&options.inventories, project)?;
    let limit = options.limit.as_deref().map(|limit| all_hosts.limit(limit)).transpose();
    let limit = limit.map_err(|error| vec![error])?;
    let extra = extra_vars::read(&options.extra, root)?;
    target::check(options.connection.connection.as_deref()).map_err(|error| vec![error])?;

    let mut problems = Vec::new();
    let mut playbooks = Vec::new();
    let mut warnings: Vec<Diagnostic> =
        of_project.warnings.iter().chain(all_hosts.warnings()).cloned().collect();
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
        let analysis::Analysis { map, problems: found } = analysis::analyse(&project, registry, &path);
        if !found.is_empty() {
            problems.extend(found);
            continue;
        }
        let top = TopLevel::new(project.clone(), inventory.hosts_by_group(), ask());
        match playbook::evaluate(registry, &path, top) {
            Err(problem) => problems.push(problem),
            Ok(evaluated) => {
                let mut prepared = PreparedPlaybook {
                    name,
                    project: Arc::new(project),
                    plays: Vec::new(),
                    said: evaluated.said,
                    map,
                    inventory: Arc::new(inventory),
                };
                for definition in evaluated.plays {
                    let hosts = select(&prepared.inventory, &definition, limit.as_ref());
                    let shape = Shape::new(&definition, &prepared.map, &prepared.project);
                    let need = prepared.map.reach(&definition.play.body).need;
                    let placement = Decision::new(definition.placement, need, options.step.is_some());
                    match hosts.and_then(|hosts| Ok((hosts, placement?, shape?))) {
                        Ok((hosts, placement, shape)) => {
                            prepared.plays.push(PreparedPlay { definition, hosts, placement, shape });
                        }
                        Err(problem) => problems.push(match (&problem.at, &definition.at) {
                            (None, Some(at)) => problem.at(at.clone()),
                            _ => problem,
                        }),
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
        settings: Arc::new(Settings {
            lock_timeout: lock_timeout(options.lock_timeout, &of_project),
            ..options.settings
        }),
        forks: if options.step.is_some() {
            Some(1)
        } else {
            options.forks.or(of_project.forks.map(usize::from))
        },
        step: options.step,
        warnings,
        takes_back: None,
        extra: Arc::new(inventory::values(extra.iter().map(|(name, variable)| (&**name, &**variable)))),
        connection: options.connection,
        ssh_client: OnceLock::new(),
    };
    prepared
        .check_limit(options.limit.as_deref())
        .and_then(|()| prepared.check_start_at(registry))
        .map_err(|error| vec![error])?;
    Ok(prepared)
}

/// The inventories that were named, or else the project's own. Messages call files by their paths in the project.
pub(super) fn load_inventory(named: &[String], project: &Project) -> Result<Inventory, Vec<Diagnostic>> {
    if named.is_empty() {
        let own = project.inventories().map_err(|error| vec![error])?;
        return Inventory::load(&own, project.root());
    }
    Inventory::load(named, project.root())
}

/// How long to wait for another run on a host.
pub(super) fn lock_timeout(wanted: Option<u32>, project: &ProjectSettings) -> u32 {
    wanted.or(project.lock_timeout).unwrap_or(LOCK_TIMEOUT)
}

/// The hosts of a play that the limit leaves, at least where its pattern makes sense.
fn select(
    inventory: &Inventory,
    definition: &PlayDefinition,
    limit: Option<&HashSet<String>>,
) -> Result<Vec<String>, Diagnostic> {
    let selected =
        target::check(definition.connection.as_deref()).and_then(|()| inventory.select(&definition.hosts))?;
    Ok(selected.into_iter().filter(|host| limit.is_none_or(|limit| limit.contains(host))).collect())
}

impl PreparedPlaybook {
    /// One of its plays in outline.
    pub fn outline(&self, play: &PreparedPlay, registry: &Registry) -> Outline {
        let Play { body, tags, .. } = &play.definition.play;
        self.map.outline(registry, body, tags)
    }
}

impl Prepared {
    /// A limit that leaves no host at all is a slip.
    fn check_limit(&self, limit: Option<&str>) -> Result<(), Diagnostic> {
        let plays = || self.playbooks.iter().flat_map(|playbook| &playbook.plays);
        match limit {
            Some(limit) if plays().next().is_some() && plays().all(|play| play.hosts.is_empty()) => {
                Err(Diagnostic::new(format!("no play has a host that `--limit {limit}` leaves")))
            }
            _ => Ok(()),
        }
    }

    /// A name to start at that nothing has is a slip, too.
    fn check_start_at(&self, registry: &Registry) -> Result<(), Diagnostic> {
        let Some(name) = &self.settings.start_at else { return Ok(()) };
        let plays = self
            .playbooks
            .iter()
            .flat_map(|playbook| playbook.plays.iter().map(|play| playbook.outline(play, registry)));
        outline::check_start_at(name, &plays.collect::<Vec<_>>())
    }

    /// What a host has to do, and how it is reached.
    ///
    /// # Errors
    /// As [`bundle`](Self::bundle).
    pub(super) fn work(
        &self,
        playbook: &PreparedPlaybook,
        play: &PreparedPlay,
        host: &str,
        settings: Arc<Settings>,
    ) -> Result<(Work, Way), Diagnostic> {
        let Some(taken_back) = &self.takes_back else {
            let (bundle, way) = self.bundle(playbook, play, host, settings)?;
            return Ok((Work::Play(Box::new(bundle)), way));
        };
        // Its tasks may have become other users.
        let way = self.way(playbook, &play.definition, host, true)?;
        let order = rollback::Order {
            run: self.run.clone(),
            target: taken_back.clone(),
            host: host.to_owned(),
            check: settings.check,
            lock_timeout: settings.lock_timeout,
            root_kind: way.target.root_kind(),
            password: way.of_tasks.password.clone(),
        };
        Ok((Work::RollBack(order), way))
    }

    /// What is sent to a host, and how it is reached: the one place where bundles are made.
    ///
    /// # Errors
    /// A connection variable makes no sense, or a file that the play declares for this host can't be read.
    pub(super) fn bundle(
        &self,
        playbook: &PreparedPlaybook,
        play: &PreparedPlay,
        host: &str,
        settings: Arc<Settings>,
    ) -> Result<(Bundle, Way), Diagnostic> {
        let way = self.way(playbook, &play.definition, host, play.shape.tasks_become)?;
        let stock = Stock { project: &playbook.project, inventory: &playbook.inventory, extra: &self.extra };
        let Parts { sources, play, neighbours, host } = play.shape.of_host(host, &stock)?;
        let host = HostData { escalation: way.of_tasks.clone(), ..host };
        let (run, root_kind) = (self.run.clone(), way.target.root_kind());
        let bundle =
            Bundle { run, sources, play, neighbours, host, settings, root_kind, foretold: Vec::new() };
        Ok((bundle, way))
    }

    /// How a host is reached, and who a play and its tasks become there. What tasks need is only found out where they become
    /// another user.
    ///
    /// # Errors
    /// A connection variable makes no sense.
    pub(super) fn way(
        &self,
        playbook: &PreparedPlaybook,
        definition: &PlayDefinition,
        host: &str,
        tasks_become: bool,
    ) -> Result<Way, Diagnostic> {
        let inventory = &playbook.inventory;
        let written = inventory.variables(host);
        let resolver = Resolver::new(Arc::clone(inventory), Arc::clone(&self.extra));
        let variables = &definition.play.variables;
        let reach = Reach {
            name: host,
            connection: definition.connection.as_deref(),
            escalation: &definition.escalation,
            options: &self.connection,
            variables: ConnectionVariables::new(
                &written,
                &self.extra,
                variables,
                &playbook.project.settings.connection,
                &resolver,
                host,
            ),
            sandboxes: self.sandboxes(),
        };
        let target = reach.target(|| self.ssh_client())?;
        let escalation = reach.escalation(&target)?;
        let mut of_tasks = TaskEscalation::default();
        if tasks_become {
            let play = escalation.as_ref().map(|escalation| escalation.user.clone());
            of_tasks = TaskEscalation { play, ..reach.task_escalation()? };
        }
        Ok(Way { target, escalation, of_tasks })
    }

    /// What all ssh connections of the run share, made when there is one.
    fn ssh_client(&self) -> Arc<ssh::Client> {
        let options = &self.connection;
        let client = self
            .ssh_client
            .get_or_init(|| Arc::new(ssh::Client::new(options.local_user.clone(), options.ask.clone())));
        Arc::clone(client)
    }

    /// What a person should know of how hosts are reached, and was not told yet.
    pub(super) fn warnings_of_connections(&self) -> Vec<Diagnostic> {
        self.ssh_client.get().map(|client| client.take_warnings()).unwrap_or_default()
    }

    /// Where sandbox hosts are kept.
    fn sandboxes(&self) -> PathBuf {
        let project = self.playbooks.first().map(|playbook| playbook.project.root().to_owned());
        project.unwrap_or_default().join(".refrain/sandbox")
    }
}
