//! Scripts of packages: run without a shell, as far as packages need it.
//!
//! They know `case`, `if`, groups, `&&`, `||`, variables, and these commands: `echo` (also `>&2`), `exit`, `export`, `test` and
//! `[`, `sleep` (which takes time only in a process of its own), `true`, `false`, `:`. And what Void's packages do by triggers:
//! `system-account NAME[:ID]`, `system-group NAME[:ID]` and `mkdirs PATH MODE USER GROUP`. Anything else is not found.

mod commands;
mod parse;

use std::collections::BTreeMap;

use self::parse::Node;
use super::errno::Errno;
use super::handle::Xbps;
use super::version;

/// Runs a script for a package: `action` is `pre`, `post` or `purge`.
///
/// # Errors
/// Its exit status, if that is not 0, which xbps takes for an error number.
pub fn run(
    xbps: &mut Xbps<'_, '_>,
    text: &[u8],
    pkgver: &str,
    action: &str,
    is_update: bool,
) -> Result<(), Errno> {
    let text = String::from_utf8_lossy(text);
    let name = version::name(pkgver).unwrap_or(pkgver).to_owned();
    let arguments = [
        action,
        &name,
        version::version(pkgver).unwrap_or_default(),
        if is_update { "yes" } else { "no" },
        "no",
        &xbps.architecture,
    ];
    let variables =
        arguments.iter().zip(1..).map(|(value, at)| (at.to_string(), (*value).to_owned())).collect();
    let Some(nodes) = parse::script(&text) else {
        xbps.call().complain(format!("{name}: syntax error"));
        return Err(Errno::ENOENT);
    };
    let mut shell = Shell { xbps, variables, package: name };
    let status = match shell.list(&nodes) {
        Flow::Next(status) | Flow::Exit(status) => status,
    };
    if status == 0 { Ok(()) } else { Err(Errno(status)) }
}

/// How it goes on after a command.
enum Flow {
    /// With what follows; the command ended with this status.
    Next(i32),
    /// Not at all: the script ends with this status.
    Exit(i32),
}

struct Shell<'a, 'c, 'h> {
    xbps: &'a mut Xbps<'c, 'h>,
    variables: BTreeMap<String, String>,
    package: String,
}

impl Shell<'_, '_, '_> {
    fn list(&mut self, nodes: &[Node]) -> Flow {
        let mut last = 0;
        for node in nodes {
            match self.node(node) {
                Flow::Next(status) => last = status,
                exit => return exit,
            }
        }
        Flow::Next(last)
    }

    fn node(&mut self, node: &Node) -> Flow {
        match node {
            Node::Simple(words) => self.simple(words),
            Node::Group(nodes) => self.list(nodes),
            Node::Both { first, second, on_success } => match self.node(first) {
                Flow::Next(status) if (status == 0) == *on_success => self.node(second),
                flow => flow,
            },
            Node::Case { word, branches } => {
                let word = self.expand(word);
                let branch = branches.iter().find(|(patterns, _)| {
                    patterns.iter().any(|pattern| version::glob(&self.expand(pattern), &word, false))
                });
                branch.map_or(Flow::Next(0), |(_, nodes)| self.list(nodes))
            }
            Node::If { condition, then, otherwise } => match self.list(condition) {
                Flow::Next(0) => self.list(then),
                Flow::Next(_) => self.list(otherwise),
                exit => exit,
            },
        }
    }

    /// The value of a word: quotes gone, variables replaced.
    fn expand(&self, word: &str) -> String {
        let mut out = String::new();
        let mut quote = None;
        let mut rest = word.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\'' | '"' if quote == Some(c) => quote = None,
                '\'' | '"' if quote.is_none() => quote = Some(c),
                '\\' if quote != Some('\'') => out.extend(rest.next()),
                '$' if quote != Some('\'') => {
                    let is_braced = rest.next_if_eq(&'{').is_some();
                    let mut name = String::new();
                    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                        name.push(c);
                        if !is_braced && name.len() == 1 && c.is_ascii_digit() {
                            break;
                        }
                    }
                    if is_braced {
                        rest.next();
                    }
                    out.push_str(self.variables.get(&name).map_or("", String::as_str));
                }
                other => out.push(other),
            }
        }
        out
    }

    /// Words with variables that are not quoted fall apart at blanks.
    fn words(&self, words: &[String]) -> Vec<String> {
        let mut out = Vec::new();
        for word in words {
            let value = self.expand(word);
            if word.starts_with('$') {
                out.extend(value.split_whitespace().map(str::to_owned));
            } else {
                out.push(value);
            }
        }
        out
    }

    fn simple(&mut self, words: &[String]) -> Flow {
        let is_assignment = |word: &&String| {
            let name = word.split_once('=').map_or("", |(name, _)| name);
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let assignments = words.iter().take_while(is_assignment).count();
        for word in &words[..assignments] {
            self.assign(word);
        }
        let words = self.words(&words[assignments..]);
        match words.split_first() {
            Some((name, arguments)) => self.command(name, arguments),
            None => Flow::Next(0),
        }
    }

    fn assign(&mut self, word: &str) {
        if let Some((name, value)) = word.split_once('=') {
            let value = self.expand(value);
            self.variables.insert(name.to_owned(), value);
        }
    }
}
