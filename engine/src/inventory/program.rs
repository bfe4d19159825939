//! Inventories that are programs: they print groups and hosts as JSON when they are called with `--list`.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use indexmap::IndexSet;
use rayon::prelude::*;

use super::graph::Graph;
use super::variable::{VariableMap, variables};
use crate::diagnostic::Diagnostic;
use crate::failure::reason;
use crate::origin::SourceText;
use crate::transport;
use crate::yaml::{Content, Document, Entry, Map, Node};

/// What a group may have. A map with none of these is a host of the group's name with its variables.
const PARTS: [&str; 3] = ["hosts", "vars", "children"];

/// The key of what a program says about all hosts at once.
const META: &str = "_meta";

/// Whether a file is to be run, not read. On some file systems every file is executable, so that alone says nothing.
pub(super) fn is_program(path: &Path, bytes: &[u8]) -> bool {
    bytes.starts_with(b"#!") || (bytes.starts_with(b"\x7FELF") && is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

/// A program that is an inventory.
pub(super) struct Program<'a> {
    path: PathBuf,
    /// As a person would name it.
    shown: &'a str,
}

impl<'a> Program<'a> {
    pub(super) fn new(path: &Path, shown: &'a str) -> Self {
        // A name without a directory would be looked for in PATH.
        Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()), shown }
    }

    /// Runs it, and reads what it says into the graph.
    ///
    /// # Errors
    /// It can't be run, fails, or prints something else than groups.
    pub(super) fn read(&self, graph: &mut Graph, warnings: &mut Vec<Diagnostic>) -> Result<(), Diagnostic> {
        let list = self.document(&["--list"])?;
        warnings.extend(list.warnings.iter().cloned());
        let groups = entries(&list, "the output")?;
        let mut reader = Reader { list: &list, graph, hosts: IndexSet::new() };
        for (name, entry) in groups.into_iter().flatten().filter(|(name, _)| *name != META) {
            reader.group(name, entry)?;
        }
        let hosts = reader.hosts;
        match groups
            .and_then(|groups| groups.get(META))
            .map(|meta| host_variables(&list, meta))
            .transpose()?
        {
            Some(Some(known)) => take_known(graph, &hosts, &list, known),
            _ => self.ask_for_each(graph, &hosts),
        }
    }

    /// Asks for the variables of one host after the other, as of programs that do not tell all at once.
    fn ask_for_each(&self, graph: &mut Graph, hosts: &IndexSet<String>) -> Result<(), Diagnostic> {
        let asked =
            hosts.iter().collect::<Vec<_>>().into_par_iter().map(|host| -> Result<VariableMap, Diagnostic> {
                let document = self.document(&["--host", host])?;
                let found = entries(&document, "the output")?;
                Ok(found.map(|found| variables(&document, found)).unwrap_or_default())
            });
        let answers: Vec<VariableMap> = asked.collect::<Result<_, _>>()?;
        for (host, variables) in hosts.iter().zip(answers) {
            set_all(graph, host, &variables)?;
        }
        Ok(())
    }

    /// What it prints when it is called with these arguments.
    fn document(&self, arguments: &[&str]) -> Result<Document, Diagnostic> {
        let called = format!("{} {}", self.shown, arguments.join(" "));
        let output = self.run(arguments, &called)?;
        Document::parse(&SourceText::from_bytes(called, output.stdout)?)
    }

    fn run(&self, arguments: &[&str], called: &str) -> Result<Output, Diagnostic> {
        let failed = |why: String| Diagnostic::new(format!("the inventory `{called}` {why}"));
        let output = Command::new(&self.path).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| {
            let problem = failed(format!("could not be run: {}", reason(&error)));
            if !is_executable(&self.path) {
                return problem.hint(format!("`chmod +x {}`", self.shown));
            }
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            if missing { problem.hint("its first line names a program that is not there") } else { problem }
        })?;
        if output.status.success() {
            return Ok(output);
        }
        let how = match (output.status.code(), output.status.signal()) {
            (Some(code), _) => format!("ended with {code}"),
            (None, signal) => format!("was killed by signal {}", signal.unwrap_or_default()),
        };
        Err(failed(how).with_output(transport::printable(&output.stderr)))
    }
}

/// The entries of a map; none if there is nothing.
fn entries<'d>(document: &'d Document, what: &str) -> Result<Option<&'d Map>, Diagnostic> {
    document.root.as_deref().map_or(Ok(None), |root| match &root.content {
        Content::Scalar(value) if value.is_null() => Ok(None),
        _ => map(document, root, what).map(Some),
    })
}

fn map<'d>(document: &Document, node: &'d Node, what: &str) -> Result<&'d Map, Diagnostic> {
    match &node.content {
        Content::Map(entries) => Ok(entries),
        _ => {
            let kind = node.kind();
            Err(document.at(node.at).error(format!("{what} has to be a map in JSON, and this is {kind}")))
        }
    }
}

fn list<'d>(document: &Document, node: &'d Node, what: &str) -> Result<Vec<&'d str>, Diagnostic> {
    let wrong = |node: &Node, wanted| {
        document.at(node.at).error(format!("{what} has to be a list of names, and {wanted} {}", node.kind()))
    };
    let Content::List(items) = &node.content else { return Err(wrong(node, "this is")) };
    let name = |item: &'d std::rc::Rc<Node>| match &item.content {
        Content::Scalar(serde_json::Value::String(name)) => Ok(name.as_str()),
        _ => Err(wrong(item, "this in it is")),
    };
    items.iter().map(name).collect()
}

/// What `_meta` has of all hosts. `None` if it does not say.
fn host_variables<'d>(document: &Document, meta: &'d Entry) -> Result<Option<&'d Map>, Diagnostic> {
    let parts = map(document, &meta.value, "`_meta`")?;
    parts.get("hostvars").map(|known| map(document, &known.value, "`hostvars`")).transpose()
}

fn take_known(
    graph: &mut Graph,
    hosts: &IndexSet<String>,
    document: &Document,
    known: &Map,
) -> Result<(), Diagnostic> {
    for host in hosts {
        if let Some(entry) = known.get(host) {
            let found = map(document, &entry.value, &format!("what is said about `{host}`"))?;
            set_all(graph, host, &variables(document, found))?;
        }
    }
    Ok(())
}

fn set_all(graph: &mut Graph, host: &str, variables: &VariableMap) -> Result<(), Diagnostic> {
    let (host, _) = graph.host(host);
    variables.iter().try_for_each(|(name, variable)| graph.set_of_host(host, name, variable))
}

struct Reader<'a> {
    list: &'a Document,
    graph: &'a mut Graph,
    /// All that are in a group.
    hosts: IndexSet<String>,
}

impl Reader<'_> {
    fn group(&mut self, name: &str, entry: &Entry) -> Result<(), Diagnostic> {
        let group = self.graph.group(name);
        let parts = match &entry.value.content {
            Content::Map(parts) => parts,
            _ => return self.members(group, &entry.value, name),
        };
        if !parts.keys().any(|part| PARTS.contains(&part.as_str())) {
            self.member(group, name);
            return self.set_all(group, parts);
        }
        if let Some(hosts) = parts.get("hosts") {
            self.members(group, &hosts.value, name)?;
        }
        if let Some(values) = parts.get("vars") {
            let values = map(self.list, &values.value, &format!("`vars` of `{name}`"))?;
            self.set_all(group, values)?;
        }
        if let Some(children) = parts.get("children") {
            for child in list(self.list, &children.value, &format!("`children` of `{name}`"))? {
                let child = self.graph.group(child);
                self.graph.add_child(group, child, Some(self.list.at(children.key_at)));
            }
        }
        Ok(())
    }

    fn members(&mut self, group: usize, node: &Node, name: &str) -> Result<(), Diagnostic> {
        let hosts = list(self.list, node, &format!("the hosts of `{name}`"))?;
        hosts.into_iter().for_each(|host| self.member(group, host));
        Ok(())
    }

    fn member(&mut self, group: usize, name: &str) {
        let (host, _) = self.graph.host(name);
        self.graph.add_member(group, host);
        self.hosts.insert(name.to_owned());
    }

    fn set_all(&mut self, group: usize, values: &Map) -> Result<(), Diagnostic> {
        let values = variables(self.list, values);
        values.iter().try_for_each(|(name, variable)| self.graph.set_of_group(group, name, variable))
    }
}
