//! What a bundle holds, for people: names, origins and sizes, and no values.

use std::fmt::Display;
use std::sync::Arc;

use serde_json::Value;

use super::prepare::{Prepared, PreparedPlay, PreparedPlaybook};
use crate::agent::{ToAgent, frame};
use crate::bundle::{Bundle, Capture, Play, Values};
use crate::diagnostic::Diagnostic;
use crate::secrets;

/// The bundle of a play for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The playbook, as it was named on the command line.
    pub playbook: String,
    /// The play's name.
    pub play: String,
    /// Scripts and their sizes.
    pub scripts: Vec<(String, u64)>,
    /// Templates and their sizes.
    pub templates: Vec<(String, u64)>,
    /// Files.
    pub files: Vec<ListedFile>,
    /// The host's variables, by their names.
    pub variables: Vec<ListedVariable>,
    /// Names of variables that do not travel. Their names do, because the play computes the name of a variable.
    pub withheld: Vec<String>,
    /// The other hosts and their variables.
    pub others: Vec<(String, Vec<ListedVariable>)>,
    /// The groups, with the number of their hosts.
    pub groups: Vec<(String, usize)>,
    /// The variables of this process's environment that templates look up.
    pub environment: Vec<String>,
    /// How many values the play's body captured, and the constants that it reads.
    pub captures: usize,
    /// How many secrets are in all of this.
    pub secrets: usize,
    /// The size of the whole, in bytes, as it goes over the wire.
    pub size: u64,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its path in the project.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether its content is in the bundle, and not asked for when it is needed.
    pub is_inside: bool,
}

/// A variable of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVariable {
    /// Its name.
    pub name: String,
    /// Where it is from: `FILE:LINE`, or `-e`.
    pub origin: String,
    /// Whether a secret is in it.
    pub is_secret: bool,
}

impl ListedVariable {
    fn new(name: &str, value: &Value, origin: impl Display) -> Self {
        let is_secret = secrets::value_has_mark(value);
        Self { name: name.to_owned(), origin: origin.to_string(), is_secret }
    }
}

impl Prepared {
    /// The bundles that a run sends to a host, in order.
    ///
    /// # Errors
    /// As of a run on this host, before it is reached; or a bundle is too large to be sent.
    pub fn listings(&self, host: &str) -> Result<Vec<Listing>, Diagnostic> {
        let plays = self
            .playbooks
            .iter()
            .flat_map(|playbook| playbook.plays.iter().map(move |play| (playbook, play)));
        let of_host = plays.filter(|(_, play)| play.hosts.iter().any(|name| name == host));
        of_host.map(|(playbook, play)| self.listing(playbook, play, host)).collect()
    }

    fn listing(
        &self,
        playbook: &PreparedPlaybook,
        play: &PreparedPlay,
        host: &str,
    ) -> Result<Listing, Diagnostic> {
        let (bundle, ..) = self.bundle(playbook, play, host, Arc::clone(&self.settings))?;
        let text_sizes = |texts: &std::collections::BTreeMap<String, Arc<str>>| {
            texts.iter().map(|(path, text)| (path.clone(), text.len() as u64)).collect()
        };
        let others = bundle.neighbours.hosts.iter().filter(|(name, _)| *name != host);
        let groups = bundle.neighbours.groups.iter();
        let withheld = &bundle.host.withheld;
        Ok(Listing {
            playbook: playbook.name.clone(),
            play: bundle.play.name.clone(),
            scripts: text_sizes(&bundle.sources.scripts),
            templates: text_sizes(&bundle.sources.templates),
            files: files(&bundle),
            variables: own_variables(playbook, play, &bundle),
            withheld: withheld.inventory.union(&withheld.play).chain(&withheld.extra).cloned().collect(),
            others: others
                .map(|(name, peer)| (name.clone(), of_inventory(playbook, name, &peer.variables)))
                .collect(),
            groups: groups.map(|(name, hosts)| (name.clone(), hosts.len())).collect(),
            environment: bundle.neighbours.environment.keys().cloned().collect(),
            captures: data_of(&bundle.play),
            secrets: bundle.play.secrets.len(),
            size: size(bundle)?,
        })
    }
}

fn files(bundle: &Bundle) -> Vec<ListedFile> {
    let listed = bundle.sources.files.iter().map(|(path, file)| ListedFile {
        path: path.clone(),
        size: file.size,
        is_inside: file.content.is_some(),
    });
    listed.collect()
}

fn own_variables(playbook: &PreparedPlaybook, play: &PreparedPlay, bundle: &Bundle) -> Vec<ListedVariable> {
    let mut all = of_inventory(playbook, &bundle.host.name, &bundle.host.variables);
    let at = play.definition.at.as_ref();
    let at = at.map_or_else(|| playbook.name.clone(), |at| format!("{}:{}", at.path, at.line));
    all.extend(bundle.play.variables.iter().map(|(name, value)| ListedVariable::new(name, value, &at)));
    all.extend(bundle.host.extra.values.iter().map(|(name, value)| ListedVariable::new(name, value, "-e")));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn of_inventory(playbook: &PreparedPlaybook, host: &str, values: &Values) -> Vec<ListedVariable> {
    let written = playbook.inventory.variables(host);
    let listed = values
        .values
        .iter()
        .filter_map(|(name, value)| Some(ListedVariable::new(name, value, &written.get(name)?.origin)));
    listed.collect()
}

/// How many values the play takes along from the top level.
fn data_of(play: &Play) -> usize {
    let is_data = |capture: &&Capture| matches!(capture, Capture::Data(_));
    play.captures.iter().filter(is_data).count() + play.constants.len()
}

fn size(bundle: Bundle) -> Result<u64, Diagnostic> {
    let frame = frame::encode(&ToAgent::Run(Box::new(bundle)));
    let frame = frame.map_err(|error| Diagnostic::new(format!("the bundle can't be sent: {error}")))?;
    Ok(frame.len() as u64)
}
