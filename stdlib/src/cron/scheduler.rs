//! What runs commands at certain times on a host.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use schemars::JsonSchema;
use serde::Deserialize;

/// Programs that do, by where packages put them, and which kind they are. The first that is there counts.
const PROGRAMS: [(&str, Scheduler); 6] = [
    ("/usr/bin/dcron", Scheduler::Dcron),
    ("/usr/bin/cronie-crond", Scheduler::Cron),
    ("/usr/sbin/cron", Scheduler::Cron),
    ("/usr/sbin/crond", Scheduler::Cron),
    ("/usr/bin/crond", Scheduler::Cron),
    ("/usr/bin/snooze", Scheduler::Snooze),
];

/// The kinds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// Reads crontabs with a user in each line: cronie, and Debian's cron.
    Cron,
    /// Reads crontabs, and runs all that is in `/etc/cron.d` as root.
    Dcron,
    /// Waits for one time and becomes a command; runit starts it again.
    Snooze,
}

impl Scheduler {
    /// The one that a host has.
    ///
    /// # Errors
    /// It has none.
    pub fn find(host: &dyn View) -> Result<Self, Failure> {
        let paths = PROGRAMS.map(|(path, _)| Path::new(path));
        host.look_ahead(&paths);
        for (path, scheduler) in PROGRAMS {
            let path = Path::new(path);
            // Busybox has a crond, too, which does not read `/etc/cron.d`.
            let is_busybox = |target: &Path| target.file_name().is_some_and(|name| name == "busybox");
            if host.stat(path)?.is_some() && !host.read_link(path)?.is_some_and(|target| is_busybox(&target))
            {
                return Ok(scheduler);
            }
        }
        Err(Failure::state(
            "nothing on the host runs commands at certain times: neither cron nor snooze is there",
        )
        .advise("install cronie or snooze first; or say which one there will be: `scheduler: \"snooze\"`"))
    }
}
