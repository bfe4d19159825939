//! `runit::service`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Content, Kind, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::places::DEFINITIONS;
use super::service_name::ServiceName;
use crate::attributes::AttributeOptions;
use crate::directories::Directories;
use crate::host_path::HostPath;
use crate::whole_file::WholeFile;

/// Where Void Linux keeps what supervisors write, so that `/etc` can be read-only.
const RUN: &str = "/run/runit";
/// A host with this directory keeps to that.
const VOID: &str = "/etc/runit/runsvdir";

/// Defines a service: the directory with the scripts that a supervisor runs.
///
/// ```rhai
/// runit::service("web", #{
///     run: "#!/bin/sh\nexec 2>&1\n[ -r conf ] && . ./conf\nexec chpst -u www webd ${OPTIONS}\n",
///     conf: "OPTIONS=-4\n",
///     finish: "#!/bin/sh\nrm -f /run/webd.pid\n",
///     log: "#!/bin/sh\nexec logger -t web\n",
///     down: true,
/// });
/// runit::service("blink", #{ run: "#!/bin/sh\nexec blinkd\n" });
/// ```
///
/// The service is not enabled by that (see `runit::enable`), and not restarted when it changes: notify a handler for that.
/// Scripts that are not given are left as they are. On Void Linux `supervise` becomes a link to `/run/runit`, as in its packages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name, which is that of its directory.
    name: ServiceName,
    /// The script that becomes the service. It has to stay in the foreground.
    run: Text,
    /// The script that is run when the service has ended.
    #[serde(default)]
    finish: Option<Text>,
    /// The script that says by its exit status whether the service is available.
    #[serde(default)]
    check: Option<Text>,
    /// Settings that the `run` script reads. Not executable; 0600 if a secret is in it.
    #[serde(default)]
    conf: Option<Text>,
    /// The script of the service's logger, `log/run`: it reads what the service prints.
    #[serde(default)]
    log: Option<Text>,
    /// Whether there is a file `down`: then the service is enabled without being started. It is left as it is when absent.
    #[serde(default)]
    down: Option<bool>,
    /// The directory that services are defined in. `/etc/sv` when absent.
    #[serde(default)]
    definitions: Option<HostPath>,
}

/// What has to be done.
#[derive(Default)]
pub struct Found {
    directories: Directories,
    files: Vec<(WholeFile, Content, bool)>,
    others: Vec<Change>,
}

impl State for Service {
    const NAME: &'static str = "runit::service";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let directory = self.definitions.as_deref().unwrap_or(Path::new(DEFINITIONS)).join(&*self.name);
        let looked: Vec<PathBuf> = self.files().map(|(name, ..)| directory.join(name)).collect();
        host.look_ahead(&looked.iter().map(PathBuf::as_path).collect::<Vec<_>>());
        let mut found = Found::default();
        for (name, text, mode) in self.files() {
            let options = AttributeOptions::new(Value::Null, Value::Null, mode);
            let path = directory.join(name);
            let parent = found.directories.parent(host, &path)?;
            let file = WholeFile::look_in(host, &path, &options, |_| Ok(parent))?;
            found.files.push((file, text.content.clone(), !text.secret));
        }
        found.others.extend(self.down_file(host, &directory)?);
        if is_void(host)? {
            let logger = self.log.as_ref().map(|_| ("log/supervise", format!("supervise.{}-log", self.name)));
            let own = ("supervise", format!("supervise.{}", self.name));
            for (name, target) in std::iter::once(own).chain(logger) {
                found.others.extend(supervise_link(host, directory.join(name), &target)?);
            }
        }
        Ok(found)
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan: Plan = found.directories.changes().map(Into::into).collect();
        for (file, content, shown) in &found.files {
            plan.extend(file.plan(content.clone(), *shown));
        }
        plan.extend(found.others.iter().cloned().map(Into::into));
        Ok(plan)
    }
}

impl Service {
    /// The files that are given: name, content, mode.
    fn files(&self) -> impl Iterator<Item = (&'static str, &Text, Value)> {
        [
            ("conf", self.conf.as_ref(), Value::Null),
            ("check", self.check.as_ref(), json!("0755")),
            ("finish", self.finish.as_ref(), json!("0755")),
            ("log/run", self.log.as_ref(), json!("0755")),
            ("run", Some(&self.run), json!("0755")),
        ]
        .into_iter()
        .filter_map(|(name, text, mode)| Some((name, text?, mode)))
    }

    /// The change after which the file `down` is there, or not.
    fn down_file(&self, host: &dyn View, directory: &Path) -> Result<Option<Change>, Failure> {
        let path = directory.join("down");
        let there = host.lstat(&path)?.is_some();
        Ok(match self.down {
            Some(true) if !there => {
                let (uid, gid) = host.identity();
                let attributes = Attributes { mode: 0o644, uid, gid };
                let after = Content::Known(Vec::new());
                Some(Change::Write { path, before: None, after, attributes, shown: true })
            }
            Some(false) if there => Some(Change::Remove { path, what: Kind::File.word() }),
            _ => None,
        })
    }
}

fn is_void(host: &dyn View) -> Result<bool, Failure> {
    Ok(host.lstat(Path::new(VOID))?.is_some())
}

/// The link from where a supervisor writes to where that is kept. One that has already written there is left alone.
fn supervise_link(host: &dyn View, path: PathBuf, target: &str) -> Result<Option<Change>, Failure> {
    let target = Path::new(RUN).join(target);
    Ok(match host.lstat(&path)? {
        None => Some(Change::MakeLink { path, target, before: None }),
        Some(_) => None,
    })
}
