//! Where services are: the directories that define them, and the one that runsvdir scans.

use std::path::{Path, PathBuf};

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::system::{Kind, RootKind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::service_name::ServiceName;
use crate::host_path::HostPath;

/// Where services are defined, on Void Linux and Debian alike.
pub const DEFINITIONS: &str = "/etc/sv";
/// What runsvdir scans while the system runs: Void Linux's place and Debian's.
const SCANNED: [&str; 2] = ["/var/service", "/etc/service"];
/// What it will scan when the system boots. On Void Linux the other place leads here then.
const AT_BOOT: &str = "/etc/runit/runsvdir/default";

/// The arguments that say where services are, for a supervisor that is not the system's. A function takes them in with
/// `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct PlaceOptions {
    /// The directory that runsvdir scans. When absent, `/var/service` (Void Linux) or `/etc/service` (Debian), or, where
    /// neither leads to a directory because the system is not running, `/etc/runit/runsvdir/default`.
    #[serde(default)]
    directory: Option<HostPath>,
    /// The directory that services are defined in. `/etc/sv` when absent.
    #[serde(default)]
    definitions: Option<HostPath>,
}

/// The directories of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// What runsvdir scans.
    pub directory: PathBuf,
    /// Where services are defined.
    pub definitions: PathBuf,
    /// Whether somebody scans it now. If not, nothing can be started.
    pub supervised: bool,
}

impl PlaceOptions {
    /// Finds them on a host.
    ///
    /// # Errors
    /// There is no directory that could be scanned.
    pub fn places(&self, host: &dyn View) -> Result<Places, Failure> {
        let definitions = self.definitions.as_deref().unwrap_or(Path::new(DEFINITIONS)).to_owned();
        let live = host.root_kind() != RootKind::Offline;
        let scanned = match &self.directory {
            Some(directory) => vec![&**directory],
            None => SCANNED.iter().map(Path::new).collect(),
        };
        host.look_ahead(&scanned);
        for directory in scanned {
            if is_directory(host, directory)? {
                let directory = directory.to_owned();
                return Ok(Places { directory, definitions, supervised: live });
            }
        }
        match &self.directory {
            Some(directory) => {
                let message = format!("there is no directory `{directory}`");
                Err(Failure::argument("directory", message).advise("it is the one that runsvdir scans"))
            }
            None if is_directory(host, Path::new(AT_BOOT))? => {
                Ok(Places { directory: AT_BOOT.into(), definitions, supervised: false })
            }
            None => Err(Failure::state("this host does not look as if it had runit").advise(format!(
                "neither {}, {} nor {AT_BOOT} is a directory; name the one that runsvdir scans by `directory`",
                SCANNED[0], SCANNED[1]
            ))),
        }
    }
}

impl Places {
    /// Where the link is that enables a service.
    pub fn link(&self, name: &ServiceName) -> PathBuf {
        self.directory.join(&**name)
    }

    /// Where a service is defined.
    pub fn definition(&self, name: &ServiceName) -> PathBuf {
        self.definitions.join(&**name)
    }

    /// Says that a service has to be defined.
    ///
    /// # Errors
    /// It is not.
    pub fn require(&self, host: &dyn View, name: &ServiceName) -> Result<(), Failure> {
        let definition = self.definition(name);
        if is_directory(host, &definition)? {
            return Ok(());
        }
        let message = format!("there is no service `{name}`: `{}` is not a directory", definition.display());
        let known: Vec<String> =
            host.list(&self.definitions)?.into_iter().filter_map(|name| name.into_string().ok()).collect();
        let hint = match near_match(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "install the package that brings it, or define it by runit::service".to_owned(),
        };
        Err(Failure::argument("name", message).advise(hint))
    }

    /// Says that a service has to be enabled, and that there has to be a supervisor.
    ///
    /// # Errors
    /// It is not, or there is none.
    pub fn require_supervised(&self, host: &dyn View, name: &ServiceName) -> Result<(), Failure> {
        if !self.supervised {
            return Err(Failure::state(format!("`{name}` can't be controlled: nothing runs in this root"))
                .advise("runit::enable is enough here: the service is started when the system boots"));
        }
        if host.lstat(&self.link(name))?.is_some() {
            return Ok(());
        }
        let link = self.link(name);
        Err(Failure::state(format!("`{name}` is not enabled: there is no `{}`", link.display()))
            .advise(format!("enable it first: runit::enable(\"{name}\")")))
    }
}

fn is_directory(host: &dyn View, path: &Path) -> Result<bool, Failure> {
    Ok(host.stat(path)?.is_some_and(|stat| stat.kind == Kind::Directory))
}
