//! OpenRC: a service is a script in `/etc/init.d`, and a link in the directory of a runlevel enables it.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Change;
use refrain_engine::system::{Kind, Time, View};

use super::condition::{Condition, State};
use super::manager::{Enabling, Order, ServiceManager, command};
use crate::runit::service_name::ServiceName;

/// Where services are defined.
const SCRIPTS: &str = "/etc/init.d";
/// Where runlevels are.
const RUNLEVELS: &str = "/etc/runlevels";
/// The runlevels that a system goes through when it boots, in order.
const AT_BOOT: [&str; 3] = ["sysinit", "boot", "default"];
/// Where the services that were started have a link.
const STARTED: &str = "/run/openrc/started";

/// OpenRC.
pub struct OpenRc;

impl ServiceManager for OpenRc {
    fn enabling(&self, host: &dyn View, name: &str, runlevel: Option<&str>) -> Result<Enabling, Failure> {
        if !self.exists(host, name)? {
            return Ok(Enabling::Missing);
        }
        let enough: &[&str] = runlevel.as_ref().map_or(&AT_BOOT, std::slice::from_ref);
        for runlevel in enough {
            // A link that leads nowhere enables nothing.
            if host.stat(&link(runlevel, name))?.is_some() {
                return Ok(Enabling::Changes(Vec::new()));
            }
        }
        let runlevel = runlevel.unwrap_or("default");
        let directory = Path::new(RUNLEVELS).join(runlevel);
        if host.stat(&directory)?.is_none_or(|stat| stat.kind != Kind::Directory) {
            let message =
                format!("there is no runlevel `{runlevel}`: `{}` is not a directory", directory.display());
            return Err(Failure::argument("runlevel", message));
        }
        let path = link(runlevel, name);
        let before = host.read_link(&path)?;
        if before.is_none() && host.lstat(&path)?.is_some() {
            return Err(Failure::state(format!("`{}` is not a link to a service", path.display()))
                .advise("remove it with file::absent if that is meant"));
        }
        Ok(Enabling::Changes(vec![Change::MakeLink { path, target: script(name), before }]))
    }

    fn disabling(&self, host: &dyn View, name: &str, runlevel: Option<&str>) -> Result<Vec<Change>, Failure> {
        let runlevels = match runlevel {
            Some(runlevel) => vec![runlevel.to_owned()],
            None => names(host, RUNLEVELS)?,
        };
        let mut changes = Vec::new();
        for runlevel in runlevels {
            let path = link(&runlevel, name);
            if host.lstat(&path)?.is_some_and(|stat| stat.kind == Kind::Link) {
                changes.push(Change::Remove { path, what: Kind::Link.word() });
            }
        }
        Ok(changes)
    }

    fn exists(&self, host: &dyn View, name: &str) -> Result<bool, Failure> {
        Ok(host.stat(&script(name))?.is_some_and(|stat| stat.kind == Kind::File))
    }

    fn known(&self, host: &dyn View) -> Result<Vec<String>, Failure> {
        names(host, SCRIPTS)
    }

    fn conditions(&self, context: &Context<'_>, names: &[&ServiceName]) -> Result<Vec<Condition>, Failure> {
        let mut conditions = Vec::new();
        for name in names {
            // What is not marked as started needs no further question.
            let is_marked = context.host.lstat(&Path::new(STARTED).join(&***name))?.is_some();
            let state = if is_marked || is_changing(context.host, name)? {
                let command = command(context, ["rc-service", name, "status"]);
                state(context.host.probe(&command)?.status)
            } else {
                State::Stopped
            };
            conditions.push(Condition { state, pid: None, lasts: true, is_outdated: false });
        }
        Ok(conditions)
    }

    fn started(&self, context: &Context<'_>, name: &ServiceName) -> Option<Time> {
        let stat = context.host.lstat(&Path::new(STARTED).join(&**name)).ok()??;
        Some(stat.modified)
    }

    fn order(&self, order: Order, name: &str) -> Vec<String> {
        ["rc-service", name, order.word()].map(str::to_owned).into()
    }

    fn reread(&self) -> Option<&'static [&'static str]> {
        None
    }
}

/// What `rc-service NAME status` says by its exit status.
fn state(status: i32) -> State {
    match status {
        0 => State::Running,
        4 => State::Stopping,
        // It waits for something, say a network, and goes on by itself then.
        8 | 16 => State::Starting,
        32 => State::Failed,
        _ => State::Stopped,
    }
}

/// Whether a service is about to become another.
fn is_changing(host: &dyn View, name: &str) -> Result<bool, Failure> {
    for state in ["starting", "stopping", "inactive"] {
        if host.lstat(&Path::new("/run/openrc").join(state).join(name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn script(name: &str) -> PathBuf {
    Path::new(SCRIPTS).join(name)
}

fn link(runlevel: &str, name: &str) -> PathBuf {
    Path::new(RUNLEVELS).join(runlevel).join(name)
}

fn names(host: &dyn View, directory: &str) -> Result<Vec<String>, Failure> {
    let names = host.list(Path::new(directory))?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_statuses_are_states() {
        let states = [(0, State::Running), (3, State::Stopped), (4, State::Stopping), (8, State::Starting)];
        for (status, expected) in states.into_iter().chain([(32, State::Failed), (1, State::Stopped)]) {
            assert_eq!(state(status), expected, "{status}");
        }
    }
}
