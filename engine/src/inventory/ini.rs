//! Inventories in Ansible's INI format.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use regex::{Match, Regex};

use super::graph::{Graph, UNGROUPED};
use super::hosts::{self, Hosts};
use super::literal;
use super::variable::{Variable, VariableMap};
use super::words::{self, Unfinished};
use crate::constant_pattern::constant_pattern;
use crate::diagnostic::Diagnostic;
use crate::origin::{Origin, SourceText};

static SECTION: LazyLock<Regex> =
    LazyLock::new(|| constant_pattern(r"^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$"));

static GROUP_NAME: LazyLock<Regex> = LazyLock::new(|| constant_pattern(r"^([^:\]\s]+)\s*(?:#.*)?$"));

/// Reads an inventory into the graph.
///
/// # Errors
/// A line makes no sense, or a section names a group that there is not.
pub(super) fn read(source: &Arc<SourceText>, graph: &mut Graph) -> Result<(), Diagnostic> {
    let mut reader = Reader { source, graph, group: UNGROUPED, part: Part::Hosts, awaited: IndexMap::new() };
    for number in 1..=source.lines() {
        reader.line(number)?;
    }
    reader.nothing_awaited()
}

/// What the lines of a section are.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Hosts,
    Children,
    Variables,
}

/// Why a group that no section has declared yet has to be declared by one.
enum Awaited {
    /// There are variables for it.
    Variables(Origin),
    /// It stands in these groups.
    Children(Vec<(usize, Origin)>),
}

struct Reader<'a> {
    source: &'a Arc<SourceText>,
    graph: &'a mut Graph,
    group: usize,
    part: Part,
    awaited: IndexMap<String, Awaited>,
}

impl Reader<'_> {
    fn line(&mut self, number: usize) -> Result<(), Diagnostic> {
        let source = self.source;
        let whole = source.line(number);
        let line = whole.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return Ok(());
        }
        let indentation = whole.len() - whole.trim_start().len();
        let line = Line { source, number, whole, indentation, text: line };
        if !line.text.starts_with('[') {
            return self.entry(&line);
        }
        if let Some(found) = SECTION.captures(line.text) {
            return self.section(&line, &found[1], found.get(2));
        }
        // `[2001:db8::1]:22 ports=[80]` is a host.
        if line.text.ends_with(']') && !line.text.contains("]:") {
            return Err(not_a_section(&line));
        }
        self.entry(&line)
    }

    fn entry(&mut self, line: &Line<'_>) -> Result<(), Diagnostic> {
        match self.part {
            Part::Hosts => self.hosts(line),
            Part::Children => self.child(line),
            Part::Variables => self.variable(line),
        }
    }

    fn section(&mut self, line: &Line<'_>, name: &str, part: Option<Match<'_>>) -> Result<(), Diagnostic> {
        self.part = match part.map(|part| part.as_str()) {
            None | Some("hosts") => Part::Hosts,
            Some("children") => Part::Children,
            Some("vars") => Part::Variables,
            Some(other) => {
                return Err(line
                    .at(part.map_or(0, |part| part.start()))
                    .error(format!("a section can't be `:{other}`"))
                    .near(other, ["children", "vars", "hosts"]));
            }
        };
        let is_new = self.graph.groups.get_index_of(name).is_none();
        self.group = self.graph.group(name);
        if self.part == Part::Variables {
            if is_new && !self.awaited.contains_key(name) {
                self.awaited.insert(name.to_owned(), Awaited::Variables(line.at(1)));
            }
        } else if let Some(Awaited::Children(parents)) = self.awaited.shift_remove(name) {
            for (parent, origin) in parents {
                self.graph.add_child(parent, self.group, Some(origin));
            }
        }
        Ok(())
    }

    fn hosts(&mut self, line: &Line<'_>) -> Result<(), Diagnostic> {
        let mut words =
            words::split(line.text).map_err(|unfinished| line.unfinished(&unfinished))?.into_iter();
        let Some(pattern) = words.next() else { return Ok(()) };
        let origin = line.at(pattern.at);
        let found = Hosts::named(&pattern.text).map_err(|bad| bad.at(&origin, &pattern.text))?;
        let mut variables = VariableMap::new();
        for word in words {
            let at = line.at(word.at);
            let Some((name, value)) = word.text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                return Err(at
                    .error(format!("`{}` is not `name=value`", word.text))
                    .hint("a line has one host, and a value with blanks is quoted: `name=\"a b\"`"));
            };
            variables.insert(Arc::from(name), Arc::new(Variable::new(literal::value(value), at)));
        }
        hosts::add(self.graph, self.group, &found, &variables, &origin)
    }

    fn variable(&mut self, line: &Line<'_>) -> Result<(), Diagnostic> {
        let Some((name, value)) = line.text.split_once('=').filter(|(name, _)| !name.trim().is_empty())
        else {
            return Err(line
                .at(0)
                .error("a line of a `:vars` section has to be `name = value`")
                .hint("a `[group]` line begins the next section"));
        };
        let behind = line.text.len() - value.trim_start().len();
        let variable = Variable::new(literal::value(value.trim()), line.at(behind));
        self.graph.set_of_group(self.group, &Arc::from(name.trim_end()), &Arc::new(variable))
    }

    fn child(&mut self, line: &Line<'_>) -> Result<(), Diagnostic> {
        let Some(found) = GROUP_NAME.captures(line.text) else {
            return Err(line
                .at(0)
                .error("a line of a `:children` section has to be the name of a group")
                .hint("hosts and variables belong into sections of their own: `[group]`, `[group:vars]`"));
        };
        let (name, origin) = (&found[1], line.at(0));
        match self.graph.groups.get_index_of(name) {
            Some(child) => self.graph.add_child(self.group, child, Some(origin)),
            // In the order of declaration, as in Ansible: it decides the order of hosts.
            None => match self.awaited.get_mut(name) {
                Some(Awaited::Children(parents)) => parents.push((self.group, origin)),
                _ => {
                    let awaited = Awaited::Children(vec![(self.group, origin)]);
                    self.awaited.insert(name.to_owned(), awaited);
                }
            },
        }
        Ok(())
    }

    fn nothing_awaited(&self) -> Result<(), Diagnostic> {
        let Some((name, awaited)) = self.awaited.first() else { return Ok(()) };
        let origin = match awaited {
            Awaited::Variables(origin) => Some(origin),
            Awaited::Children(parents) => parents.last().map(|(_, origin)| origin),
        };
        let message = format!("no section declares the group `{name}`");
        let known = self.graph.groups.keys().filter(|known| *known != name).map(String::as_str);
        let error = origin.map_or_else(|| Diagnostic::new(message.clone()), |origin| origin.error(&message));
        let hint = format!("a `[{name}]` line declares it, with or without hosts below");
        Err(error.hint(hint).near(name, known))
    }
}

fn not_a_section(line: &Line<'_>) -> Diagnostic {
    let hint = if line.text.contains(char::is_whitespace) {
        "there may be no blanks between the brackets"
    } else {
        "a section is `[group]`, `[group:children]` or `[group:vars]`"
    };
    line.at(0).error(format!("`{}` is not a section", line.text)).hint(hint)
}

/// A line without the blanks around it.
struct Line<'a> {
    source: &'a Arc<SourceText>,
    number: usize,
    whole: &'a str,
    indentation: usize,
    text: &'a str,
}

impl Line<'_> {
    /// The place of a byte of the line.
    fn at(&self, byte: usize) -> Origin {
        let before = self.whole.get(..self.indentation + byte).unwrap_or(self.whole);
        self.source.at(self.number, before.chars().count() + 1)
    }

    fn unfinished(&self, unfinished: &Unfinished) -> Diagnostic {
        match unfinished {
            Unfinished::Quote(at) => self
                .at(*at)
                .error("a quote is opened here and not closed")
                .hint("an apostrophe that is meant as such is written `\\'`"),
            Unfinished::Backslash(at) => self.at(*at).error("a line can't end with a backslash"),
        }
    }
}
