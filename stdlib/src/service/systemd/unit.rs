//! Units: where they are, and what of them is about being enabled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::{Content, Kind, View};

use super::OWN;
use super::install::Install;
use super::specifiers::{Parts, expand};

/// Where units are, first of all where systemd looks first.
pub const UNITS: [&str; 5] = [
    OWN,
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The kinds of units that can be enabled.
const KINDS: [&str; 8] = ["service", "socket", "timer", "target", "path", "mount", "automount", "swap"];

/// A unit is known by another name at most so often.
const MOST_ALIASES: usize = 8;

/// The name of a unit: that of a service where nothing else is said.
pub fn full_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, kind)) if KINDS.contains(&kind) => name.to_owned(),
        _ => format!("{name}.service"),
    }
}

/// A unit that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its own name, which may be another than the one by which it was asked for.
    pub name: String,
    /// The file that defines it.
    pub file: PathBuf,
    /// How it is enabled.
    pub install: Install,
}

/// What looking for a unit finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It.
    Unit(Unit),
    /// Nothing.
    Missing,
    /// Something whose content is only known in a real run.
    Unknown,
}

impl Unit {
    /// Looks for the unit of this whole name.
    ///
    /// # Errors
    /// It is masked, or the host can't be looked at.
    pub fn find(host: &dyn View, name: &str) -> Result<Found, Failure> {
        let mut name = name.to_owned();
        for _ in 0..MOST_ALIASES {
            let template = Parts::of(&name).template();
            let own = file(host, &name)?;
            let file = match (own, &template) {
                (None, Some(template)) => self::file(host, template)?,
                (own, _) => own,
            };
            let Some((file, target)) = file else { return Ok(Found::Missing) };
            match target.as_deref().and_then(|target| alias(&file, target)) {
                Some(other) => name = instance_of(&other, &name),
                None => return Self::read(host, name, file, template),
            }
        }
        Err(Failure::state(format!("the names of the unit `{name}` lead from one to the other in a circle")))
    }

    fn read(
        host: &dyn View,
        name: String,
        file: PathBuf,
        template: Option<String>,
    ) -> Result<Found, Failure> {
        let mut install = Install::default();
        let mut texts = vec![file.clone()];
        texts.extend(drop_ins(host, template.as_deref())?);
        texts.extend(drop_ins(host, Some(&name))?);
        for (place, path) in texts.iter().enumerate() {
            match host.read(path)? {
                Some(Content::Known(text)) if place == 0 && text.is_empty() => {
                    return Err(masked(&name, path));
                }
                Some(Content::Known(text)) => install.add(&String::from_utf8_lossy(&text)),
                Some(_) => return Ok(Found::Unknown),
                None if place == 0 => return Ok(Found::Missing),
                None => {}
            }
        }
        Ok(Found::Unit(Self { name, file, install }))
    }

    /// The same as an instance, if it is a template.
    ///
    /// # Errors
    /// It does not say which.
    pub fn with_instance(self) -> Result<Self, Failure> {
        let parts = Parts::of(&self.name);
        if parts.instance != Some("") {
            return Ok(self);
        }
        let Some(instance) = &self.install.default_instance else {
            let message =
                format!("`{}` is a template, and says nothing about which instance is meant", self.name);
            let hint = format!("name one: `{}@NAME`", parts.prefix);
            return Err(Failure::argument("name", message).advise(hint));
        };
        let name = format!("{}@{}.{}", parts.prefix, expand(instance, &self.name)?, parts.suffix);
        Ok(Self { name, ..self })
    }

    /// A text of the `[Install]` section as it is meant for this unit.
    ///
    /// # Errors
    /// There is something in it that is not known here.
    pub fn expand(&self, text: &str) -> Result<String, Failure> {
        expand(text, &self.name)
    }

    /// The paths of the links that enable it.
    ///
    /// # Errors
    /// The `[Install]` section makes no sense.
    pub fn links(&self) -> Result<Vec<PathBuf>, Failure> {
        let install = &self.install;
        let mut links = Vec::new();
        let lists = [
            ("wants", &install.wanted_by),
            ("requires", &install.required_by),
            ("upholds", &install.upheld_by),
        ];
        for (directory, units) in lists {
            for unit in units {
                links.push(self.plain(unit)?.map(|unit| format!("{unit}.{directory}/{}", self.name)));
            }
        }
        for alias in &install.alias {
            links.push(self.plain(alias)?.filter(|alias| *alias != self.name));
        }
        Ok(links.into_iter().flatten().map(|link| Path::new(OWN).join(link)).collect())
    }

    /// A name in the `[Install]` section, which must not lead to another directory.
    fn plain(&self, text: &str) -> Result<Option<String>, Failure> {
        let name = self.expand(text)?;
        if name.contains('/') || name.starts_with('.') {
            let message =
                format!("the [Install] section of `{}` names `{name}`, which is no unit", self.name);
            return Err(Failure::state(message));
        }
        Ok(Some(name).filter(|name| !name.is_empty()))
    }
}

/// The file of a unit, and where that leads if it is a link.
fn file(host: &dyn View, name: &str) -> Result<Option<(PathBuf, Option<PathBuf>)>, Failure> {
    let paths: Vec<PathBuf> = UNITS.iter().map(|directory| Path::new(directory).join(name)).collect();
    host.look_ahead(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    for path in paths {
        match host.lstat(&path)?.map(|stat| stat.kind) {
            Some(Kind::Link) => {
                let target = host.read_link(&path)?;
                if target.as_deref() == Some(Path::new("/dev/null")) {
                    return Err(masked(name, &path));
                }
                return Ok(Some((path, target)));
            }
            Some(Kind::File) => return Ok(Some((path, None))),
            _ => {}
        }
    }
    Ok(None)
}

fn masked(name: &str, path: &Path) -> Failure {
    Failure::state(format!("`{name}` is masked: `{}` hides it", path.display()))
        .advise("remove that with file::absent if it shall run")
}

/// The unit that a link is another name of. `None` if it only says where the unit is.
fn alias(link: &Path, target: &Path) -> Option<String> {
    let name = target.file_name()?.to_str()?;
    let is_among_units = match target.parent() {
        Some(parent) if parent.is_absolute() => UNITS.iter().any(|units| parent == Path::new(units)),
        _ => true,
    };
    (is_among_units && link.file_name()?.to_str() != Some(name)).then(|| name.to_owned())
}

/// The instance of `other` that the instance `name` of another template stands for.
fn instance_of(other: &str, name: &str) -> String {
    let (parts, own) = (Parts::of(other), Parts::of(name));
    match (parts.instance, own.instance) {
        (Some(""), Some(instance)) => format!("{}@{instance}.{}", parts.prefix, parts.suffix),
        _ => other.to_owned(),
    }
}

/// What is added to a unit, in the order in which it is read. Of several of one name only the first counts.
fn drop_ins(host: &dyn View, name: Option<&str>) -> Result<Vec<PathBuf>, Failure> {
    let Some(name) = name else { return Ok(Vec::new()) };
    let mut found = BTreeMap::new();
    for directory in UNITS {
        let directory = Path::new(directory).join(format!("{name}.d"));
        for entry in host.list(&directory)? {
            if entry.to_string_lossy().ends_with(".conf") {
                let path = directory.join(&entry);
                found.entry(entry).or_insert(path);
            }
        }
    }
    Ok(found.into_values().collect())
}
