//! What `systemctl show` says of units.

use refrain_engine::system::Time;

use super::unit::full_name;
use crate::runit::service_name::ServiceName;
use crate::service::condition::{Condition, State};

/// What is asked.
const PROPERTIES: &str = "--property=Id,ActiveState,MainPID,Type,RemainAfterExit,NeedDaemonReload";

/// The words that ask about these.
pub fn words(names: &[&ServiceName]) -> Vec<String> {
    let first = ["systemctl", "show", PROPERTIES, "--"].map(str::to_owned);
    first.into_iter().chain(names.iter().map(|name| full_name(name))).collect()
}

/// The words that ask when one was started. Not known before systemd 247.
pub fn words_of_start(name: &ServiceName) -> Vec<String> {
    let property = "--property=ActiveState,ActiveEnterTimestamp";
    ["systemctl", "show", property, "--timestamp=unix", "--", &full_name(name)].map(str::to_owned).into()
}

/// What is said: a paragraph for each, in their order.
pub fn read(printed: &str) -> Vec<Condition> {
    printed.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).map(condition).collect()
}

/// When one was started, if it runs.
pub fn start(printed: &str) -> Option<Time> {
    let seconds = property(printed, "ActiveEnterTimestamp").strip_prefix('@')?.parse().ok()?;
    (property(printed, "ActiveState") == "active").then_some(Time { seconds, nanoseconds: 0 })
}

fn property<'a>(paragraph: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix('=');
    paragraph.lines().find_map(value).unwrap_or_default()
}

fn condition(paragraph: &str) -> Condition {
    let property = |name| property(paragraph, name);
    let state = match property("ActiveState") {
        "active" | "reloading" | "refreshing" => State::Running,
        "activating" => State::Starting,
        "deactivating" => State::Stopping,
        "failed" => State::Failed,
        _ => State::Stopped,
    };
    Condition {
        state,
        pid: property("MainPID").parse().ok().filter(|pid| *pid != 0),
        lasts: property("Type") != "oneshot" || property("RemainAfterExit") == "yes",
        is_outdated: property("NeedDaemonReload") == "yes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_units() {
        // As systemd 252 printed it.
        let printed = "Type=notify\nRemainAfterExit=no\nMainPID=71\nId=ssh.service\nActiveState=active\nNeedDaemonReload=no\n\n\
                       Type=oneshot\nRemainAfterExit=no\nMainPID=0\nId=a.service\nActiveState=inactive\nNeedDaemonReload=yes\n\n\
                       Type=oneshot\nRemainAfterExit=yes\nMainPID=0\nId=b.service\nActiveState=active\nNeedDaemonReload=no\n\n\
                       Id=c.socket\nActiveState=failed\nNeedDaemonReload=no\n";
        let condition = |state, pid, lasts, is_outdated| Condition { state, pid, lasts, is_outdated };
        assert_eq!(
            read(printed),
            [
                condition(State::Running, Some(71), true, false),
                condition(State::Stopped, None, false, true),
                condition(State::Running, None, true, false),
                condition(State::Failed, None, true, false),
            ]
        );
    }

    #[test]
    fn a_start_is_a_time() {
        let start = |text: &str| start(text).map(|time| time.seconds);
        assert_eq!(start("ActiveState=active\nActiveEnterTimestamp=@1700000000\n"), Some(1_700_000_000));
        assert_eq!(start("ActiveState=inactive\nActiveEnterTimestamp=@1700000000\n"), None);
        assert_eq!(start("ActiveState=inactive\nActiveEnterTimestamp=\n"), None);
    }
}
