//! IPv4 or IPv6: each has a program of its own.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

/// The version of IP that rules are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// `iptables-restore`.
    Ipv4,
    /// `ip6tables-restore`.
    Ipv6,
}

impl Family {
    /// What the place of a file tells: `/etc/ip6tables.d/10-base`, `/etc/iptables/ip6tables.rules`, `rules.v6`.
    pub fn of(path: &Path) -> Self {
        let path = path.to_string_lossy();
        if path.contains("ip6tables") || path.ends_with(".v6") { Self::Ipv6 } else { Self::Ipv4 }
    }

    /// The program that loads rules.
    pub fn program(self) -> &'static str {
        match self {
            Self::Ipv4 => "iptables-restore",
            Self::Ipv6 => "ip6tables-restore",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_tells() {
        let of = |path: &str| Family::of(Path::new(path));
        assert_eq!(of("/etc/iptables.d/10-base"), Family::Ipv4);
        assert_eq!(of("/etc/ip6tables.d/10-base"), Family::Ipv6);
        assert_eq!(of("/etc/iptables/ip6tables.rules"), Family::Ipv6);
        assert_eq!(
            (of("/etc/iptables/rules.v4"), of("/etc/iptables/rules.v6")),
            (Family::Ipv4, Family::Ipv6)
        );
    }
}
