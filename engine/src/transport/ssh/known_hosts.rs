//! The keys by which hosts are known: `known_hosts` files, as sshd(8) describes them.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::pattern;
use crate::base64;
use crate::hmac_sha1::hmac_sha1;

/// The port that host names without one in `known_hosts` stand for.
pub(super) const DEFAULT_PORT: u16 = 22;

/// All lines of the `known_hosts` files.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    marker: Marker,
    hosts: Hosts,
    /// The type of the key, as `ssh-ed25519`.
    key_type: String,
    key: Vec<u8>,
    /// `file:line`.
    place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    /// The host has this key.
    None,
    /// The host's key is signed by this one.
    Authority,
    /// Nobody may have this key any more.
    Revoked,
}

#[derive(Debug)]
enum Hosts {
    /// One name, kept as a hash of it.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    /// Patterns with `*` and `?`; a `!` in front takes out what would match.
    Patterns(Vec<String>),
}

/// What the files say about the key that a host has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the host's.
    Known,
    /// No key of the host is known. Its authority may be, at `file:line`.
    Unknown {
        /// Where a `@cert-authority` line covers the host.
        authority: Option<String>,
    },
    /// Other keys of the host are known.
    Changed {
        /// Where the one of the same type stands, else the first: `file:line`.
        place: String,
        /// The type of the key that stands there.
        key_type: String,
    },
    /// It must not be used any more.
    Revoked {
        /// Where that stands: `file:line`.
        place: String,
    },
}

impl KnownHosts {
    /// Reads the files, in order. One that is missing says nothing.
    ///
    /// # Errors
    /// One is there and can't be read.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let mut known = Self::default();
        for path in paths {
            match fs::read(path) {
                Ok(text) => known.add(path, &String::from_utf8_lossy(&text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err((path.clone(), error)),
            }
        }
        Ok(known)
    }

    /// Adds the lines of one file. Lines without sense are passed over, as ssh does.
    fn add(&mut self, path: &Path, text: &str) {
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            self.entries.extend(entry(line, place));
        }
    }

    /// The types of the keys that are known of a host, in the order of the files.
    pub(super) fn key_types(&self, host: &str, port: u16) -> Vec<&str> {
        let names = Names::new(host, port);
        let mut types = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.marker == Marker::None) {
            let known = names.exact(&entry.hosts) || names.without_port(&entry.hosts);
            if known && !types.contains(&entry.key_type.as_str()) {
                types.push(&entry.key_type);
            }
        }
        types
    }

    /// What is known of `key`, which the host at `port` has shown.
    pub(super) fn check(&self, host: &str, port: u16, key: &[u8]) -> Verdict {
        let names = Names::new(host, port);
        // A key that is known for the name alone is good for all ports; another key there says nothing.
        let covers = |entry: &&Entry| {
            names.exact(&entry.hosts) || (entry.key == key && names.without_port(&entry.hosts))
        };
        let lines: Vec<&Entry> = self.entries.iter().filter(covers).collect();
        let marked = |marker| lines.iter().filter(move |entry| entry.marker == marker);
        if let Some(entry) = marked(Marker::Revoked).find(|entry| entry.key == key) {
            return Verdict::Revoked { place: entry.place.clone() };
        }
        if marked(Marker::None).any(|entry| entry.key == key) {
            return Verdict::Known;
        }
        let same_type = marked(Marker::None).find(|entry| entry.key_type == key_type(key));
        match same_type.or_else(|| marked(Marker::None).next()) {
            Some(entry) => Verdict::Changed { place: entry.place.clone(), key_type: entry.key_type.clone() },
            None => Verdict::Unknown {
                authority: marked(Marker::Authority).next().map(|entry| entry.place.clone()),
            },
        }
    }
}

/// Adds a host's key to a file, which may not exist yet.
///
/// # Errors
/// It can't be written.
pub(super) fn append(file: &Path, name: &str, key: &[u8], hashed: bool) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let name = if hashed { hash(name)? } else { name.to_owned() };
    let mut open = File::options().read(true).append(true).create(true).mode(0o600).open(file)?;
    let mut before = Vec::new();
    open.read_to_end(&mut before)?;
    let gap = if before.last().is_none_or(|last| *last == b'\n') { "" } else { "\n" };
    let line = format!("{gap}{name} {} {}\n", key_type(key), base64::encode(key));
    open.write_all(line.as_bytes())
}

/// A name that nobody can read in the file.
fn hash(name: &str) -> io::Result<String> {
    let mut salt = [0; 20];
    File::open("/dev/urandom")?.read_exact(&mut salt)?;
    let hash = hmac_sha1(&salt, name.to_lowercase().as_bytes());
    Ok(format!("|1|{}|{}", base64::encode(&salt), base64::encode(&hash)))
}

/// The type that a key in SSH's binary format begins with; empty if it makes no sense.
pub(super) fn key_type(key: &[u8]) -> &str {
    let Some((length, rest)) = key.split_first_chunk::<4>() else { return "" };
    let name = rest.get(..u32::from_be_bytes(*length) as usize).unwrap_or_default();
    std::str::from_utf8(name).unwrap_or_default()
}

fn entry(line: &str, place: String) -> Option<Entry> {
    let mut fields = line.split_ascii_whitespace().peekable();
    let marker = match *fields.peek()? {
        comment if comment.starts_with('#') => return None,
        "@revoked" => Marker::Revoked,
        "@cert-authority" => Marker::Authority,
        // A marker that is not known can't be obeyed; the line must not be taken for a plain one.
        marker if marker.starts_with('@') => return None,
        _ => Marker::None,
    };
    if marker != Marker::None {
        fields.next();
    }
    let hosts = hosts(fields.next()?)?;
    let key_type = fields.next()?.to_owned();
    let key = base64::decode(fields.next()?)?;
    (self::key_type(&key) == key_type).then_some(Entry { marker, hosts, key_type, key, place })
}

fn hosts(field: &str) -> Option<Hosts> {
    match field.strip_prefix("|1|") {
        Some(hashed) => {
            let (salt, hash) = hashed.split_once('|')?;
            Some(Hosts::Hashed { salt: base64::decode(salt)?, hash: base64::decode(hash)? })
        }
        None => Some(Hosts::Patterns(field.to_lowercase().split(',').map(ToOwned::to_owned).collect())),
    }
}

/// The names that a host may have in the files.
struct Names {
    /// With its port, unless that is the usual one.
    exact: String,
    /// Without its port, if `exact` has one.
    plain: Option<String>,
}

impl Names {
    fn new(host: &str, port: u16) -> Self {
        let host = host.to_lowercase();
        if port == DEFAULT_PORT {
            Self { exact: host, plain: None }
        } else {
            Self { exact: format!("[{host}]:{port}"), plain: Some(host) }
        }
    }

    fn exact(&self, hosts: &Hosts) -> bool {
        hosts.cover(&self.exact)
    }

    fn without_port(&self, hosts: &Hosts) -> bool {
        self.plain.as_deref().is_some_and(|plain| hosts.cover(plain))
    }
}

impl Hosts {
    fn cover(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => hmac_sha1(salt, name.as_bytes()) == hash[..],
            Self::Patterns(patterns) => pattern::covers(patterns.iter().map(String::as_str), name),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(kind: &str, secret: &str) -> Vec<u8> {
        let mut key = Vec::new();
        for part in [kind, secret] {
            key.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            key.extend(part.as_bytes());
        }
        key
    }

    fn line(hosts: &str, kind: &str, secret: &str) -> String {
        format!("{hosts} {kind} {} comment here\n", base64::encode(&key(kind, secret)))
    }

    fn known(text: &str) -> KnownHosts {
        let mut known = KnownHosts::default();
        known.add(Path::new("known_hosts"), text);
        known
    }

    const ED: &str = "ssh-ed25519";
    const RSA: &str = "ssh-rsa";

    #[test]
    fn hosts_are_found_by_every_spelling() {
        // What `ssh-keygen -H` made of `[web1]:2201`.
        let hashed = "|1|sB3I21iJpOI8Z6uryqxGqnOfQsA=|71LnrUE2py/9OtNk+xPWkLppDYI=";
        for (hosts, host, port, found) in [
            ("web1", "web1", 22, true),
            ("web1", "WEB1", 22, true),
            ("Web1", "web1", 22, true),
            ("web1", "web10", 22, false),
            ("a,web1,192.0.2.1", "192.0.2.1", 22, true),
            ("[web1]:2201", "web1", 2201, true),
            ("[web1]:2201", "web1", 22, false),
            ("[web1]:2201", "web1", 2202, false),
            ("web1", "web1", 2201, true),
            ("*.example.net", "a.example.net", 22, true),
            ("*.example.net,!b.example.net", "b.example.net", 22, false),
            ("!b.example.net,*.example.net", "b.example.net", 22, false),
            ("web?", "web1", 22, true),
            ("[*.example.net]:2201", "a.example.net", 2201, true),
            ("2001:db8::1", "2001:db8::1", 22, true),
            (hashed, "web1", 2201, true),
            (hashed, "web1", 22, false),
        ] {
            let known = known(&line(hosts, ED, "k"));
            let verdict = known.check(host, port, &key(ED, "k"));
            let expected = if found { Verdict::Known } else { Verdict::Unknown { authority: None } };
            assert_eq!(verdict, expected, "{hosts} for {host} {port}");
        }
    }

    #[test]
    fn other_keys_of_a_host_mean_that_it_has_changed() {
        let text = [line("web1", RSA, "old"), line("web1", ED, "old")].concat();
        let changed = |place: &str, key_type: &str| Verdict::Changed {
            place: place.to_owned(),
            key_type: key_type.to_owned(),
        };
        let known = known(&text);
        assert_eq!(known.check("web1", 22, &key(ED, "new")), changed("known_hosts:2", ED));
        assert_eq!(known.check("web1", 22, &key(RSA, "old")), Verdict::Known);
        assert_eq!(known.check("web1", 22, &key("ecdsa-sha2-nistp256", "x")), changed("known_hosts:1", RSA));
        // Another port may be another machine.
        assert_eq!(known.check("web1", 2201, &key(ED, "new")), Verdict::Unknown { authority: None });
        assert_eq!(known.key_types("web1", 22), [RSA, ED]);
        assert_eq!(known.key_types("web2", 22), [""; 0]);
    }

    #[test]
    fn markers_are_obeyed() {
        let revoked = known(&format!("{}@revoked {}", line("web1", ED, "k"), line("*", ED, "k")));
        assert_eq!(
            revoked.check("web1", 22, &key(ED, "k")),
            Verdict::Revoked { place: "known_hosts:2".to_owned() }
        );
        let authority = known(&format!("@cert-authority {}", line("*.example.net", ED, "ca")));
        assert_eq!(
            authority.check("a.example.net", 22, &key(ED, "k")),
            Verdict::Unknown { authority: Some("known_hosts:1".to_owned()) }
        );
        assert_eq!(authority.check("other", 22, &key(ED, "k")), Verdict::Unknown { authority: None });
        let strange = known(&format!("@marker {}", line("web1", ED, "k")));
        assert_eq!(strange.check("web1", 22, &key(ED, "k")), Verdict::Unknown { authority: None });
    }

    #[test]
    fn lines_without_sense_are_passed_over() {
        let text = "# web1\n\nweb1\nweb1 ssh-ed25519\nweb1 ssh-ed25519 A\nweb1 2048 65537 1234\n|1|x|y ssh-ed25519 AAAA\n";
        let mismatch = line("web1", ED, "k").replacen(ED, RSA, 1);
        let known = known(&format!("{text}{mismatch}{}", line("web1", ED, "k")));
        assert_eq!(known.entries.len(), 1);
        assert_eq!(known.entries[0].place, "known_hosts:9");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text: String) {
            known(&text);
        }
    }
}
