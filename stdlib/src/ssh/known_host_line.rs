//! A line of `known_hosts`, as sshd(8) describes it.

use refrain_engine::base64;
use refrain_engine::hmac_sha1::hmac_sha1;

use super::public_key::PublicKey;

/// A line that says something about a key.
#[derive(Clone, Debug)]
pub struct KnownHostLine<'l> {
    /// `@cert-authority` or `@revoked`. Absent when the hosts have the key.
    pub marker: Option<&'l str>,
    /// The hosts: names and patterns with commas between them, or one name as a hash.
    pub hosts: &'l str,
    /// The key.
    pub key: PublicKey,
    /// What follows the key.
    pub comment: &'l str,
}

/// How a line names a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Not at all, or only by a pattern.
    Not,
    /// It is the only one.
    Alone,
    /// Together with others.
    Among,
}

impl<'l> KnownHostLine<'l> {
    /// Reads a line. Absent if it says nothing.
    pub fn parse(line: &'l str) -> Option<Self> {
        let (first, rest) = word(line.trim());
        let (marker, hosts, rest) = match first {
            "@cert-authority" | "@revoked" => {
                let (hosts, rest) = word(rest);
                (Some(first), hosts, rest)
            }
            other if other.starts_with(['@', '#']) => return None,
            hosts => (None, hosts, rest),
        };
        let (kind, rest) = word(rest);
        let (blob, comment) = word(rest);
        let key = PublicKey::parse(kind, blob).ok()?;
        Some(Self { marker, hosts, key, comment })
    }

    /// How it names a host, given as ssh writes it: `[name]:port` where the port is not 22.
    pub fn names(&self, host: &str) -> Naming {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return if is_hash_of(hashed, host) { Naming::Alone } else { Naming::Not };
        }
        let mut names = self.hosts.split(',');
        match names.clone().count() {
            _ if !names.any(|name| name.eq_ignore_ascii_case(host)) => Naming::Not,
            1 => Naming::Alone,
            _ => Naming::Among,
        }
    }

    /// The line with these hosts and this key.
    pub fn with(&self, hosts: &str, key: &PublicKey, comment: &str) -> String {
        write(self.marker, hosts, key, comment)
    }

    /// The hosts without one of them.
    pub fn hosts_without(&self, host: &str) -> String {
        let others = self.hosts.split(',').filter(|name| !name.eq_ignore_ascii_case(host));
        others.collect::<Vec<_>>().join(",")
    }
}

/// A line, without its newline.
pub fn write(marker: Option<&str>, hosts: &str, key: &PublicKey, comment: &str) -> String {
    let key = key.to_string();
    let words = [marker.unwrap_or_default(), hosts, &key, comment];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The first word, and what follows it.
pub fn word(text: &str) -> (&str, &str) {
    match text.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

/// Whether salt and hash, with a `|` between them, are those of a host.
fn is_hash_of(hashed: &str, host: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else { return false };
    let (Some(salt), Some(hash)) = (base64::decode(salt), base64::decode(hash)) else { return false };
    hmac_sha1(&salt, host.as_bytes()) == hash[..]
}

#[cfg(test)]
mod tests {
    use super::super::public_key::testing::key;
    use super::*;

    #[test]
    fn hosts_are_named_alone_or_among_others() {
        // What `ssh-keygen -H` made of `[web1]:2201`.
        let hashed = "|1|sB3I21iJpOI8Z6uryqxGqnOfQsA=|71LnrUE2py/9OtNk+xPWkLppDYI=";
        for (hosts, host, naming) in [
            ("web1", "web1", Naming::Alone),
            ("Web1", "web1", Naming::Alone),
            ("web1,192.0.2.1", "192.0.2.1", Naming::Among),
            ("web*", "web1", Naming::Not),
            ("web*", "web*", Naming::Alone),
            ("[web1]:2201", "web1", Naming::Not),
            ("[web1]:2201", "[web1]:2201", Naming::Alone),
            (hashed, "[web1]:2201", Naming::Alone),
            (hashed, "web1", Naming::Not),
            ("|1|broken", "web1", Naming::Not),
        ] {
            let line = format!("{hosts} {}", key("ssh-rsa", "k"));
            assert_eq!(KnownHostLine::parse(&line).unwrap().names(host), naming, "{hosts} {host}");
        }
    }

    #[test]
    fn lines_are_read_and_written() {
        let key = key("ssh-rsa", "k");
        for line in [
            format!("web1 {key}"),
            format!("@revoked * {key} gone since 2025"),
            format!("@cert-authority *.example.net,!b.example.net {key} ca"),
        ] {
            let parsed = KnownHostLine::parse(&line).unwrap();
            assert_eq!(parsed.with(parsed.hosts, &parsed.key, parsed.comment), line);
        }
        for line in ["", "# web1", "web1", &format!("@odd web1 {key}"), &key] {
            assert!(KnownHostLine::parse(line).is_none(), "{line}");
        }
    }
}
