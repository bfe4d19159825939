//! The namespace `timezone`.

use std::path::{Path, PathBuf};

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Entry, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Content, Kind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::attributes::AttributeOptions;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};
use crate::file_target::parent;
use crate::links::look_at;
use crate::shell_assignments;
use crate::whole_file::WholeFile;

/// Its functions.
pub const ENTRIES: &[Entry] = &[Entry::state::<TimezoneSet>()];

/// Where the zones are.
const ZONES: &str = "/usr/share/zoneinfo";
/// The link that the C library follows.
const LINK: &str = "/etc/localtime";
/// Where Debian keeps the name.
const NAME_FILE: &str = "/etc/timezone";
/// Void's settings, among them one from which the link is made anew at each start.
const VOID_SETTINGS: &str = "/etc/rc.conf";

/// Sets the time zone.
///
/// ```rhai
/// timezone::set("Europe/Berlin");
/// ```
///
/// `/etc/localtime` becomes a link to the zone's file in `/usr/share/zoneinfo`, which has to be there: the package is `tzdata`.
/// `/etc/timezone`, where there is one (Debian), gets the name, and so does `TIMEZONE` in `/etc/rc.conf` (Void Linux) if that
/// is set: else the next start would undo the change. Programs that run keep the zone that they started with.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TimezoneSet {
    /// The zone by its name in the IANA database: `UTC`, `Europe/Berlin`.
    name: String,
}

/// What tells of the zone.
#[derive(Debug)]
pub struct Found {
    /// Where the link points. Absent when there is none.
    link: Option<PathBuf>,
    name_file: Option<WholeFile>,
    settings: Option<EditedFile>,
}

impl TimezoneSet {
    fn zone(&self) -> PathBuf {
        Path::new(ZONES).join(&self.name)
    }

    /// Refuses names that no zone has on this host.
    fn check(&self, host: &dyn View) -> Result<(), Failure> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
        let is_name = self.name.chars().all(fits) && self.name.split('/').all(|part| !part.is_empty());
        if !is_name {
            return Err(Failure::argument("name", format!("`{}` is no name of a time zone", self.name))
                .advise("they are like `UTC` or `Europe/Berlin`"));
        }
        if host.stat(&self.zone())?.is_some_and(|stat| stat.kind == Kind::File) {
            return Ok(());
        }
        if host.stat(Path::new(ZONES))?.is_none() {
            return Err(Failure::state(format!("there is no directory `{ZONES}`"))
                .advise("install the package of time zones first: `tzdata`"));
        }
        let failure = Failure::argument("name", format!("the host has no time zone `{}`", self.name));
        Err(match self.near(host)? {
            Some(near) => failure.advise(format!("did you mean `{near}`?")),
            None => failure,
        })
    }

    /// The name of a zone that is like this one, in the same area.
    fn near(&self, host: &dyn View) -> Result<Option<String>, Failure> {
        let (area, last) = self.name.rsplit_once('/').map_or(("", &*self.name), |(area, last)| (area, last));
        let names = host.list(&Path::new(ZONES).join(area))?;
        let near = near_match(last, names.iter().filter_map(|name| name.to_str()));
        Ok(near.map(|near| Path::new(area).join(near).display().to_string()))
    }
}

impl Edit for TimezoneSet {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        Ok(match shell_assignments::value(text, "TIMEZONE") {
            Some(_) => shell_assignments::with_value(text, "TIMEZONE", &self.name),
            None => text.to_owned(),
        })
    }
}

impl State for TimezoneSet {
    const NAME: &'static str = "timezone::set";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let (link, name_file, settings) = (Path::new(LINK), Path::new(NAME_FILE), Path::new(VOID_SETTINGS));
        host.look_ahead(&[link, name_file, settings, &self.zone()]);
        self.check(host)?;
        match look_at(host, link)? {
            None => drop(parent(host, link)?),
            Some(stat) if matches!(stat.kind, Kind::Link | Kind::File) => {}
            Some(stat) => return Err(Failure::state(format!("`{LINK}` is a {}", stat.kind.word()))),
        }
        let options = AttributeOptions::default();
        let name_file = match host.stat(name_file)? {
            Some(_) => Some(WholeFile::look(host, name_file, &options)?),
            None => None,
        };
        let settings = match host.stat(settings)? {
            Some(_) => Some(EditedFile::look(host, settings, &options, Missing::Fine)?),
            None => None,
        };
        Ok(Found { link: host.read_link(link)?, name_file, settings })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan = Plan::new();
        let leads_there = |target: &PathBuf| {
            Path::new("/etc").join(target) == self.zone() || *target == relative(&self.zone())
        };
        if !found.link.as_ref().is_some_and(leads_there) {
            let (path, target, before) = (PathBuf::from(LINK), self.zone(), found.link.clone());
            plan.push(Change::MakeLink { path, target, before }.into());
        }
        if let Some(file) = &found.name_file {
            plan.extend(file.plan(Content::Known(format!("{}\n", self.name).into_bytes()), true));
        }
        if let Some(settings) = &found.settings {
            plan.extend(settings.plan(Inputs::default(), self)?);
        }
        Ok(plan)
    }
}

/// The zone's file as seen from `/etc`: some programs make the link so.
fn relative(zone: &Path) -> PathBuf {
    Path::new("..").join(zone.strip_prefix("/").unwrap_or(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn void_settings_follow_if_they_name_a_zone() {
        let zone = TimezoneSet { name: "Europe/Berlin".to_owned() };
        let case = |before: &str, after: &str| assert_eq!(zone.edit(before).unwrap(), after);
        case("#TIMEZONE=\"Europe/Madrid\"\nKEYMAP=de\n", "#TIMEZONE=\"Europe/Madrid\"\nKEYMAP=de\n");
        case("TIMEZONE=\"Europe/Madrid\"\nKEYMAP=de\n", "TIMEZONE=Europe/Berlin\nKEYMAP=de\n");
        case("TIMEZONE=\"Europe/Berlin\"\n", "TIMEZONE=\"Europe/Berlin\"\n");
    }

    #[test]
    fn a_link_may_be_relative() {
        let zone = TimezoneSet { name: "UTC".to_owned() };
        for (target, fine) in [
            ("/usr/share/zoneinfo/UTC", true),
            ("../usr/share/zoneinfo/UTC", true),
            ("/usr/share/zoneinfo/Etc/UTC", false),
        ] {
            let found = Found { link: Some(target.into()), name_file: None, settings: None };
            assert_eq!(zone.plan(&found).unwrap().is_empty(), fine, "{target}");
        }
    }
}
