//! Names of the kernel's values: `net.ipv4.ip_forward`.

use std::fmt;
use std::path::{Path, PathBuf};

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::argument_schema::argument_schema;

/// Where the kernel shows them.
const TREE: &str = "/proc/sys";

/// A name, as the path below `/proc/sys` that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key that a text names. Which of `.` and `/` comes first separates its parts; the other one then stands for a `.` in a
    /// part, as in sysctl(8): `net.ipv4.conf.eth0/100.forwarding`.
    pub fn parse(text: &str) -> Option<Self> {
        let path = match text.find(['.', '/']).map(|at| text.as_bytes()[at]) {
            Some(b'.') => text
                .chars()
                .map(|c| {
                    if c == '.' {
                        '/'
                    } else if c == '/' {
                        '.'
                    } else {
                        c
                    }
                })
                .collect(),
            _ => text.to_owned(),
        };
        let fits = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "=#;*".contains(c))
        };
        (path.contains('/') && path.split('/').all(fits) && !path.starts_with('-')).then_some(Self(path))
    }

    /// The file in which the kernel keeps the value.
    pub fn path(&self) -> PathBuf {
        Path::new(TREE).join(&self.0)
    }

    /// That the running kernel has no such value, with what is near to it.
    pub fn unknown(&self, argument: &str, host: &dyn View) -> Failure {
        let failure = Failure::argument(argument, format!("the running kernel has no value `{self}`"));
        match self.near(host) {
            Some(near) => failure.advise(format!("did you mean `{near}`?")),
            None => failure.advise("a module of the kernel may bring it: modprobe::load"),
        }
    }

    /// The name with the first part that is not there replaced by one that is.
    fn near(&self, host: &dyn View) -> Option<Self> {
        let mut above = PathBuf::from(TREE);
        let parts: Vec<&str> = self.0.split('/').collect();
        for (index, part) in parts.iter().enumerate() {
            let names = host.list(&above).ok()?;
            if !names.iter().any(|name| name == part) {
                let near = near_match(part, names.iter().filter_map(|name| name.to_str()))?;
                let parts = [&parts[..index], &[near], &parts[index + 1..]].concat();
                return Some(Self(parts.join("/")));
            }
            above.push(part);
        }
        None
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            fmt::Write::write_char(
                f,
                match c {
                    '/' => '.',
                    '.' => '/',
                    c => c,
                },
            )
        })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no name of a kernel's value; they are like `vm.swappiness`"
            ))
        })
    }
}

argument_schema!(Key, { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_path() {
        let case = |text: &str, path: &str, shown: &str| {
            let key = Key::parse(text).unwrap();
            assert_eq!(key.path(), Path::new("/proc/sys").join(path));
            assert_eq!(key.to_string(), shown);
            assert_eq!(Key::parse(shown), Some(key));
        };
        case("vm.swappiness", "vm/swappiness", "vm.swappiness");
        case("net/ipv4/ip_forward", "net/ipv4/ip_forward", "net.ipv4.ip_forward");
        case(
            "net.ipv4.conf.eth0/100.forwarding",
            "net/ipv4/conf/eth0.100/forwarding",
            "net.ipv4.conf.eth0/100.forwarding",
        );
        case(
            "net/ipv4/conf/eth0.100/forwarding",
            "net/ipv4/conf/eth0.100/forwarding",
            "net.ipv4.conf.eth0/100.forwarding",
        );
        for text in
            ["", "vm", "vm.", ".vm", "vm./..x", "../etc/passwd", "vm/../x", "a b.c", "-vm.x", "net.*.x"]
        {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
