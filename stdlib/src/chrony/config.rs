//! `chrony::config`.

use std::fmt::Display;
use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::configuration;
use crate::attributes::AttributeOptions;
use crate::configuration_file::ConfigurationFile;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;

/// Keeps the whole configuration of chronyd.
///
/// ```rhai
/// chrony::config(#{ pools: "pool.ntp.org" });
/// chrony::config(#{
///     servers: ["ntp1.example.net iburst prefer", "ntp2.example.net"],
///     makestep: "1.0 3",
///     allow: ["192.0.2.0/24", "2001:db8::/32"],
///     local_stratum: 10,
///     extra: "minsources 2\n",
/// });
/// ```
///
/// The file is the one that the host has: `/etc/chrony.conf`, or `/etc/chrony/chrony.conf`. Where there is `chronyd`, that is
/// asked by `-p` whether it accepts the file, before it is put in place. chronyd is not told: notify a handler that restarts it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChronyConfig {
    /// Servers to ask for the time, each by name or address, with options behind it as chrony.conf(5) describes them. Without
    /// any, the option is `iburst`.
    #[serde(default)]
    servers: Option<OneOrMany<String>>,
    /// Names that stand for several servers, in the same way.
    #[serde(default)]
    pools: Option<OneOrMany<String>>,
    /// Hosts that are asked and ask in turn. Without options they have none.
    #[serde(default)]
    peers: Option<OneOrMany<String>>,
    /// When the clock may jump: by more than so many seconds, in the first so many updates. `"1.0 3"` when absent; `"never"` leaves
    /// it out.
    #[serde(default)]
    makestep: Option<String>,
    /// Where it is kept how fast the clock is. When absent, `/var/lib/chrony/drift`, or `chrony.drift` with a configuration in
    /// `/etc/chrony`.
    #[serde(default)]
    driftfile: Option<HostPath>,
    /// Whether the kernel keeps the hardware clock right. Default true.
    #[serde(default)]
    rtcsync: Option<bool>,
    /// Networks that may ask this host for the time: addresses with or without a length, or `all`. Nobody when absent.
    #[serde(default)]
    allow: Option<OneOrMany<String>>,
    /// Networks in these that may not.
    #[serde(default)]
    deny: Option<OneOrMany<String>>,
    /// With this stratum, 1 to 15, the host answers also while it knows of no better clock than its own.
    #[serde(default)]
    local_stratum: Option<u8>,
    /// The address to answer at. All when absent.
    #[serde(default)]
    bindaddress: Option<OneOrMany<String>>,
    /// A time zone that knows of leap seconds, as `right/UTC`.
    #[serde(default)]
    leapsectz: Option<String>,
    /// Where logs go.
    #[serde(default)]
    logdir: Option<HostPath>,
    /// Where the keys are that sources are asked with.
    #[serde(default)]
    keyfile: Option<HostPath>,
    /// Further lines, as chrony.conf(5) describes them.
    #[serde(default)]
    extra: Option<OneOrMany<String>>,
    /// The file, if it is another one.
    #[serde(default)]
    path: Option<HostPath>,
}

/// The file and where it is.
pub struct Found {
    path: PathBuf,
    file: ConfigurationFile,
}

impl State for ChronyConfig {
    const NAME: &'static str = "chrony::config";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.check()?;
        let path = configuration::place(context.host, self.path.as_ref())?;
        let text = self.text(configuration::drift_file(&path));
        let options = AttributeOptions::default();
        let file = ConfigurationFile::look(context, &path, &options, text, |candidate| {
            configuration::judge(context, &path, candidate)
        })?;
        Ok(Found { path, file })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(found.file.plan())
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        Map::from_iter([("path".to_owned(), found.path.display().to_string().into())])
    }
}

impl ChronyConfig {
    fn check(&self) -> Result<(), Failure> {
        let lists = [
            ("servers", &self.servers),
            ("pools", &self.pools),
            ("peers", &self.peers),
            ("allow", &self.allow),
            ("deny", &self.deny),
            ("bindaddress", &self.bindaddress),
        ];
        let words =
            lists.iter().flat_map(|(argument, list)| list.iter().map(move |list| (*argument, &list.0)));
        let single = [("makestep", &self.makestep), ("leapsectz", &self.leapsectz)];
        let single = single.into_iter().filter_map(|(argument, word)| Some((argument, word.as_ref()?)));
        let all =
            words.flat_map(|(argument, list)| list.iter().map(move |word| (argument, word))).chain(single);
        for (argument, word) in all {
            if word.trim().is_empty() || word.contains(['\n', '\r']) {
                return Err(Failure::argument(argument, format!("`{word}` is not what a line can hold")));
            }
        }
        if self.local_stratum.is_some_and(|stratum| !(1..=15).contains(&stratum)) {
            return Err(Failure::argument("local_stratum", "a stratum is a number from 1 to 15"));
        }
        let count = |list: &Option<OneOrMany<String>>| list.as_ref().map_or(0, |list| list.0.len());
        let sources = count(&self.servers) + count(&self.pools) + count(&self.peers) + count(&self.extra);
        if sources == 0 && self.local_stratum.is_none() {
            return Err(Failure::argument("servers", "nobody would be asked for the time")
                .advise("give `servers` or `pools`; a host that only answers needs `local_stratum`"));
        }
        Ok(())
    }

    fn text(&self, drift_file: &str) -> String {
        let mut lines = Vec::new();
        sources(&mut lines, "server", self.servers.as_ref(), " iburst");
        sources(&mut lines, "pool", self.pools.as_ref(), " iburst");
        sources(&mut lines, "peer", self.peers.as_ref(), "");
        let drift = self.driftfile.as_ref().map_or_else(|| drift_file.to_owned(), ToString::to_string);
        lines.push(format!("driftfile {drift}"));
        match self.makestep.as_deref() {
            Some("never") => {}
            given => lines.push(format!("makestep {}", given.unwrap_or("1.0 3"))),
        }
        if self.rtcsync.unwrap_or(true) {
            lines.push("rtcsync".to_owned());
        }
        repeated(&mut lines, "allow", self.allow.as_ref());
        repeated(&mut lines, "deny", self.deny.as_ref());
        repeated(&mut lines, "bindaddress", self.bindaddress.as_ref());
        optional(&mut lines, "local stratum", self.local_stratum.as_ref());
        optional(&mut lines, "leapsectz", self.leapsectz.as_ref());
        optional(&mut lines, "logdir", self.logdir.as_ref());
        optional(&mut lines, "keyfile", self.keyfile.as_ref());
        let extra = self.extra.iter().flat_map(|extra| &extra.0);
        lines.extend(extra.map(|text| text.trim_end_matches('\n').to_owned()));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// One line for each source. `default` stands for options where none are given.
fn sources(lines: &mut Vec<String>, directive: &str, all: Option<&OneOrMany<String>>, default: &str) {
    for source in all.iter().flat_map(|all| &all.0).map(|source| source.trim()) {
        let options = if source.contains(char::is_whitespace) { "" } else { default };
        lines.push(format!("{directive} {source}{options}"));
    }
}

fn repeated(lines: &mut Vec<String>, directive: &str, all: Option<&OneOrMany<String>>) {
    lines.extend(all.iter().flat_map(|all| &all.0).map(|one| format!("{directive} {}", one.trim())));
}

fn optional(lines: &mut Vec<String>, directive: &str, value: Option<&impl Display>) {
    lines.extend(value.map(|value| format!("{directive} {value}")));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(arguments: Value) -> Result<String, String> {
        let config: ChronyConfig = serde_json::from_value(arguments).map_err(|error| error.to_string())?;
        config.check().map_err(|failure| failure.to_string())?;
        Ok(config.text("/drift"))
    }

    #[test]
    fn options_become_directives() {
        for (arguments, expected) in [
            (
                json!({ "pools": "pool.ntp.org" }),
                "pool pool.ntp.org iburst\ndriftfile /drift\nmakestep 1.0 3\nrtcsync\n",
            ),
            (
                json!({ "servers": ["a", "b prefer"], "makestep": "never", "rtcsync": false, "driftfile": "/d",
                    "allow": ["all"], "deny": "192.0.2.0/24", "local_stratum": 10, "extra": ["minsources 2\n"] }),
                "server a iburst\nserver b prefer\ndriftfile /d\nallow all\ndeny 192.0.2.0/24\nlocal stratum 10\n\
                minsources 2\n",
            ),
        ] {
            assert_eq!(text(arguments).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (arguments, message) in [
            (json!({}), "nobody would be asked for the time"),
            (json!({ "servers": [] }), "nobody would be asked for the time"),
            (json!({ "servers": "a\nallow all" }), "`a\nallow all` is not what a line can hold"),
            (json!({ "servers": "a", "local_stratum": 16 }), "a stratum is a number from 1 to 15"),
        ] {
            assert_eq!(text(arguments), Err(message.to_owned()));
        }
    }
}
