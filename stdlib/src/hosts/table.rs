//! Lines of hosts(5): an address and its names.

use std::fmt;
use std::net::IpAddr;

use refrain_engine::failure::Failure;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::argument_schema::argument_schema;
use crate::file::lines::body;

/// An IPv4 or IPv6 address, as it was spelled. A link-local one can have its interface: `fe80::1%eth0`.
#[derive(Clone, Debug)]
pub struct Address {
    text: String,
    number: IpAddr,
}

impl Address {
    /// The address that this text is.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, zone) = text.split_once('%').unwrap_or((text, "-"));
        let number = number.parse().ok().filter(|_| !zone.is_empty() && !text.contains([' ', '\t', '#']))?;
        Some(Self { text: text.to_owned(), number })
    }

    /// Whether both are of the same version of IP.
    pub fn is_of_family(&self, other: &Self) -> bool {
        self.number.is_ipv4() == other.number.is_ipv4()
    }

    fn zone(&self) -> Option<&str> {
        self.text.split_once('%').map(|(_, zone)| zone)
    }
}

/// Spelling does not count: `::1` is `0:0:0:0:0:0:0:1`.
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        (self.number, self.zone()) == (other.number, other.zone())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no IP address")))
    }
}

argument_schema!(Address, { "type": "string" });

/// What a line says.
pub struct Line<'l> {
    /// The address.
    pub address: Address,
    /// Its names, the canonical one first.
    pub names: Vec<&'l str>,
    /// What is between the address and the names.
    gap: &'l str,
    /// A comment behind the names, with the blanks in front of it.
    comment: &'l str,
}

impl<'l> Line<'l> {
    /// What a line of the file says. `None` for an empty line, a comment, and what is no entry.
    pub fn parse(line: &'l str) -> Option<Self> {
        let line = body(line);
        let entry = line.split('#').next().unwrap_or(line).trim_end();
        let start = entry.trim_start();
        let (address, rest) = start.split_once([' ', '\t']).unwrap_or((start, ""));
        let names = rest.trim_start();
        let gap = &start[address.len()..start.len() - names.len()];
        Some(Self {
            address: Address::parse(address)?,
            names: names.split_whitespace().collect(),
            gap,
            comment: &line[entry.len()..],
        })
    }

    /// Whether it has a name. Letters may be large or small.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The line with other names.
    pub fn with_names(&self, names: &[&str]) -> String {
        let gap = if self.gap.is_empty() { "\t" } else { self.gap };
        format!("{}{gap}{}{}\n", self.address, names.join(" "), self.comment)
    }
}

/// Refuses what can't be a name in such a file.
///
/// # Errors
/// [`Failure::Argument`] for the argument `argument`.
pub fn check_name(argument: &str, name: &str) -> Result<(), Failure> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !name.is_empty() && name.bytes().all(fits) && !name.starts_with(['-', '.']) {
        return Ok(());
    }
    let message = format!("`{name}` is no host name: it has letters, digits, hyphens, underscores and dots");
    Err(Failure::argument(argument, message))
}
