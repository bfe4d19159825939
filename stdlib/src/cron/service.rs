//! A job as a runit service that waits with snooze.

use std::collections::BTreeMap;
use std::path::PathBuf;

use refrain_engine::accounts::User;
use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::{Kind, View, quote};

use super::field::Field;
use super::job_name::JobName;
use super::schedule::Schedule;
use crate::configuration_file::ConfigurationFile;
use crate::runit::places::Places;

/// The service as it is and as it shall be.
#[derive(Debug)]
pub struct Service {
    /// What it runs.
    pub run: ConfigurationFile,
    /// Where the link is that enables it.
    pub link: PathBuf,
    /// Where that link leads. Absent when there is none.
    pub leads_to: Option<PathBuf>,
    /// Where it shall lead. Absent when there shall be none.
    pub wanted: Option<PathBuf>,
}

impl Service {
    /// The steps after which it is there, enabled or not. None when it is so.
    pub fn plan(&self) -> Plan {
        let mut plan = self.run.plan();
        let path = self.link.clone();
        match (&self.leads_to, &self.wanted) {
            (before, Some(target)) if before.as_ref() != Some(target) => {
                plan.push(Change::MakeLink { path, target: target.clone(), before: before.clone() }.into());
            }
            (Some(_), None) => plan.push(Change::Remove { path, what: Kind::Link.word() }.into()),
            _ => {}
        }
        plan
    }
}

/// Where the service of a job is defined.
pub fn definition(places: &Places, name: &JobName) -> PathBuf {
    places.definitions.join(name.service())
}

/// The link that enables the service of a job, and where it leads. Absent when there is none.
///
/// # Errors
/// Something else is in its place.
pub fn look_at_link(
    host: &dyn View,
    places: &Places,
    name: &JobName,
) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    let link = places.directory.join(name.service());
    let leads_to = host.read_link(&link)?;
    if leads_to.is_none() && host.lstat(&link)?.is_some() {
        return Err(Failure::state(format!("`{}` is no link", link.display())));
    }
    Ok((link, leads_to))
}

/// The script that waits for the time and becomes the command.
///
/// # Errors
/// snooze can't wait for such times.
pub fn script(
    schedule: &Schedule,
    user: &User,
    command: &str,
    environment: &BTreeMap<String, String>,
) -> Result<String, Failure> {
    let mut text = "#!/bin/sh\n".to_owned();
    let account = [("HOME", &user.home), ("USER", &user.name), ("LOGNAME", &user.name)];
    let given = environment.iter().map(|(name, value)| (name.as_str(), value));
    for (name, value) in account.into_iter().chain(given) {
        text.push_str(&format!("export {name}={}\n", quote(value)));
    }
    let become_user = if user.uid == 0 { String::new() } else { format!("chpst -u {} ", quote(&user.name)) };
    let times = times(schedule)?;
    text.push_str(&format!("exec snooze {times} {become_user}/bin/sh -c {}\n", quote(command)));
    Ok(text)
}

fn times(schedule: &Schedule) -> Result<String, Failure> {
    let Schedule::Times(fields) = schedule else {
        return Err(Failure::argument("schedule", "snooze does not wait for a reboot")
            .advise("what a boot shall start is a service: runit::service"));
    };
    let [minute, hour, day, month, weekday] = &**fields;
    if day.values().is_some() && weekday.values().is_some() {
        return Err(Failure::argument(
            "schedule",
            "with snooze, days of the month and days of the week can't both be given: for cron, either is enough",
        )
        .advise("make it two jobs"));
    }
    let option = |letter: char, field: &Field| match field.values() {
        None => format!("-{letter}'*'"),
        Some(values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("-{letter}{}", values.join(","))
        }
    };
    let options =
        [option('d', day), option('m', month), option('w', weekday), option('H', hour), option('M', minute)];
    Ok(options.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(name: &str, uid: u32) -> User {
        let home = format!("/home/{name}");
        User { name: name.to_owned(), uid, gid: uid, comment: String::new(), home, shell: String::new() }
    }

    #[test]
    fn the_script_waits_and_becomes_the_command() {
        let schedule = |text: &str| serde_json::from_value::<Schedule>(json!(text)).unwrap();
        let environment = BTreeMap::from([("KEY".to_owned(), "it's".to_owned())]);
        assert_eq!(
            script(&schedule("*/30 4 * * mon"), &user("ada", 1000), "echo 'a' %", &environment).unwrap(),
            "#!/bin/sh\nexport HOME=/home/ada\nexport USER=ada\nexport LOGNAME=ada\nexport KEY='it'\\''s'\n\
            exec snooze -d'*' -m'*' -w1 -H4 -M0,30 chpst -u ada /bin/sh -c 'echo '\\''a'\\'' %'\n"
        );
        let root = script(&schedule("@daily"), &user("root", 0), "x", &BTreeMap::new()).unwrap();
        assert!(root.ends_with("exec snooze -d'*' -m'*' -w'*' -H0 -M0 /bin/sh -c x\n"), "{root}");
        for text in ["0 0 1 * mon", "@reboot"] {
            assert!(script(&schedule(text), &user("root", 0), "x", &BTreeMap::new()).is_err());
        }
    }
}
