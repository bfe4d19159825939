//! The system and who is on it: names, kernel, user, time, services.

use serde_json::{Map, Value, json};

use super::super::clock::Moment;
use super::super::elf::Program;
use super::super::source::FactSource;
use super::super::text::{file, kernel, kernel_word};
use super::super::timezone::Zone;
use super::super::{Facts, Gather, HostFacts, identity};
use crate::system::RootKind;

pub(super) const NAMES: &[(&str, Gather)] = &[
    ("apparmor", |facts| Some(apparmor(facts.source()))),
    ("architecture", |facts| Some(family_of_machines(facts.peek("architecture")?.as_str()?).into())),
    ("cmdline", |facts| Some(command_line(facts.source(), false)?.into())),
    ("date_time", |facts| Some(date_time(facts))),
    ("domain", |facts| facts.peek("hostname").map(|_| facts.get("domain").unwrap_or_else(|| "".into()))),
    ("effective_group_id", |facts| facts.inside("user", "effective_gid")),
    ("effective_user_id", |facts| facts.inside("user", "effective_uid")),
    ("env", |facts| facts.get("env")),
    ("fips", |facts| {
        Some((kernel_word(facts.source(), "/proc/sys/crypto/fips_enabled").as_deref() == Some("1")).into())
    }),
    ("fqdn", |facts| facts.get("fqdn")),
    ("hostname", |facts| facts.get("hostname")),
    ("hostnqn", |facts| Some(setting(facts.source(), "/etc/nvme/hostnqn", "").into())),
    ("is_chroot", |facts| Some((facts.source().kind() == RootKind::Offline).into())),
    ("iscsi_iqn", |facts| {
        Some(setting(facts.source(), "/etc/iscsi/initiatorname.iscsi", "InitiatorName=").into())
    }),
    ("kernel", |facts| facts.inside("kernel", "release")),
    ("kernel_version", |facts| facts.inside("kernel", "version")),
    ("loadavg", |facts| facts.get("load")),
    ("machine", |facts| facts.get("architecture")),
    ("machine_id", |facts| facts.get("machine_id")),
    ("nodename", |facts| identity::nodename(facts.source()).map(Value::from)),
    ("pkg_mgr", |facts| Some(facts.get("package_manager").unwrap_or_else(|| "unknown".into()))),
    ("proc_cmdline", |facts| Some(command_line(facts.source(), true)?.into())),
    ("real_group_id", |facts| facts.inside("user", "gid")),
    ("real_user_id", |facts| facts.inside("user", "uid")),
    ("selinux", selinux),
    ("service_mgr", |facts| Some(service_manager(facts.peek("service_manager")?.as_str()?).into())),
    ("ssh_host_key_dsa_public", |facts| ssh_host_key(facts, "dsa", "key")),
    ("ssh_host_key_dsa_public_keytype", |facts| ssh_host_key(facts, "dsa", "type")),
    ("ssh_host_key_ecdsa_public", |facts| ssh_host_key(facts, "ecdsa", "key")),
    ("ssh_host_key_ecdsa_public_keytype", |facts| ssh_host_key(facts, "ecdsa", "type")),
    ("ssh_host_key_ed25519_public", |facts| ssh_host_key(facts, "ed25519", "key")),
    ("ssh_host_key_ed25519_public_keytype", |facts| ssh_host_key(facts, "ed25519", "type")),
    ("ssh_host_key_rsa_public", |facts| ssh_host_key(facts, "rsa", "key")),
    ("ssh_host_key_rsa_public_keytype", |facts| ssh_host_key(facts, "rsa", "type")),
    ("system", |facts| Some(facts.inside("kernel", "name").unwrap_or_else(|| "Linux".into()))),
    ("uptime_seconds", |facts| facts.get("uptime")),
    ("user_dir", |facts| facts.inside("user", "home")),
    ("user_gecos", |facts| facts.inside("user", "comment")),
    ("user_gid", |facts| facts.inside("user", "effective_gid")),
    ("user_id", |facts| facts.inside("user", "name")),
    ("user_shell", |facts| facts.inside("user", "shell")),
    ("user_uid", |facts| facts.inside("user", "effective_uid")),
    ("userspace_architecture", userspace_architecture),
    ("userspace_bits", |facts| Some(userspace_bits(facts.source())?.into())),
];

fn apparmor(source: &dyn FactSource) -> Value {
    let there = source.live() && !source.kernel_list("/sys/kernel/security/apparmor").is_empty();
    json!({ "status": if there { "enabled" } else { "disabled" } })
}

/// All of Intel's 32-bit machines are `i386`.
fn family_of_machines(machine: &str) -> &str {
    if matches!(machine, "i386" | "i486" | "i586" | "i686") { "i386" } else { machine }
}

fn userspace_bits(source: &dyn FactSource) -> Option<&'static str> {
    Some(if Program::of(source)?.wide { "64" } else { "32" })
}

/// Only of Intel's machines.
fn userspace_architecture(facts: &Facts) -> Option<Value> {
    let machine = family_of_machines(facts.peek("architecture")?.as_str()?);
    let bits = ["i386", "x86_64"].contains(&machine).then(|| userspace_bits(facts.source()))??;
    Some(if bits == "64" { "x86_64" } else { "i386" }.into())
}

fn service_manager(name: &str) -> &str {
    match name {
        "none" => "service",
        "procd" => "openwrt_init",
        "s6" => "s6-svscan",
        name => name,
    }
}

fn ssh_host_key(facts: &Facts, kind: &str, part: &str) -> Option<Value> {
    facts.peek("ssh_host_keys")?.get(kind)?.get(part).cloned()
}

/// What follows `key` on the first line that is no comment and begins with it; empty when there is none.
fn setting(source: &dyn FactSource, path: &str, key: &str) -> String {
    let text = file(source, path).unwrap_or_default();
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned()
}

fn selinux(facts: &Facts) -> Option<Value> {
    let own = facts.peek("selinux")?;
    if own["enabled"] != true {
        return Some(json!({ "status": "disabled" }));
    }
    let known = |key: &str| own.get(key).cloned().unwrap_or_else(|| "unknown".into());
    let version = kernel_word(facts.source(), "/sys/fs/selinux/policyvers");
    let version = version.and_then(|text| text.parse::<u32>().ok());
    Some(json!({
        "status": "enabled",
        "policyvers": version.map_or_else(|| "unknown".into(), Value::from),
        "config_mode": known("config_mode"),
        "mode": known("mode"),
        "type": known("type"),
    }))
}

/// In the root's time zone, apart from what says of itself that it is UTC.
fn date_time(facts: &Facts) -> Value {
    let utc = Moment::of(facts.time());
    let zone = Zone::of(facts.source());
    let setting = zone.at(utc.epoch);
    let local = Moment::local(facts.time(), setting.offset);
    let two = |number: u32| format!("{number:02}");
    json!({
        "year": format!("{:04}", local.year),
        "month": two(local.month),
        "weekday": local.weekday_name(),
        "weekday_number": local.weekday.to_string(),
        "weeknumber": two(local.week()),
        "day": two(local.day),
        "hour": two(local.hour),
        "minute": two(local.minute),
        "second": two(local.second),
        "epoch": local.epoch.to_string(),
        "epoch_int": local.epoch.to_string(),
        "date": local.date(),
        "time": local.time(),
        "iso8601_micro": utc.iso8601_micro(),
        "iso8601": utc.iso8601(),
        "iso8601_basic": format!("{}{:06}", local.basic(), local.microsecond()),
        "iso8601_basic_short": local.basic(),
        "tz": setting.abbreviation,
        "tz_dst": zone.in_summer(utc.epoch).abbreviation,
        "tz_offset": setting.hours_and_minutes(),
    })
}

/// What the kernel was started with. A parameter that comes again replaces the earlier one, or with `lists` makes a list
/// of its values. An image was never started.
fn command_line(source: &dyn FactSource, lists: bool) -> Option<Map<String, Value>> {
    let text = source.live().then(|| kernel(source, "/proc/cmdline")).flatten()?;
    let mut parameters = Map::new();
    for word in words(text.trim()) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Value::from(value)),
            None => (word, true.into()),
        };
        match parameters.get_mut(name) {
            Some(Value::Array(values)) if lists && value != true => values.push(value),
            Some(earlier) if lists && value != true => *earlier = json!([earlier.take(), value]),
            _ => {
                parameters.insert(name.to_owned(), value);
            }
        }
    }
    Some(parameters)
}

/// The words of a line; between quotes, which stay, a space does not end a word.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote) = (Vec::new(), None, None);
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter.is_whitespace() => words.extend(start.take().map(|start| &line[start..at])),
            None => {
                start.get_or_insert(at);
                quote = Some(letter).filter(|letter| ['"', '\''].contains(letter));
            }
        }
    }
    words.extend(start.map(|start| &line[start..]));
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::fake::Fake;
    use super::super::get;
    use super::*;

    #[test]
    fn parameters_of_the_kernel_come_once_or_as_lists() {
        let text =
            "root=/dev/sda2 quiet console=tty0 console=ttyS0 console=ttyS1 dyndbg=\"file a.c +p\" quiet=x\n";
        let facts = Facts::new(Fake::default().file("/proc/cmdline", text));
        let quoted = "\"file a.c +p\"";
        assert_eq!(
            get(&facts, "ansible_cmdline"),
            Some(json!({ "root": "/dev/sda2", "quiet": "x", "console": "ttyS1", "dyndbg": quoted }))
        );
        assert_eq!(
            get(&facts, "ansible_proc_cmdline"),
            Some(json!({
                "root": "/dev/sda2", "quiet": [true, "x"], "console": ["tty0", "ttyS0", "ttyS1"], "dyndbg": quoted,
            }))
        );
        let image = Fake::default().kind(RootKind::Offline).file("/proc/cmdline", text);
        assert_eq!(get(&Facts::new(image), "ansible_cmdline"), None);
    }

    #[test]
    fn selinux_is_what_the_kernel_enforces() {
        let host = Fake::default().file("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n");
        assert_eq!(get(&Facts::new(host), "ansible_selinux"), Some(json!({ "status": "disabled" })));
        let host = Fake::default()
            .file("/etc/selinux/config", "# SELINUX= can be\nSELINUX=enforcing\n")
            .file("/sys/fs/selinux/enforce", "0")
            .file("/sys/fs/selinux/policyvers", "33");
        assert_eq!(
            get(&Facts::new(host), "ansible_selinux"),
            Some(json!({
                "status": "enabled", "policyvers": 33, "config_mode": "enforcing", "mode": "permissive",
                "type": "unknown",
            }))
        );
    }

    #[test]
    fn initiators_are_read_past_comments() {
        let host = Fake::default().file(
            "/etc/iscsi/initiatorname.iscsi",
            "## DO NOT EDIT\n\nInitiatorName=iqn.1993-08.org.debian:01:44\n",
        );
        let facts = Facts::new(host);
        assert_eq!(get(&facts, "ansible_iscsi_iqn"), Some("iqn.1993-08.org.debian:01:44".into()));
        assert_eq!(get(&facts, "ansible_hostnqn"), Some("".into()));
    }

    proptest! {
        #[test]
        fn words_are_the_line_without_its_gaps(line in r#"[a-c=" ']{0,30}"#) {
            let joined: String = words(&line).concat();
            prop_assert_eq!(joined.replace(' ', ""), line.replace(' ', ""));
        }
    }
}
