//! What the host is called, and who the agent is on it.

use serde_json::{Map, Value, json};

use super::source::{FactSource, RootKind};
use super::text::{file, kernel_word};
use crate::accounts::parse_users;

/// The host's name as it was set, perhaps with its domain.
///
/// A live root's is the running kernel's. A container may have a name of its own, so that through one the root's
/// `/etc/hostname` comes first, and in an offline root it is all there is.
pub(super) fn nodename(source: &dyn FactSource) -> Option<String> {
    let running =
        || source.uname().map(|uname| uname.nodename).filter(|name| !name.is_empty() && name != "(none)");
    match source.kind() {
        RootKind::Live => running().or_else(|| configured(source)),
        RootKind::LiveThroughContainer => configured(source).or_else(running),
        RootKind::Offline => configured(source),
    }
}

/// The first line of `/etc/hostname` that is no comment.
fn configured(source: &dyn FactSource) -> Option<String> {
    let text = file(source, "/etc/hostname")?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().map(str::to_owned)
}

/// Gathers `facts.hostname`: the name up to its first dot.
pub(super) fn hostname(source: &dyn FactSource) -> Option<Value> {
    let name = nodename(source)?;
    name.split('.').next().filter(|short| !short.is_empty()).map(Value::from)
}

/// Gathers `facts.fqdn`: the host's name if it has a domain, else the name with a domain that `/etc/hosts` has on a
/// line with the host's name, else the name alone. No name server is asked.
pub(super) fn fqdn(source: &dyn FactSource) -> Option<String> {
    let name = nodename(source)?;
    if name.contains('.') {
        return Some(name);
    }
    let hosts = file(source, "/etc/hosts").unwrap_or_default();
    let full = hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let names: Vec<&str> = line.split_whitespace().skip(1).collect();
        let own = names.iter().any(|other| other.eq_ignore_ascii_case(&name));
        let prefix = format!("{}.", name.to_lowercase());
        let with_domain = names.iter().find(|other| other.to_lowercase().starts_with(&prefix));
        if own { with_domain.or_else(|| names.first().filter(|first| first.contains('.'))) } else { None }
            .map(|full| (*full).to_owned())
    });
    Some(full.unwrap_or(name))
}

/// Gathers `facts.domain`: what follows the first dot of the full name.
pub(super) fn domain(source: &dyn FactSource) -> Option<Value> {
    let full = fqdn(source)?;
    full.split_once('.').map(|(_, domain)| domain.into())
}

/// Gathers `facts.machine_id`.
pub(super) fn machine_id(source: &dyn FactSource) -> Option<Value> {
    let paths = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
    let text = paths.iter().find_map(|path| file(source, path))?;
    Some(text.trim()).filter(|id| !id.is_empty() && *id != "uninitialized").map(Value::from)
}

/// Gathers `facts.boot_id`, another one after each boot.
pub(super) fn boot_id(source: &dyn FactSource) -> Option<Value> {
    source.live().then(|| kernel_word(source, "/proc/sys/kernel/random/boot_id")).flatten().map(Value::from)
}

/// Gathers `facts.user`: the effective user, described by the target root's `/etc/passwd`.
pub(super) fn user(source: &dyn FactSource) -> Value {
    let identity = source.identity();
    let mut fact = json!({
        "uid": identity.uid,
        "gid": identity.gid,
        "effective_uid": identity.effective_uid,
        "effective_gid": identity.effective_gid,
    });
    let passwd = source.read("/etc/passwd").unwrap_or_default();
    let users = parse_users(&String::from_utf8_lossy(&passwd));
    if let Some(account) = users.iter().find(|user| user.uid == identity.effective_uid) {
        fact["name"] = account.name.as_str().into();
        fact["home"] = account.home.as_str().into();
        fact["shell"] = account.shell.as_str().into();
        fact["comment"] = account.comment.as_str().into();
    }
    fact
}

/// Gathers `facts.env`, the agent's environment.
pub(super) fn env(source: &dyn FactSource) -> Value {
    let variables = source.environment().into_iter().map(|(name, value)| (name, Value::from(value)));
    variables.collect::<Map<_, _>>().into()
}

/// Gathers `facts.ssh_host_keys`: the public keys that the host's ssh server shows, by type.
pub(super) fn ssh_host_keys(source: &dyn FactSource) -> Option<Value> {
    let names = source.list("/etc/ssh");
    let keys = names.iter().filter_map(|name| {
        let kind = name.strip_prefix("ssh_host_")?.strip_suffix("_key.pub")?;
        let text = file(source, &format!("/etc/ssh/{name}"))?;
        let mut words = text.split_whitespace();
        let (algorithm, key) = (words.next()?, words.next()?);
        Some((kind.to_owned(), json!({ "type": algorithm, "key": key })))
    });
    let fact: Map<String, Value> = keys.collect();
    (!fact.is_empty()).then(|| fact.into())
}
