//! `ssh::known_host`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key_list::{KeyList, append, lines, start};
use super::known_host_line::{KnownHostLine, Naming, word, write};
use super::public_key::{KeyError, PublicKey};
use super::user_file::Rules;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;

/// Where ssh looks for keys that all users know.
const FOR_ALL: &str = "/etc/ssh/ssh_known_hosts";
/// The port that a name without one stands for.
const DEFAULT_PORT: u16 = 22;

/// Keeps the keys by which a host is known, or keeps them out.
///
/// A host has one key of each type: another one of the same type is replaced where it stands. Lines that name the host as a
/// hash are understood and stay hashed. Where a line names several hosts, only this one is taken out of it; patterns that
/// cover the host are left alone. All other lines stay byte for byte as they are.
///
/// ```rhai
/// ssh::known_host("git.example.net", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl");
/// ssh::known_host("backup.example.net", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwEAAQ==", #{ port: 2222, user: "ada" });
/// ssh::known_host("old.example.net", #{ absent: true });
/// ```
///
/// Nothing is asked of the network: a key that is fetched from the host itself proves nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownHost {
    /// The host's name or address, or a pattern that stands in a file just so.
    host: String,
    /// The keys, each as in a `.pub` file (`ssh-ed25519 AAAA…`) or as `ssh-keyscan` prints it, with the host in front. A text
    /// may hold several lines. Needed unless `absent`; then only these go, or all when it is missing.
    #[serde(default)]
    keys: Option<OneOrMany<String>>,
    /// The port, if it is not 22.
    #[serde(default)]
    port: Option<u16>,
    /// What the keys are: `"authority"` for those that sign keys of the host, `"revoked"` for those that it must not have. Of
    /// the latter there may be several of one type. When absent, the host has the keys.
    #[serde(default)]
    marker: Option<Marker>,
    /// Whose `~/.ssh/known_hosts` it is. When this and `path` are absent, `/etc/ssh/ssh_known_hosts`, which holds for all.
    #[serde(default)]
    user: Option<String>,
    /// Another file. Its directory has to exist.
    #[serde(default)]
    path: Option<HostPath>,
    /// Whether the keys go. Default false.
    #[serde(default)]
    absent: bool,
}

/// What a key is to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Marker {
    /// It signs the host's keys.
    Authority,
    /// The host must not have it.
    Revoked,
}

impl Marker {
    /// As it is written in the file.
    fn word(self) -> &'static str {
        match self {
            Self::Authority => "@cert-authority",
            Self::Revoked => "@revoked",
        }
    }
}

/// A key that was given, with its comment.
type Wanted = (PublicKey, String);

impl State for KnownHost {
    const NAME: &'static str = "ssh::known_host";
    const POSITIONAL: &'static [&'static str] = &["host", "keys"];
    type Found = KeyList;

    fn subject(&self) -> String {
        self.name()
    }

    fn look(&self, context: &Context<'_>) -> Result<KeyList, Failure> {
        self.check()?;
        match (&self.user, &self.path) {
            (Some(_), Some(_)) => Err(Failure::argument("path", "`user` and `path` can't both be given")),
            (Some(user), None) => {
                let rules = Rules { mode: 0o600, always: false, manage_directory: true };
                KeyList::in_home(context.host, user, "known_hosts", rules, self.absent)
            }
            (None, Some(path)) => KeyList::elsewhere(context.host, path, self.absent),
            (None, None) => {
                let path = HostPath::new(FOR_ALL).map_err(Failure::state)?;
                KeyList::elsewhere(context.host, &path, self.absent)
            }
        }
    }

    fn plan(&self, found: &KeyList) -> Result<Plan, Failure> {
        let wanted = self.wanted()?;
        Ok(found.plan(self.absent, |text| {
            if self.absent { self.removed(text, &wanted) } else { self.present(text, &wanted) }
        }))
    }

    fn fields(&self, found: &KeyList) -> Map<String, Value> {
        found.fields()
    }
}

impl KnownHost {
    /// The host as ssh writes it.
    fn name(&self) -> String {
        let host = self.host.to_lowercase();
        match self.port {
            Some(port) if port != DEFAULT_PORT => format!("[{host}]:{port}"),
            _ => host,
        }
    }

    fn check(&self) -> Result<(), Failure> {
        let host = &self.host;
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || ",|!".contains(letter);
        if host.is_empty() || host.contains(odd) || host.starts_with(['#', '@']) {
            return Err(Failure::argument("host", format!("`{host}` is no name of a host"))
                .advise("for several hosts, call it once for each"));
        }
        if self.port.is_some() && host.starts_with('[') {
            return Err(Failure::argument("port", format!("`{host}` has a port already")));
        }
        if !self.absent && self.wanted()?.is_empty() {
            return Err(Failure::argument("keys", "there is no key by which the host shall be known")
                .advise("`absent: true` removes the host's keys"));
        }
        self.wanted().map(drop)
    }

    fn wanted(&self) -> Result<Vec<Wanted>, Failure> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for line in self.keys.iter().flat_map(|keys| lines(&keys.0)) {
            let (key, comment) = self.given(line)?;
            if wanted.iter().any(|(known, _)| *known == key) {
                continue;
            }
            let same_type = |(known, _): &Wanted| known.kind == key.kind;
            if !self.absent && self.marker != Some(Marker::Revoked) && wanted.iter().any(same_type) {
                let message =
                    format!("a host has only one key of each type, but two of `{}` are given", key.kind);
                return Err(Failure::argument("keys", message));
            }
            wanted.push((key, comment));
        }
        Ok(wanted)
    }

    /// A line that was given as an argument.
    fn given(&self, line: &str) -> Result<Wanted, Failure> {
        let refuse = |error: KeyError| Failure::argument("keys", format!("`{}` {error}", start(line)));
        let (kind, rest) = word(line);
        let (blob, comment) = word(rest);
        let (key, comment) = match (PublicKey::parse(kind, blob), KnownHostLine::parse(line)) {
            (Err(KeyError::NoKey), Some(line)) => {
                if line.names(&self.name()) == Naming::Not {
                    let message = format!("a key of `{}` is no key of `{}`", line.hosts, self.name());
                    return Err(Failure::argument("keys", message));
                }
                if line.marker != self.marker.map(Marker::word) {
                    return Err(Failure::argument("keys", "the marker in front of a key is another one")
                        .advise("give it as `marker`"));
                }
                (line.key, line.comment)
            }
            (key, _) => (key.map_err(refuse)?, comment),
        };
        Ok((key.whole().map_err(refuse)?, comment.trim().to_owned()))
    }

    /// How a line names the host, if it is one with the marker that this is about.
    fn concerned<'l>(&self, line: &'l str, name: &str) -> Option<(KnownHostLine<'l>, Naming)> {
        let line = KnownHostLine::parse(line)?;
        let naming = line.names(name);
        (naming != Naming::Not && line.marker == self.marker.map(Marker::word)).then_some((line, naming))
    }

    fn present(&self, text: &str, wanted: &[Wanted]) -> String {
        let name = self.name();
        let marker = self.marker.map(Marker::word);
        let mut made: Vec<bool> = {
            let there = |key: &PublicKey| {
                text.lines().filter_map(|line| self.concerned(line, &name)).any(|(line, _)| line.key == *key)
            };
            wanted.iter().map(|(key, _)| there(key)).collect()
        };
        let mut after = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let Some((index, found, naming)) = self.replaced(line, &name, wanted) else {
                after.push_str(line);
                continue;
            };
            let (key, comment) = &wanted[index];
            let first = !std::mem::replace(&mut made[index], true);
            match naming {
                Naming::Among => {
                    append(&mut after, &found.with(&found.hosts_without(&name), &found.key, found.comment));
                    if first {
                        append(&mut after, &write(marker, &name, key, comment));
                    }
                }
                _ if first => append(&mut after, &found.with(found.hosts, key, comment)),
                _ => {}
            }
        }
        for ((key, comment), _) in wanted.iter().zip(&made).filter(|(_, made)| !**made) {
            append(&mut after, &write(marker, &name, key, comment));
        }
        after
    }

    /// Which of the wanted keys takes the place of the one in a line.
    fn replaced<'l>(
        &self,
        line: &'l str,
        name: &str,
        wanted: &[Wanted],
    ) -> Option<(usize, KnownHostLine<'l>, Naming)> {
        if self.marker == Some(Marker::Revoked) {
            return None;
        }
        let (line, naming) = self.concerned(line, name)?;
        let index = wanted.iter().position(|(key, _)| key.kind == line.key.kind && *key != line.key)?;
        Some((index, line, naming))
    }

    fn removed(&self, text: &str, wanted: &[Wanted]) -> String {
        let name = self.name();
        let mut after = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            match self.concerned(line, &name) {
                Some((found, naming))
                    if wanted.is_empty() || wanted.iter().any(|(key, _)| *key == found.key) =>
                {
                    if naming == Naming::Among {
                        append(
                            &mut after,
                            &found.with(&found.hosts_without(&name), &found.key, found.comment),
                        );
                    }
                }
                _ => after.push_str(line),
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::public_key::testing::key;
    use super::*;

    const ED: &str = "ssh-ed25519";
    /// What `ssh-keygen -H` made of `[web1]:2201`.
    const HASHED: &str = "|1|sB3I21iJpOI8Z6uryqxGqnOfQsA=|71LnrUE2py/9OtNk+xPWkLppDYI=";

    fn call(options: &Value) -> KnownHost {
        let mut arguments = json!({ "host": "web1" });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        serde_json::from_value(arguments).unwrap()
    }

    fn edited(options: &Value, text: &str) -> String {
        let call = call(options);
        call.check().unwrap();
        let wanted = call.wanted().unwrap();
        if call.absent { call.removed(text, &wanted) } else { call.present(text, &wanted) }
    }

    #[test]
    fn a_host_has_one_key_of_each_type() {
        let (new, old, rsa) = (key(ED, "new"), key(ED, "old"), key("ssh-rsa", "r"));
        let cases = [
            (json!({ "keys": new }), String::new(), format!("web1 {new}\n")),
            (
                json!({ "keys": new }),
                format!("# top\nother {old}"),
                format!("# top\nother {old}\nweb1 {new}\n"),
            ),
            (json!({ "keys": new }), format!("WEB1,a {new} c\n"), format!("WEB1,a {new} c\n")),
            (
                json!({ "keys": new }),
                format!("web1 {rsa}\nweb1 {old} c\n# end"),
                format!("web1 {rsa}\nweb1 {new}\n# end"),
            ),
            (
                json!({ "keys": new }),
                format!("web1 {old}\nx {old}\nweb1 {new}\n"),
                format!("x {old}\nweb1 {new}\n"),
            ),
            (json!({ "keys": new }), format!("a,web1,b {old} c\n"), format!("a,b {old} c\nweb1 {new}\n")),
            (
                json!({ "keys": new }),
                format!("web* {old}\n@revoked web1 {old}\n"),
                format!("web* {old}\n@revoked web1 {old}\nweb1 {new}\n"),
            ),
            (json!({ "keys": new, "port": 2201 }), format!("{HASHED} {old}\n"), format!("{HASHED} {new}\n")),
            (
                json!({ "keys": new, "port": 2201 }),
                format!("web1 {old}\n"),
                format!("web1 {old}\n[web1]:2201 {new}\n"),
            ),
            (
                json!({ "keys": format!("web1 {new} c\nweb1 {rsa}") }),
                String::new(),
                format!("web1 {new} c\nweb1 {rsa}\n"),
            ),
            (
                json!({ "keys": new, "marker": "revoked" }),
                format!("@revoked web1 {old}\n"),
                format!("@revoked web1 {old}\n@revoked web1 {new}\n"),
            ),
            (
                json!({ "keys": new, "marker": "authority" }),
                format!("web1 {new}\n"),
                format!("web1 {new}\n@cert-authority web1 {new}\n"),
            ),
            (
                json!({ "absent": true }),
                format!("a,web1 {old}\nweb1 {rsa}\nweb2 {rsa}\n"),
                format!("a {old}\nweb2 {rsa}\n"),
            ),
            (
                json!({ "absent": true, "keys": rsa }),
                format!("web1 {old}\nweb1 {rsa}"),
                format!("web1 {old}\n"),
            ),
            (
                json!({ "absent": true, "port": 2201 }),
                format!("{HASHED} {old}\nweb1 {old}\n"),
                format!("web1 {old}\n"),
            ),
        ];
        for (options, before, after) in cases {
            assert_eq!(edited(&options, &before), after, "{options} on {before}");
            assert_eq!(edited(&options, &after), after, "again: {options}");
        }
    }

    #[test]
    fn keys_of_other_hosts_are_refused() {
        let (new, old) = (key(ED, "new"), key(ED, "old"));
        let cases = [
            (json!({}), "there is no key by which the host shall be known"),
            (json!({ "keys": "hello" }), "`hello` is no public key"),
            (json!({ "keys": format!("web2 {new}") }), "a key of `web2` is no key of `web1`"),
            (
                json!({ "keys": format!("@revoked web1 {new}") }),
                "the marker in front of a key is another one",
            ),
            (
                json!({ "keys": [new, old] }),
                "a host has only one key of each type, but two of `ssh-ed25519` are given",
            ),
            (json!({ "keys": new, "host": "a,b" }), "`a,b` is no name of a host"),
            (json!({ "keys": new, "host": "[a]:1", "port": 2 }), "`[a]:1` has a port already"),
        ];
        for (options, message) in cases {
            assert_eq!(call(&options).check().unwrap_err().to_string(), message, "{options}");
        }
    }
}
