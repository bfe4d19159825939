//! Hosts as inventories name them: `node[1:3]:2222`.

use std::sync::Arc;

use serde_json::Value;

use super::address;
use super::graph::Graph;
use super::range::{self, BadRange};
use super::variable::{Variable, VariableMap};
use crate::diagnostic::Diagnostic;
use crate::origin::Origin;

/// The hosts that a name with ranges and a port stands for.
pub(super) struct Hosts {
    names: Vec<String>,
    port: Option<u64>,
}

/// Why something does not name hosts.
pub(super) enum BadHosts {
    Empty,
    Range(BadRange),
    /// It ends with a colon.
    NoPort,
    Port(u64),
    /// `---`, with which a YAML file begins.
    Yaml,
}

impl Hosts {
    pub(super) fn named(pattern: &str) -> Result<Self, BadHosts> {
        let (host, port) = address::split(pattern).unwrap_or((pattern, None));
        match (host, port) {
            ("", _) => Err(BadHosts::Empty),
            ("---", _) => Err(BadHosts::Yaml),
            (_, None) if pattern.ends_with(':') => Err(BadHosts::NoPort),
            (_, Some(port)) if port > u64::from(u16::MAX) => Err(BadHosts::Port(port)),
            _ => Ok(Self { names: range::expand(host).map_err(BadHosts::Range)?, port }),
        }
    }
}

impl BadHosts {
    /// The error about what is written at `origin`.
    pub(super) fn at(&self, origin: &Origin, pattern: &str) -> Diagnostic {
        let mut diagnostic = self.about(pattern);
        diagnostic.at = Some(origin.location().with_width(pattern.chars().count()));
        diagnostic
    }

    /// The error where there is no place to point at.
    pub(super) fn about(&self, pattern: &str) -> Diagnostic {
        match self {
            Self::Empty => Diagnostic::new("a host has no name"),
            Self::Range(bad) => {
                Diagnostic::new(format!("`{pattern}` does not name hosts: {}", bad.message)).hint(bad.hint)
            }
            Self::NoPort => Diagnostic::new(format!("there is no port behind the colon of `{pattern}`"))
                .hint("in a YAML inventory hosts end with a colon, in an INI inventory they don't"),
            Self::Port(port) => Diagnostic::new(format!("{port} is not a port: the highest is {}", u16::MAX)),
            Self::Yaml => Diagnostic::new("`---` is not a host")
                .hint("is this a YAML inventory? then its name has to end with `.yml` or `.yaml`"),
        }
    }
}

/// Puts hosts into a group, and sets variables for them. The port is that of the place where a host is named first.
pub(super) fn add(
    graph: &mut Graph,
    group: usize,
    hosts: &Hosts,
    variables: &VariableMap,
    origin: &Origin,
) -> Result<(), Diagnostic> {
    let port = hosts.port.map(|port| Arc::new(Variable::new(Value::from(port), origin.clone())));
    let port_name = Arc::from("ansible_port");
    for name in &hosts.names {
        let (host, is_new) = graph.host(name);
        graph.add_member(group, host);
        if let (true, Some(port)) = (is_new, &port) {
            graph.hosts[host].variables.insert(Arc::clone(&port_name), Arc::clone(port));
        }
        for (name, variable) in variables {
            graph.set_of_host(host, name, variable)?;
        }
    }
    Ok(())
}
