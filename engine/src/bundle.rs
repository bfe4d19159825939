//! What travels to a host: one play, with everything of the project that it needs, and that host's variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::Location;
use crate::ended::Foretold;
use crate::escalation::TaskEscalation;
use crate::secrets::{SecretText, Secrets};
use crate::system::RootKind;

/// The part of a bundle that all hosts of a play share.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sources {
    /// The playbook, by its path in the project.
    pub playbook: String,
    /// Where roles are looked for, in order: paths in the project.
    pub role_paths: Vec<String>,
    /// Scripts by their paths: the playbook, roles, imported modules.
    pub scripts: BTreeMap<String, Arc<str>>,
    /// Templates by their paths.
    pub templates: BTreeMap<String, Arc<str>>,
    /// Files by their paths.
    pub files: BTreeMap<String, Arc<File>>,
}

/// A file of the project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// Size in bytes.
    pub size: u64,
    /// Hash of the content (BLAKE3, hexadecimal).
    pub hash: String,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// The content of a small file. A larger one is asked for when it is needed.
    #[serde(with = "serde_bytes")]
    pub content: Option<Vec<u8>>,
}

/// Files up to this size travel with the bundle: asking for them would cost a round trip.
pub const INLINE: u64 = 256 * 1024;

impl Sources {
    /// The script of a role, by the role's name.
    pub fn role(&self, name: &str) -> Option<String> {
        self.role_paths
            .iter()
            .map(|path| format!("{path}/{name}/role.rhai"))
            .find(|path| self.scripts.contains_key(path))
    }

    /// The template that `name` means in the role (or playbook) whose script is `script`.
    pub fn template(&self, script: &str, name: &str) -> Option<(&str, &Arc<str>)> {
        candidates(script, &self.playbook, "templates", name)
            .iter()
            .find_map(|path| self.templates.get_key_value(path.as_str()))
            .map(|(path, text)| (path.as_str(), text))
    }

    /// The file that `name` means in the role (or playbook) whose script is `script`.
    pub fn file(&self, script: &str, name: &str) -> Option<(&str, &File)> {
        candidates(script, &self.playbook, "files", name)
            .iter()
            .find_map(|path| self.files.get_key_value(path.as_str()))
            .map(|(path, file)| (path.as_str(), &**file))
    }

    /// The files below the directory that `name` means, as paths relative to it, with their paths in the project.
    pub fn directory(&self, script: &str, name: &str) -> Option<Vec<(String, String)>> {
        let places = candidates(script, &self.playbook, "files", name);
        // The first place counts that holds anything, as for a single file.
        places.iter().take_while(|path| !self.files.contains_key(path.as_str())).find_map(|path| {
            let prefix = format!("{}/", path.trim_end_matches('/'));
            let below: Vec<_> = self
                .files
                .range(prefix.clone()..)
                .map(|(path, _)| path)
                .take_while(|path| path.starts_with(&prefix))
                .map(|path| (path[prefix.len()..].to_owned(), path.clone()))
                .collect();
            (!below.is_empty()).then_some(below)
        })
    }
}

/// Where a template or file may be, in order: beside the role, beside the playbook, at the top of the project.
///
/// `script` is the script that names it; `kind` is `templates` or `files`.
pub fn candidates(script: &str, playbook: &str, kind: &str, name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for directory in [parent(script), parent(playbook), ""] {
        for place in [join(&join(directory, kind), name), join(directory, name)] {
            if !all.contains(&place) {
                all.push(place);
            }
        }
    }
    all
}

/// The directory of a path in the project; empty at the top.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// A path in the project below a directory, without `.` and with `..` taken back.
pub fn join(directory: &str, name: &str) -> String {
    let absolute = name.starts_with('/') || (directory.starts_with('/') && !name.starts_with('/'));
    let whole = if name.starts_with('/') { name.to_owned() } else { format!("{directory}/{name}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

/// A play: its name and options, and the closure that is its body.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Play {
    /// Its name.
    pub name: String,
    /// Name of the closure in the playbook.
    pub body: String,
    /// What the closure captured, as copies.
    pub captures: Vec<Capture>,
    /// The constants of the playbook's top level, as they were computed there.
    pub constants: IndexMap<String, Value>,
    /// Variables of the play.
    pub variables: IndexMap<String, Value>,
    /// Environment of the commands.
    pub environment: BTreeMap<String, String>,
    /// Tags of the whole play.
    pub tags: Vec<String>,
    /// The secrets that its captures, constants, variables and environment hold, by their numbers.
    pub secrets: BTreeMap<u32, SecretText>,
}

impl Play {
    /// The secrets of `all` that it takes along.
    pub fn secrets_of(&self, all: &Secrets) -> BTreeMap<u32, SecretText> {
        let captured = self.captures.iter().filter_map(|capture| match capture {
            Capture::Data(value) => Some(value),
            Capture::Word(_) => None,
        });
        let mut found = BTreeMap::new();
        for value in captured.chain(self.constants.values()).chain(self.variables.values()) {
            all.collect(value, &mut found);
        }
        for text in self.environment.values() {
            all.collect(&Value::String(text.clone()), &mut found);
        }
        found
    }

    /// The play with no more than these of its variables, and the secrets that are left.
    #[must_use]
    pub fn with_variables(&self, names: &BTreeSet<String>) -> Self {
        let mut play = self.clone();
        play.variables.retain(|name, _| names.contains(name));
        play.secrets = play.secrets_of(&Secrets::new(self.secrets.clone()));
        play
    }

    /// The play with no more than these of its constants, and the secrets that are left.
    #[must_use]
    pub fn with_constants(&self, names: &BTreeSet<String>) -> Self {
        let mut play = self.clone();
        play.constants.retain(|name, _| names.contains(name));
        play.secrets = play.secrets_of(&Secrets::new(self.secrets.clone()));
        play
    }
}

/// A captured value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Capture {
    /// Data.
    Data(Value),
    /// One of the engine's own values (`vars`, `facts`): the host has its own.
    Word(String),
}

/// How the run was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Predict changes instead of making them.
    pub check: bool,
    /// Only calls with one of these tags. All when empty.
    pub tags: Vec<String>,
    /// No calls with one of these tags.
    pub skip_tags: Vec<String>,
    /// Skip everything before the first call or task whose name is this.
    pub start_at: Option<String>,
    /// How long to wait for another run that is at work on a host, in seconds.
    pub lock_timeout: u32,
}

/// Variables, templates in them not rendered, and what has to be known about their values.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Values {
    /// The values by their names.
    pub values: IndexMap<String, Value>,
    /// Where templates in them are written, by their paths (`users[0].name`): the files themselves do not travel.
    pub places: BTreeMap<String, Location>,
    /// Texts that look like templates and are none (`!unsafe`), by their paths.
    pub literals: BTreeSet<String>,
}

/// What a host is told about another host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Peer {
    /// The groups that it is in. Empty when they are not read.
    pub groups: Vec<String>,
    /// Its variables that are read, without places.
    pub variables: Arc<Values>,
}

/// The names of variables that exist and did not travel, by where they are. Only told where a name is computed, so that an
/// error can say why nothing is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// In the inventory.
    pub inventory: BTreeSet<String>,
    /// In the play's `vars`.
    pub play: BTreeSet<String>,
    /// Given by `-e`.
    pub extra: BTreeSet<String>,
}

/// What is about one host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HostData {
    /// Its name in the inventory.
    pub name: String,
    /// The groups that it is in, without `all`.
    pub groups: Vec<String>,
    /// Its variables, merged, as far as the play reads them.
    pub variables: Arc<Values>,
    /// Variables of the highest layer, from `-e`, as far as the play reads them.
    pub extra: Arc<Values>,
    /// What tasks that become another user need. Nothing where there are none.
    pub escalation: TaskEscalation,
    /// Those that it does not read.
    pub withheld: Withheld,
    /// For names that it reads and nothing has: the name of a variable that is spelled nearly so.
    pub near: BTreeMap<String, String>,
}

/// What is about the whole inventory, as far as the play reads it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Neighbours {
    /// The hosts of groups.
    pub groups: IndexMap<String, Vec<String>>,
    /// Hosts that are read by their names; the host itself may be among them.
    pub hosts: IndexMap<String, Peer>,
    /// The names of variables of theirs that did not travel. Only told where one is read by a name that is computed.
    pub withheld: BTreeSet<String>,
    /// Variables of the controller's environment.
    pub environment: BTreeMap<String, String>,
}

/// One play for one host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bundle {
    /// Identifies the run.
    pub run: String,
    /// The project's part.
    pub sources: Arc<Sources>,
    /// The play.
    pub play: Arc<Play>,
    /// The inventory's part.
    pub neighbours: Arc<Neighbours>,
    /// The host's part.
    pub host: HostData,
    /// How the run was asked for.
    pub settings: Arc<Settings>,
    /// What kind of root the agent will find.
    pub root_kind: RootKind,
    /// What earlier plays of the run have foretold of the host, in their order. Nothing outside of check mode.
    pub foretold: Vec<Foretold>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_looked_for_beside_the_role_first() {
        assert_eq!(
            candidates("roles/web/role.rhai", "playbooks/site.rhai", "templates", "a.j2"),
            [
                "roles/web/templates/a.j2",
                "roles/web/a.j2",
                "playbooks/templates/a.j2",
                "playbooks/a.j2",
                "templates/a.j2",
                "a.j2"
            ]
        );
    }

    #[test]
    fn paths_are_joined_without_detours() {
        assert_eq!(join("roles/web", "../db/./x"), "roles/db/x");
        assert_eq!(join("", "a"), "a");
        assert_eq!(join("/srv/p", "a"), "/srv/p/a");
        assert_eq!(join("roles", "/etc/a"), "/etc/a");
    }
}
