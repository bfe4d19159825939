//! The namespace `resolver`: where names are looked up, `/etc/resolv.conf`.

use std::fmt::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Entry, Plan, Query, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Content, Kind};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::attributes::AttributeOptions;
use crate::file_target::parent;
use crate::links::look_at;
use crate::whole_file::WholeFile;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<ResolverConfig>(), Entry::query::<ResolverRead>()];

const FILE: &str = "/etc/resolv.conf";
/// C libraries ask no more servers.
const MOST_SERVERS: usize = 3;
/// The options of resolv.conf(5). Those that end in a colon take a number.
const OPTIONS: [&str; 15] = [
    "debug",
    "ndots:",
    "timeout:",
    "attempts:",
    "rotate",
    "no-aaaa",
    "no-check-names",
    "edns0",
    "single-request",
    "single-request-reopen",
    "no-tld-query",
    "use-vc",
    "no-reload",
    "trust-ad",
    "inet6",
];
/// What puts a link at the place of the file, by a part of where that leads.
const MANAGERS: [(&str, &str); 4] = [
    ("systemd/resolve", "systemd-resolved"),
    ("NetworkManager", "NetworkManager"),
    ("resolvconf", "resolvconf"),
    ("connman", "ConnMan"),
];

/// Keeps `/etc/resolv.conf`: which servers are asked for names, and how.
///
/// ```rhai
/// resolver::config(#{ nameservers: ["192.0.2.53", "2001:db8::53"], search: ["example.net"] });
/// resolver::config(#{ nameservers: ["127.0.0.1"], options: ["edns0", "timeout:2"], replace_link: true });
/// ```
///
/// The file has what is declared and nothing else. Where it is a link, a program keeps it, and it is not touched unless
/// `replace_link` is given.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ResolverConfig {
    /// The addresses of the servers, at most 3: no C library asks more. They are asked in this order.
    nameservers: Vec<String>,
    /// Domains that are tried behind names that are not complete. None when absent.
    #[serde(default)]
    search: Vec<String>,
    /// Options of resolv.conf(5): `rotate`, `ndots:2`. None when absent.
    #[serde(default)]
    options: Vec<String>,
    /// Whether a link is replaced by a file. Default false: that is an error.
    #[serde(default)]
    replace_link: bool,
}

/// What is at the place of the file.
#[derive(Debug)]
pub enum Found {
    /// A file or nothing.
    File(WholeFile),
    /// A link to there, and the file that shall be in its place.
    Link(PathBuf, Change),
}

impl ResolverConfig {
    fn check(&self) -> Result<(), Failure> {
        let refuse = |argument: &str, message: String| Err(Failure::argument(argument, message));
        if self.nameservers.is_empty() {
            return refuse("nameservers", "without a server no name can be looked up".to_owned());
        }
        if self.nameservers.len() > MOST_SERVERS {
            let message = format!("the C library asks only the first {MOST_SERVERS} servers");
            return refuse("nameservers", format!("{message}, got {}", self.nameservers.len()));
        }
        let is_address =
            |server: &str| server.split('%').next().is_some_and(|address| address.parse::<IpAddr>().is_ok());
        if let Some(server) = self.nameservers.iter().find(|server| !is_address(server) || !is_word(server)) {
            return refuse("nameservers", format!("`{server}` is no IP address"));
        }
        if let Some(domain) = self.search.iter().find(|domain| !is_word(domain)) {
            return refuse("search", format!("`{domain}` is no domain"));
        }
        self.options.iter().try_for_each(|option| check_option(option))
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text can't fail.
        if !self.search.is_empty() {
            let _ = writeln!(text, "search {}", self.search.join(" "));
        }
        for server in &self.nameservers {
            let _ = writeln!(text, "nameserver {server}");
        }
        if !self.options.is_empty() {
            let _ = writeln!(text, "options {}", self.options.join(" "));
        }
        text
    }

    fn content(&self) -> Content {
        Content::Known(self.text().into_bytes())
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#' || c == ';')
}

fn check_option(option: &str) -> Result<(), Failure> {
    let (name, number) = option.split_once(':').unwrap_or((option, ""));
    let fits = |known: &str| match known.strip_suffix(':') {
        Some(known) => {
            known == name && !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
        }
        None => known == option,
    };
    if OPTIONS.iter().any(|known| fits(known)) {
        return Ok(());
    }
    let failure = Failure::argument("options", format!("resolv.conf has no option `{option}`"));
    if OPTIONS.contains(&format!("{name}:").as_str()) {
        return Err(failure.advise(format!("`{name}:` takes a number")));
    }
    match near_match(name, OPTIONS.iter().map(|known| known.trim_end_matches(':'))) {
        Some(near) => Err(failure.advise(format!("did you mean `{near}`?"))),
        None => Err(failure),
    }
}

impl State for ResolverConfig {
    const NAME: &'static str = "resolver::config";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = Found;

    fn subject(&self) -> String {
        self.nameservers.join(", ")
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.check()?;
        let (host, path) = (context.host, Path::new(FILE));
        let options = AttributeOptions::default();
        if look_at(host, path)?.is_none_or(|stat| stat.kind != Kind::Link) {
            return Ok(Found::File(WholeFile::look(host, path, &options)?));
        }
        let attributes = options.resolve(host)?.of_new_file(parent(host, path)?);
        let write = Change::Write {
            path: path.to_owned(),
            before: None,
            after: self.content(),
            attributes,
            shown: true,
        };
        Ok(Found::Link(host.read_link(path)?.unwrap_or_default(), write))
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        match found {
            Found::File(file) => Ok(file.plan(self.content(), true)),
            Found::Link(_, write) if self.replace_link => Ok(vec![write.clone().into()]),
            Found::Link(target, _) => Err(kept_by_another(target)),
        }
    }
}

fn kept_by_another(target: &Path) -> Failure {
    let text = target.to_string_lossy();
    let manager = MANAGERS.iter().find(|(part, _)| text.contains(part)).map(|(_, manager)| manager);
    let who = manager.map_or_else(|| "something else keeps it".to_owned(), |who| format!("{who} keeps it"));
    Failure::state(format!("`{FILE}` is a link to `{text}`: {who}"))
        .advise("configure that; or give `replace_link: true` to put a file in its place")
}

/// Returns what `/etc/resolv.conf` says: `nameservers`, `search` and `options`, each an array.
///
/// ```rhai
/// for server in resolver::read().nameservers { print(server); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolverRead {}

impl Query for ResolverRead {
    const NAME: &'static str = "resolver::read";
    const POSITIONAL: &'static [&'static str] = &[];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        match context.host.read(Path::new(FILE))? {
            Some(Content::Unknown) => Ok(Answer::Unknown),
            Some(Content::Known(text)) => Ok(read(&String::from_utf8_lossy(&text)).into()),
            None => Ok(read("").into()),
        }
    }
}

fn read(text: &str) -> serde_json::Value {
    let (mut nameservers, mut search, mut options) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split(['#', ';']).next().unwrap_or_default().split_whitespace();
        match words.next() {
            Some("nameserver") => nameservers.extend(words.next()),
            // Of several such lines the last one counts.
            Some("search" | "domain") => search = words.collect(),
            Some("options") => options.extend(words),
            _ => {}
        }
    }
    json!({ "nameservers": nameservers, "search": search, "options": options })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: serde_json::Value) -> ResolverConfig {
        serde_json::from_value(arguments).unwrap()
    }

    #[test]
    fn the_file_reads_as_it_was_declared() {
        let declared = json!({"nameservers": ["192.0.2.53", "fe80::1%eth0"], "search": ["a.net", "b.net"], "options": ["ndots:2", "rotate"]});
        let config = config(declared.clone());
        config.check().unwrap();
        let text =
            "search a.net b.net\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\noptions ndots:2 rotate\n";
        assert_eq!(config.text(), text);
        assert_eq!(read(text), declared);
        let others = "; c\ndomain x\nsearch y # z\nnameserver 192.0.2.1 extra\noptions a\noptions b\n";
        assert_eq!(
            read(others),
            json!({"nameservers": ["192.0.2.1"], "search": ["y"], "options": ["a", "b"]})
        );
    }

    #[test]
    fn what_no_resolver_understands_is_refused() {
        let case = |arguments: serde_json::Value, message: &str, hint: Option<&str>| {
            let failure = config(arguments).check().unwrap_err();
            assert_eq!((failure.to_string().as_str(), failure.hint().as_deref()), (message, hint));
        };
        let server = "192.0.2.1";
        case(json!({"nameservers": []}), "without a server no name can be looked up", None);
        case(json!({"nameservers": ["dns.example"]}), "`dns.example` is no IP address", None);
        case(
            json!({"nameservers": [server, server, server, server]}),
            "the C library asks only the first 3 servers, got 4",
            None,
        );
        case(json!({"nameservers": [server], "search": ["a b"]}), "`a b` is no domain", None);
        case(
            json!({"nameservers": [server], "options": ["rotat"]}),
            "resolv.conf has no option `rotat`",
            Some("did you mean `rotate`?"),
        );
        case(
            json!({"nameservers": [server], "options": ["ndots"]}),
            "resolv.conf has no option `ndots`",
            Some("`ndots:` takes a number"),
        );
    }

    #[test]
    fn whoever_keeps_the_link_is_named() {
        let failure = kept_by_another(Path::new("../run/systemd/resolve/stub-resolv.conf"));
        assert_eq!(
            failure.to_string(),
            "`/etc/resolv.conf` is a link to `../run/systemd/resolve/stub-resolv.conf`: systemd-resolved keeps it"
        );
    }
}
