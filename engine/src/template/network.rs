//! Addresses and networks, as the Python library netaddr counts them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    pub version: u8,
    pub value: u128,
    pub prefix: u32,
}

impl Network {
    /// `10.0.0.1`, `10.0.0.1/8`, `10.0.0.1/255.0.0.0`, and the same of IPv6.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, mask) = text.split_once('/').map_or((text, None), |(a, mask)| (a, Some(mask)));
        let alone = Self::address(address)?;
        let Some(mask) = mask else { return Some(alone) };
        let prefix = match mask.parse::<u32>() {
            Ok(prefix) => prefix,
            Err(_) => alone.prefix_of(Self::address(mask).filter(|mask| mask.version == alone.version)?)?,
        };
        alone.with_prefix(prefix)
    }

    /// An address alone.
    pub fn address(text: &str) -> Option<Self> {
        match text.parse::<Ipv4Addr>() {
            Ok(address) => Some(Self { version: 4, value: u32::from(address).into(), prefix: 32 }),
            Err(_) => {
                let address = text.parse::<Ipv6Addr>().ok()?;
                Some(Self { version: 6, value: address.into(), prefix: 128 })
            }
        }
    }

    /// The address of a number.
    pub fn of_number(version: u8, value: u128) -> Option<Self> {
        let limit = if version == 4 { u128::from(u32::MAX) } else { u128::MAX };
        let prefix = if version == 4 { 32 } else { 128 };
        (value <= limit).then_some(Self { version, value, prefix })
    }

    /// The prefix that a netmask or its complement stands for.
    fn prefix_of(self, mask: Self) -> Option<u32> {
        let host = mask.value ^ self.all();
        if host & host.wrapping_add(1) == 0 {
            return Some(self.width() - host.count_ones());
        }
        (mask.value & mask.value.wrapping_add(1) == 0).then(|| self.width() - mask.value.count_ones())
    }

    pub fn with_prefix(self, prefix: u32) -> Option<Self> {
        (prefix <= self.width()).then_some(Self { prefix, ..self })
    }

    /// How many bits an address has.
    pub fn width(self) -> u32 {
        if self.version == 4 { 32 } else { 128 }
    }

    /// The number with all bits set.
    pub fn all(self) -> u128 {
        if self.version == 4 { u32::MAX.into() } else { u128::MAX }
    }

    pub fn hostmask(self) -> u128 {
        let bits = self.width() - self.prefix;
        if bits == 128 { u128::MAX } else { (1 << bits) - 1 }
    }

    pub fn netmask(self) -> u128 {
        self.all() ^ self.hostmask()
    }

    pub fn first(self) -> u128 {
        self.value & self.netmask()
    }

    pub fn last(self) -> u128 {
        self.value | self.hostmask()
    }

    /// The last address of a network that has one to spare.
    pub fn broadcast(self) -> Option<u128> {
        (self.version == 6 || self.width() - self.prefix > 1).then(|| self.last())
    }

    /// How many addresses there are; `None` for 2¹²⁸.
    pub fn size(self) -> Option<u128> {
        self.hostmask().checked_add(1)
    }

    /// Whether it is one address.
    pub fn is_single(self) -> bool {
        self.prefix == self.width()
    }

    /// The network itself.
    pub fn cidr(self) -> Self {
        Self { value: self.first(), ..self }
    }

    /// A number as an address of this version.
    pub fn spell(self, value: u128) -> String {
        match (self.version, u32::try_from(value)) {
            (4, Ok(value)) => Ipv4Addr::from(value).to_string(),
            _ => Ipv6Addr::from(value).to_string(),
        }
    }

    pub fn ip(self) -> String {
        self.spell(self.value)
    }

    /// Whether all of `other` is in this network.
    pub fn contains(self, other: Self) -> bool {
        self.version == other.version && self.first() <= other.first() && other.last() <= self.last()
    }

    pub fn is_in(self, networks: &[&str]) -> bool {
        networks.iter().filter_map(|network| Self::parse(network)).any(|network| network.contains(self))
    }

    pub fn is_multicast(self) -> bool {
        self.is_in(&["224.0.0.0/4", "ff00::/8"])
    }

    pub fn is_loopback(self) -> bool {
        self.is_in(&["127.0.0.0/8", "::1/128"])
    }

    /// What netaddr takes for private: also what providers, tests and administrative multicast use.
    pub fn is_private(self) -> bool {
        self.is_in(&[
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "192.0.0.0/24",
            "198.18.0.0/15",
            "239.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
            "fec0::/10",
            "fe80::/10",
        ])
    }

    /// The name of the address in the domain of reverse lookups.
    pub fn reverse_name(self) -> String {
        if self.version == 4 {
            let bytes = u32::try_from(self.value).unwrap_or_default().to_le_bytes();
            return format!("{}.in-addr.arpa.", bytes.map(|byte| byte.to_string()).join("."));
        }
        let digits: Vec<String> = format!("{:032x}", self.value).chars().rev().map(String::from).collect();
        format!("{}.ip6.arpa.", digits.join("."))
    }

    /// The first and the last address that a host can have; `None` for a single address.
    pub fn usable(self) -> Option<(u128, u128)> {
        match self.size() {
            Some(1) => None,
            Some(2) => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip(), self.prefix)
    }
}

/// The fewest networks that are exactly these.
pub(super) fn merge(networks: &[Network]) -> Vec<Network> {
    let mut ranges: Vec<(u8, u128, u128)> =
        networks.iter().map(|network| (network.version, network.first(), network.last())).collect();
    ranges.sort_unstable();
    let mut joined: Vec<(u8, u128, u128)> = Vec::new();
    for (version, first, last) in ranges {
        match joined.last_mut() {
            Some(before) if before.0 == version && first <= before.2.saturating_add(1) => {
                before.2 = before.2.max(last);
            }
            _ => joined.push((version, first, last)),
        }
    }
    joined.into_iter().flat_map(|(version, first, last)| cover(version, first, last)).collect()
}

/// The networks that a range of addresses is made of.
fn cover(version: u8, mut first: u128, last: u128) -> Vec<Network> {
    let mut networks = Vec::new();
    while let Some(address) = Network::of_number(version, first) {
        // The largest network that begins here and ends within.
        let mut network = address;
        while network.prefix > 0 {
            let larger = Network { prefix: network.prefix - 1, ..network };
            if larger.first() != first || larger.last() > last {
                break;
            }
            network = larger;
        }
        networks.push(network);
        match network.last().checked_add(1) {
            Some(next) if network.last() < last => first = next,
            _ => break,
        }
    }
    networks
}

/// The smallest network that all of these are in.
pub(super) fn span(networks: &[Network]) -> Option<Network> {
    let (first, rest) = networks.split_first()?;
    if rest.iter().any(|other| other.version != first.version) {
        return None;
    }
    let low = networks.iter().map(|network| network.first()).min()?;
    let high = networks.iter().map(|network| network.last()).max()?;
    let mut network = Network { value: low, prefix: first.width(), ..*first };
    while network.last() < high {
        network = Network { prefix: network.prefix - 1, ..network };
    }
    Some(network.cidr())
}
