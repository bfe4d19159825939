//! Patterns that select hosts: `web*:!node3`, `db,&staging`, `web[0]`, `~web\d+`.

use std::collections::HashSet;
use std::path::Path;

use indexmap::IndexSet;

use super::graph::Graph;
use super::{Files, LOCALHOST, address};
use crate::diagnostic::{Diagnostic, Location, near_match};
use crate::glob;
use crate::origin::{Origin, SourceText};

/// A part of a pattern.
#[derive(Debug)]
pub(super) struct Term {
    kind: Kind,
    /// Without the sign of its kind.
    text: String,
    /// Where it is written, if there is a place to point at.
    at: Option<Location>,
}

/// What a part does to the hosts that the parts before have selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Adds hosts.
    Union,
    /// `&`: leaves only those that it selects too.
    Intersection,
    /// `!`: takes those away that it selects.
    Exclusion,
}

/// Which of the hosts of a group are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subscript {
    /// One, counted from 0, or from the end when it is negative.
    At(i64),
    /// From the first to the last, which may be left out.
    Range(usize, Option<usize>),
}

/// The parts of a pattern. `source` is its text, where errors can point into it.
pub(super) fn parse(
    pattern: &str,
    source: Option<&std::sync::Arc<SourceText>>,
) -> Result<Vec<Term>, Diagnostic> {
    split(pattern).into_iter().map(|(at, part)| term(part, source.map(|source| source.at_byte(at)))).collect()
}

/// The parts of `--limit`, which may stand in files.
pub(super) fn parse_limit(limit: &str, files: &Files) -> Result<Vec<Term>, Diagnostic> {
    let source = SourceText::new("--limit", limit);
    let mut terms = Vec::new();
    for (at, part) in split(limit) {
        match part.strip_prefix('@') {
            Some(path) => terms.extend(lines(Path::new(path), files)?),
            None => terms.push(term(part, Some(source.at_byte(at)))?),
        }
    }
    Ok(terms)
}

/// The lines of a file as parts, without blank ones and comments.
fn lines(path: &Path, files: &Files) -> Result<Vec<Term>, Diagnostic> {
    let source = SourceText::read(path, &files.shown(path))?;
    let lines = (1..=source.lines()).map(|number| (number, source.line(number)));
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(number, line)| {
            let indentation = line.chars().take_while(|c| c.is_whitespace()).count();
            term(line.trim(), Some(source.at(number, indentation + 1)))
        })
        .collect()
}

fn term(part: &str, origin: Option<Origin>) -> Result<Term, Diagnostic> {
    let (kind, text) = match part.chars().next() {
        Some('!') => (Kind::Exclusion, &part[1..]),
        Some('&') => (Kind::Intersection, &part[1..]),
        _ => (Kind::Union, part),
    };
    let at = origin.map(|origin| origin.location().with_width(part.chars().count()));
    let term = Term { kind, text: text.trim_start().to_owned(), at };
    if term.text.is_empty() {
        return Err(term.error(format!("a name is missing behind the `{part}` of the pattern")));
    }
    Ok(term)
}

/// Splits a pattern at its commas; without any at its colons, as long as it is not an address (with a port) as a whole. Gives
/// the parts with the bytes where they start.
fn split(pattern: &str) -> Vec<(usize, &str)> {
    let separator = if pattern.contains(',') { ',' } else { ':' };
    let mut inside = address::split(pattern).is_some();
    let separates = |c: char| {
        // The colons of ranges don't separate. Whoever writes an IPv6 address uses commas.
        inside = separator == ':' && (c == '[' || (inside && c != ']'));
        !inside && c == separator
    };
    let mut end = 0;
    let parts = pattern.split_inclusive(separates).map(|part| {
        let start = end + part.len() - part.trim_start().len();
        end += part.len();
        (start, part.trim_end_matches(separator).trim())
    });
    parts.filter(|(_, part)| !part.is_empty()).collect()
}

/// The names of the hosts that a pattern selects: first all parts that add, then all that narrow, then all that take away.
pub(super) fn evaluate<'g>(graph: &'g Graph, terms: &[Term]) -> Result<Vec<&'g str>, Diagnostic> {
    let of_kind = |kind| terms.iter().filter(move |term| term.kind == kind);
    if terms.is_empty() {
        return Err(
            Diagnostic::new("the pattern names no hosts").hint("`all` is every host of the inventory")
        );
    }
    let mut selected: IndexSet<&str> = IndexSet::new();
    for term in of_kind(Kind::Union) {
        selected.extend(term.select(graph)?);
    }
    if of_kind(Kind::Union).next().is_none() {
        selected.extend(graph.hosts_of(super::ALL).into_iter().map(|host| graph.host_name(host)));
    }
    for term in of_kind(Kind::Intersection) {
        let those: HashSet<&str> = term.select(graph)?.into_iter().collect();
        selected.retain(|host| those.contains(host));
    }
    for term in of_kind(Kind::Exclusion) {
        let those: HashSet<&str> = term.select(graph)?.into_iter().collect();
        selected.retain(|host| !those.contains(host));
    }
    Ok(selected.into_iter().collect())
}

impl Term {
    fn error(&self, message: String) -> Diagnostic {
        Diagnostic { at: self.at.clone(), ..Diagnostic::new(message) }
    }

    /// The hosts that this part is about.
    fn select<'g>(&self, graph: &'g Graph) -> Result<Vec<&'g str>, Diagnostic> {
        let text = self.text.as_str();
        if self.kind == Kind::Union
            && let Some((name, _)) = graph.hosts.get_key_value(text)
        {
            return Ok(vec![name.as_str()]);
        }
        let (name, subscript) = if text.starts_with('~') { (text, None) } else { split_subscript(text) };
        let (hosts, is_known) = self.named(graph, name)?;
        if !is_known {
            return Err(self.unknown(graph, name));
        }
        match subscript {
            Some(subscript) if !hosts.is_empty() => self.subscribed(hosts, name, subscript),
            _ => Ok(hosts),
        }
    }

    /// The hosts of the groups that a name or a wildcard matches, and the hosts that it matches; and whether it matches
    /// anything. A plain name that is a group's is not looked for among hosts, unless it has a dot in it.
    fn named<'g>(&self, graph: &'g Graph, name: &str) -> Result<(Vec<&'g str>, bool), Diagnostic> {
        let matcher = self.matcher(name)?;
        let groups: Vec<usize> = match &matcher {
            Matcher::Name(name) => graph.groups.get_index_of(*name).into_iter().collect(),
            matcher => (0..graph.groups.len()).filter(|at| matcher.matches(graph.group_name(*at))).collect(),
        };
        let members = groups.iter().flat_map(|group| graph.hosts_of(*group));
        // A host comes as often as it is matched, which subscripts count in Ansible.
        let mut hosts: Vec<&str> = members.map(|host| graph.host_name(host)).collect();
        match &matcher {
            Matcher::Name(name) if groups.is_empty() || name.contains('.') => {
                hosts.extend(graph.hosts.get_key_value(*name).map(|(name, _)| name.as_str()));
            }
            Matcher::Name(_) => {}
            matcher => {
                hosts.extend(graph.hosts.keys().map(String::as_str).filter(|host| matcher.matches(host)))
            }
        }
        if hosts.is_empty() {
            hosts.extend(localhost(graph, name));
        }
        let is_known = !hosts.is_empty() || !groups.is_empty();
        Ok((hosts, is_known))
    }

    fn matcher<'n>(&self, name: &'n str) -> Result<Matcher<'n>, Diagnostic> {
        if let Some(expression) = name.strip_prefix('~') {
            let anchored = fancy_regex::Regex::new(&format!(r"\A(?:{expression})"));
            return anchored.map(Matcher::Expression).map_err(|error| {
                // The places in the error shall be those in what was written.
                let error = fancy_regex::Regex::new(expression).err().unwrap_or(error);
                self.error(format!("`{expression}` is not a regular expression")).because(error.to_string())
            });
        }
        if !glob::is_glob(name) {
            return Ok(Matcher::Name(name));
        }
        glob::compile(name).map(Matcher::Glob).map_err(|_| {
            self.error(format!("`{name}` is not a pattern: a range in it ends before it begins"))
        })
    }

    fn subscribed<'g>(
        &self,
        hosts: Vec<&'g str>,
        name: &str,
        subscript: Subscript,
    ) -> Result<Vec<&'g str>, Diagnostic> {
        let count = hosts.len();
        let range = match subscript {
            Subscript::At(at) => {
                let at =
                    usize::try_from(at).ok().or_else(|| count.checked_add_signed(isize::try_from(at).ok()?));
                at.map(|at| at..at.saturating_add(1))
            }
            Subscript::Range(first, last) => {
                let last = last.map_or(count, |last| last.saturating_add(1));
                Some(first..last.min(count))
            }
        };
        let range = range.filter(|range| range.start < range.end && range.end <= count);
        let range = range.ok_or_else(|| {
            let plural = if count == 1 { "" } else { "s" };
            self.error(format!("`{}` selects nothing: `{name}` has {count} host{plural}", self.text))
                .hint("the first is `[0]`, the last is `[-1]`")
        })?;
        Ok(hosts[range].to_vec())
    }

    fn unknown(&self, graph: &Graph, name: &str) -> Diagnostic {
        let names = || graph.groups.keys().chain(graph.hosts.keys()).map(String::as_str);
        if glob::is_glob(name) || name.starts_with('~') {
            return self.error(format!("no host and no group matches `{name}`"));
        }
        let error = self.error(format!("no host and no group is called `{name}`"));
        match near_match(name, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if name != self.text => error.hint(
                "`[…]` counts hosts of a group, `group[1:3]`; names with a number are `name*` or a list",
            ),
            None => error,
        }
    }
}

enum Matcher<'n> {
    Name(&'n str),
    Glob(regex::Regex),
    /// Only the beginning has to match, as in Ansible.
    Expression(fancy_regex::Regex),
}

impl Matcher<'_> {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => *wanted == name,
            Self::Glob(glob) => glob.is_match(name),
            // An expression that gives up has not matched.
            Self::Expression(expression) => expression.is_match(name).unwrap_or(false),
        }
    }
}

/// The controller: the first host of the inventory that is called as it may be, else itself.
fn localhost<'g>(graph: &'g Graph, name: &str) -> Option<&'g str> {
    let meant = LOCALHOST.into_iter().find(|known| *known == name)?;
    let listed = graph.hosts.keys().map(String::as_str).find(|host| LOCALHOST.contains(host));
    Some(listed.unwrap_or(meant))
}

/// A name without the `[0]`, `[-1]`, `[1:3]` or `[1:]` at its end.
fn split_subscript(text: &str) -> (&str, Option<Subscript>) {
    let split = || {
        let (name, inner) = text.strip_suffix(']')?.rsplit_once('[')?;
        let digits =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
        let subscript = match inner.split_once([':', '-']).filter(|(first, _)| !first.is_empty()) {
            None => Subscript::At(inner.parse().ok().filter(|_| !inner.starts_with('+'))?),
            Some((first, "")) => Subscript::Range(digits(first)?, None),
            Some((first, last)) => Subscript::Range(digits(first)?, Some(digits(last)?)),
        };
        (!name.is_empty()).then_some((name, Some(subscript)))
    };
    split().unwrap_or((text, None))
}

#[cfg(test)]
mod tests;
