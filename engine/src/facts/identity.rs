//! What the host is called, and who the agent is on it.

use serde_json::{Map, Value, json};

use super::source::{FactSource, shares_namespace};
use super::text::{file, kernel_word};
use crate::accounts::parse_users;
use crate::system::RootKind;

/// The host's name as it was set, perhaps with its domain.
///
/// The running kernel knows it, unless this process is in a container that has a name of its own: then what the host's
/// first process sees counts. Where that can't be told, the root's `/etc/hostname` comes first; in an offline root it is
/// all there is.
pub(super) fn nodename(source: &dyn FactSource) -> Option<String> {
    let running =
        || source.uname().map(|uname| uname.nodename).filter(|name| !name.is_empty() && name != "(none)");
    match (source.kind(), shares_namespace(source, "uts")) {
        (RootKind::Offline, _) => configured_hostname(source),
        (_, Some(true)) => running().or_else(|| configured_hostname(source)),
        (_, Some(false)) => source.entered_nodename().or_else(|| configured_hostname(source)),
        (_, None) => configured_hostname(source).or_else(running),
    }
}

/// The first line of `/etc/hostname` that is no comment.
pub(super) fn configured_hostname(source: &dyn FactSource) -> Option<String> {
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
    Some(hosts.lines().find_map(|line| full_name(line, &name)).unwrap_or(name))
}

/// The name with a domain that a line of `/etc/hosts` has for the host `name`.
fn full_name(line: &str, name: &str) -> Option<String> {
    let line = line.split('#').next().unwrap_or_default();
    let names: Vec<&str> = line.split_whitespace().skip(1).collect();
    if !names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
        return None;
    }
    let prefix = format!("{}.", name.to_lowercase());
    let own = names.iter().find(|other| other.to_lowercase().starts_with(&prefix));
    own.or_else(|| names.first().filter(|first| first.contains('.'))).map(|full| (*full).to_owned())
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
    text.lines().next().map(str::trim).filter(|id| !id.is_empty() && *id != "uninitialized").map(Value::from)
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

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;

    fn through_container(own: &str, first: &str) -> Fake {
        Fake::default()
            .kind(RootKind::LiveThroughContainer)
            .nodename("running")
            .link("/proc/self/ns/uts", own)
            .link("/proc/1/ns/uts", first)
    }

    #[test]
    fn the_hosts_name_is_never_the_containers() {
        let named = |host: Fake| host.file("/etc/hostname", "# set by hand\n\nconfigured\n");
        let name = |host: &Fake| nodename(host).unwrap_or_default();
        assert_eq!(name(&named(Fake::default().nodename("running"))), "running");
        assert_eq!(name(&named(Fake::default().nodename("(none)"))), "configured");
        assert_eq!(name(&named(through_container("uts:[1]", "uts:[1]"))), "running");
        assert_eq!(name(&named(through_container("uts:[1]", "uts:[2]"))), "configured");
        assert_eq!(name(&through_container("uts:[1]", "uts:[2]")), "");
        assert_eq!(name(&named(through_container("uts:[1]", "uts:[2]").entered_nodename("outer"))), "outer");
        let unknown = || through_container("uts:[1]", "uts:[1]").without_first_process();
        assert_eq!(name(&named(unknown())), "configured");
        assert_eq!(name(&unknown()), "running");
        let image = || Fake::default().nodename("running").kind(RootKind::Offline);
        assert_eq!(name(&named(image())), "configured");
        assert_eq!(name(&image()), "");
    }

    #[test]
    fn full_names_come_from_the_hosts_file() {
        let cases = [
            ("127.0.1.1 web.example.net web", "web.example.net"),
            ("127.0.1.1 web WEB.example.net # note", "WEB.example.net"),
            ("192.0.2.1 other.example.net web", "other.example.net"),
            ("127.0.0.1 localhost web", "web"),
            ("192.0.2.1 other.example.net # web", "web"),
            ("", "web"),
        ];
        for (hosts, expected) in cases {
            let host =
                Fake::default().nodename("web").file("/etc/hosts", format!("::1 localhost\n{hosts}\n"));
            assert_eq!(fqdn(&host).unwrap(), expected, "{hosts}");
        }
        let full = Fake::default().nodename("web.example.org").file("/etc/hosts", "::1 web.example.net web");
        assert_eq!(fqdn(&full).unwrap(), "web.example.org");
        assert_eq!((hostname(&full).unwrap(), domain(&full).unwrap()), ("web".into(), "example.org".into()));
    }

    #[test]
    fn an_image_without_an_identity_has_none() {
        let id = |text: &str| machine_id(&Fake::default().file("/etc/machine-id", text));
        assert_eq!(id("3d1219c7c4c5404aaa1f6d2a48adfda4\n"), Some("3d1219c7c4c5404aaa1f6d2a48adfda4".into()));
        assert_eq!((id(""), id("uninitialized\n"), machine_id(&Fake::default())), (None, None, None));
    }

    #[test]
    fn keys_of_the_ssh_server_have_a_type() {
        let host = Fake::default()
            .file("/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA root@web\n")
            .file("/etc/ssh/ssh_host_rsa_key.pub", "broken\n")
            .file("/etc/ssh/ssh_host_rsa_key", "secret");
        let expected = json!({ "ed25519": { "type": "ssh-ed25519", "key": "AAAA" } });
        assert_eq!(ssh_host_keys(&host), Some(expected));
        assert_eq!(ssh_host_keys(&Fake::default()), None);
    }

    #[test]
    fn the_user_is_described_by_the_roots_accounts() {
        let host = Fake::default().file("/etc/passwd", "root:x:0:0:Charlie:/root:/bin/sh\n");
        assert_eq!(
            user(&host),
            json!({
                "uid": 0, "gid": 0, "effective_uid": 0, "effective_gid": 0,
                "name": "root", "home": "/root", "shell": "/bin/sh", "comment": "Charlie",
            })
        );
        assert_eq!(user(&Fake::default()).get("name"), None);
    }
}
