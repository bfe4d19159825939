//! systemd: a service is a unit, and links as its `[Install]` section wants them enable it.

mod install;
mod show;
mod specifiers;
mod unit;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Kind, Time, View};

use self::specifiers::Parts;
use self::unit::{Found, UNITS, Unit, full_name};
use super::condition::Condition;
use super::manager::{Enabling, Order, ServiceManager, command};
use crate::links::real;
use crate::runit::service_name::ServiceName;

/// Where an administrator's units and all links are.
const OWN: &str = "/etc/systemd/system";

/// systemd.
pub struct Systemd;

impl ServiceManager for Systemd {
    fn enabling(&self, host: &dyn View, name: &str, _runlevel: Option<&str>) -> Result<Enabling, Failure> {
        let mut changes = Vec::new();
        let mut made = BTreeSet::new();
        let mut todo = vec![full_name(name)];
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let unit = match Unit::find(host, &name)? {
                Found::Unit(unit) => unit,
                Found::Unknown => return Ok(Enabling::Unknown),
                Found::Missing if seen.len() == 1 => return Ok(Enabling::Missing),
                Found::Missing => {
                    return Err(Failure::state(format!("there is no unit `{name}`, which belongs to it")));
                }
            };
            let unit = unit.with_instance()?;
            let links = unit.links()?;
            if links.is_empty() && unit.install.also.is_empty() {
                return Err(Failure::state(format!(
                    "`{}` can't be enabled: {} has no [Install] section",
                    unit.name,
                    unit.file.display()
                ))
                .advise("systemd starts it when another unit wants it; service::start starts it now"));
            }
            for link in links {
                changes.extend(self::missing(host, &link, &unit.file, &mut made)?);
            }
            for also in &unit.install.also {
                todo.push(unit.expand(also)?);
            }
        }
        Ok(Enabling::Changes(changes))
    }

    fn disabling(
        &self,
        host: &dyn View,
        name: &str,
        _runlevel: Option<&str>,
    ) -> Result<Vec<Change>, Failure> {
        let mut names = BTreeSet::new();
        let mut todo = vec![full_name(name)];
        while let Some(name) = todo.pop() {
            // What there is no unit of any more can still have links.
            let (name, also) = match Unit::find(host, &name) {
                Ok(Found::Unit(unit)) => {
                    let also =
                        unit.install.also.iter().map(|also| unit.expand(also)).collect::<Result<_, _>>()?;
                    (unit.name, also)
                }
                _ => (name, Vec::new()),
            };
            if names.insert(name) {
                todo.extend(also);
            }
        }
        let own = Path::new(OWN);
        let mut changes = Vec::new();
        let mut remove = |path: PathBuf| changes.push(Change::Remove { path, what: Kind::Link.word() });
        for entry in host.list(own)? {
            let path = own.join(&entry);
            match host.lstat(&path)?.map(|stat| stat.kind) {
                Some(Kind::Directory) if is_of_links(&entry) => {
                    for link in host.list(&path)? {
                        let is_meant = link.to_str().is_some_and(|link| is_among(&names, link));
                        let link = path.join(link);
                        if is_meant && host.lstat(&link)?.is_some_and(|stat| stat.kind == Kind::Link) {
                            remove(link);
                        }
                    }
                }
                // Another name for it.
                Some(Kind::Link) => {
                    let target = host.read_link(&path)?;
                    let target = target.as_deref().and_then(Path::file_name).and_then(OsStr::to_str);
                    let is_alias = target.is_some_and(|target| names.contains(target) && entry != *target);
                    if is_alias {
                        remove(path);
                    }
                }
                _ => {}
            }
        }
        Ok(changes)
    }

    fn exists(&self, host: &dyn View, name: &str) -> Result<bool, Failure> {
        Ok(Unit::find(host, &full_name(name))? != Found::Missing)
    }

    fn known(&self, host: &dyn View) -> Result<Vec<String>, Failure> {
        let mut known = BTreeSet::new();
        for directory in UNITS {
            let names =
                host.list(Path::new(directory))?.into_iter().filter_map(|name| name.into_string().ok());
            known.extend(names.map(|name| name.strip_suffix(".service").map(str::to_owned).unwrap_or(name)));
        }
        Ok(known.into_iter().collect())
    }

    fn conditions(&self, context: &Context<'_>, names: &[&ServiceName]) -> Result<Vec<Condition>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let command = command(context, show::words(names));
        let output = context.host.probe(&command)?;
        let conditions = show::read(&String::from_utf8_lossy(&output.stdout));
        if output.status == 0 && conditions.len() == names.len() {
            return Ok(conditions);
        }
        Err(output.failure(command.to_shell()))
    }

    fn started(&self, context: &Context<'_>, name: &ServiceName) -> Option<Time> {
        let output = context.host.probe(&command(context, show::words_of_start(name))).ok()?;
        show::start(&String::from_utf8_lossy(&output.stdout))
    }

    fn order(&self, order: Order, name: &str) -> Vec<String> {
        ["systemctl", order.word(), "--", &full_name(name)].map(str::to_owned).into()
    }

    fn reread(&self) -> Option<&'static [&'static str]> {
        Some(&["systemctl", "daemon-reload"])
    }
}

/// Whether a link is one of these units, or an instance of one that is a template.
fn is_among(names: &BTreeSet<String>, link: &str) -> bool {
    names.contains(link) || Parts::of(link).template().is_some_and(|template| names.contains(&template))
}

/// Whether a directory holds links that have other units start something.
fn is_of_links(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    [".wants", ".requires", ".upholds"].iter().any(|suffix| name.ends_with(suffix))
}

/// What has to be done so that there is a link to the unit: its directory, unless that is `made` by then, and itself.
fn missing(
    host: &dyn View,
    link: &Path,
    file: &Path,
    made: &mut BTreeSet<PathBuf>,
) -> Result<Vec<Change>, Failure> {
    let path = link.to_owned();
    let before = match host.lstat(link)?.map(|stat| stat.kind) {
        None => None,
        Some(Kind::Link) if real(host, link)?.0 == real(host, file)?.0 => return Ok(Vec::new()),
        Some(Kind::Link) => host.read_link(link)?,
        Some(kind) => {
            let message = format!("`{}` is a {}, not a link to a unit", path.display(), kind.word());
            return Err(Failure::state(message).advise("remove it with file::absent if that is meant"));
        }
    };
    let mut changes = Vec::new();
    for directory in [Path::new(OWN), link.parent().unwrap_or(Path::new(OWN))] {
        if host.stat(directory)?.is_none() && made.insert(directory.to_owned()) {
            let (uid, gid) = host.identity();
            let attributes = Attributes { mode: 0o755, uid, gid };
            changes.push(Change::MakeDirectory { path: directory.to_owned(), attributes });
        }
    }
    changes.push(Change::MakeLink { path, target: file.to_owned(), before });
    Ok(changes)
}
