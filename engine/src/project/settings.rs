//! What a project says about itself, in its `refrain.toml`.

use std::ops::Range;
use std::path::{Component, Path};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use toml_edit::{Document, Item, Key, Table};

use super::vendor::VendoredRole;
use super::{MARKER, ansible_cfg};
use crate::diagnostic::Diagnostic;
use crate::escalation::Method;
use crate::inventory::Variable;
use crate::origin::{Origin, SourceText};

/// What a project says about itself. Paths are relative to its top.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectSettings {
    /// Inventories: files, directories, or lists of hosts with a comma.
    pub inventories: Vec<String>,
    /// Whether the inventories were named, and have to be there.
    pub inventories_are_named: bool,
    /// Directories where playbooks are looked for that are named by themselves.
    pub playbook_paths: Vec<String>,
    /// Directories where roles are looked for, in order.
    pub role_paths: Vec<String>,
    /// At most so many hosts at once.
    pub forks: Option<u16>,
    /// How long to wait for another run that is at work on a host, in seconds.
    pub lock_timeout: Option<u32>,
    /// How hosts are reached, as the variables that say so: they hold where no inventory sets them.
    pub connection: IndexMap<String, Variable>,
    /// Roles from elsewhere.
    pub vendored: Vec<VendoredRole>,
    /// What is suspicious, or to be known.
    pub warnings: Vec<Diagnostic>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self {
            inventories: vec!["inventory".to_owned()],
            inventories_are_named: false,
            playbook_paths: vec!["playbooks".to_owned()],
            role_paths: vec!["roles".to_owned(), "playbooks/roles".to_owned()],
            forks: None,
            lock_timeout: None,
            connection: IndexMap::new(),
            vendored: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// The keys of a file.
const TOP: [&str; 8] =
    ["inventory", "playbooks", "roles", "forks", "lock_timeout", "ssh", "become", "vendor"];

/// The keys of a vendored role.
const VENDOR: [&str; 3] = ["git", "commit", "path"];

/// The keys of `[ssh]`, and the variables that say the same.
const SSH: [(&str, &str); 5] = [
    ("user", "ansible_user"),
    ("port", "ansible_port"),
    ("private_key", "ansible_ssh_private_key_file"),
    ("check_host_keys", "ansible_host_key_checking"),
    ("timeout", "ansible_timeout"),
];

/// The keys of `[become]`, and the variables that say the same.
const BECOME: [(&str, &str); 3] =
    [("enabled", "ansible_become"), ("user", "ansible_become_user"), ("method", "ansible_become_method")];

impl ProjectSettings {
    /// What the project at a directory says: its `refrain.toml`, or for want of one its `ansible.cfg`.
    ///
    /// # Errors
    /// The file can't be read, or has something that makes no sense.
    pub fn of(root: &Path) -> Result<Self, Diagnostic> {
        if root.join(MARKER).is_file() { Self::read(root) } else { ansible_cfg::read(root) }
    }

    fn read(root: &Path) -> Result<Self, Diagnostic> {
        Self::parse(&SourceText::read(&root.join(MARKER), MARKER)?)
    }

    fn parse(source: &Arc<SourceText>) -> Result<Self, Diagnostic> {
        let document = Document::parse(source.text()).map_err(|error| {
            let at = source.at_byte(error.span().map_or(0, |span| span.start));
            at.error(format!("not valid TOML: {}", error.message().replace('\n', ", ")))
        })?;
        let mut settings = Self::default();
        for entry in entries(document.as_table(), source, "the project", &TOP)? {
            settings.take(&entry)?;
        }
        Ok(settings)
    }

    /// The settings of the connection as `[ssh]` and `[become]` have them.
    pub fn sections(&self) -> [(&'static str, Vec<(&'static str, &Value)>); 2] {
        let of = |keys: &[(&'static str, &'static str)]| {
            let value = |variable: &str| self.connection.get(variable).map(|found| &found.value);
            keys.iter().filter_map(|(key, variable)| Some((*key, value(variable)?))).collect()
        };
        [("ssh", of(&SSH)), ("become", of(&BECOME))]
    }

    fn take(&mut self, entry: &Entry<'_>) -> Result<(), Diagnostic> {
        match entry.name {
            "inventory" => {
                self.inventories = entry.texts()?;
                self.inventories_are_named = true;
            }
            "playbooks" => self.playbook_paths = entry.texts()?,
            "roles" => self.role_paths = entry.texts()?,
            "forks" => self.forks = Some(entry.number(1)?),
            "lock_timeout" => self.lock_timeout = Some(entry.number(0)?),
            "ssh" => self.take_connection(entry, &SSH)?,
            "vendor" => self.take_vendored(entry)?,
            _ => self.take_connection(entry, &BECOME)?,
        }
        Ok(())
    }

    fn take_vendored(&mut self, entry: &Entry<'_>) -> Result<(), Diagnostic> {
        let Some(table) = entry.item.as_table() else { return Err(entry.wrong("a table")) };
        let roles: Vec<&str> = table.iter().map(|(name, _)| name).collect();
        for role in entries(table, entry.source, "`[vendor]`", &roles)? {
            if !is_role_name(role.name) {
                return Err(role.at.error(format!("`{}` can't be the name of a role", role.name)));
            }
            let of = format!("`[vendor.{}]`", role.name);
            let Some(parts) = role.item.as_table() else { return Err(role.wrong("a table")) };
            let parts = entries(parts, role.source, &of, &VENDOR)?;
            let part = |key: &str| parts.iter().find(|part| part.name == key);
            let needed = |key: &str| {
                let missing = || role.at.error(format!("{of} has no `{key}`"));
                part(key).ok_or_else(missing).and_then(|part| Ok((part, part.text()?)))
            };
            let (git, commit) = (needed("git")?, needed("commit")?);
            if git.1.starts_with('-') {
                return Err(git.0.wrong("a repository"));
            }
            let is_whole = matches!(commit.1.len(), 40 | 64);
            if !is_whole || !commit.1.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                let problem = commit.0.wrong("a commit with all of its 40 digits");
                return Err(problem.hint("branches and tags move; `git rev-parse NAME` says what one is now"));
            }
            let path = part("path").map(|path| path.text().map(|text| (path, text))).transpose()?;
            if let Some((path, text)) = &path
                && !stays_inside(text)
            {
                return Err(path.wrong("a path inside of the repository"));
            }
            self.vendored.push(VendoredRole {
                name: role.name.to_owned(),
                git: git.1,
                commit: commit.1.to_lowercase(),
                path: path.map(|(_, text)| text).unwrap_or_default(),
                at: role.at.clone(),
            });
        }
        Ok(())
    }

    fn take_connection(&mut self, entry: &Entry<'_>, keys: &[(&str, &str)]) -> Result<(), Diagnostic> {
        let Some(table) = entry.item.as_table() else { return Err(entry.wrong("a table")) };
        let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        for inner in entries(table, entry.source, &format!("`[{}]`", entry.name), &names)? {
            let variable = keys.iter().find(|(key, _)| *key == inner.name).map_or(inner.name, |(_, to)| *to);
            let value = inner.scalar()?;
            if variable == "ansible_become_method" {
                Method::named(value.as_str().unwrap_or_default())
                    .map_err(|problem| inner.located(problem))?;
            }
            self.connection.insert(variable.to_owned(), Variable::new(value, inner.at.clone()));
        }
        Ok(())
    }
}

/// Whether a text can be the name of a role, and of its directory.
fn is_role_name(name: &str) -> bool {
    let usual = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(usual)
}

/// Whether a path stays below where it starts.
fn stays_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// A key and what it has.
struct Entry<'a> {
    name: &'a str,
    item: &'a Item,
    source: &'a Arc<SourceText>,
    at: Origin,
}

/// The entries of a table, all of whose keys are known.
fn entries<'a>(
    table: &'a Table,
    source: &'a Arc<SourceText>,
    of: &str,
    known: &[&str],
) -> Result<Vec<Entry<'a>>, Diagnostic> {
    let entry = |(name, item): (&'a str, &'a Item)| {
        let at = source.at_byte(table.key(name).and_then(Key::span).map_or(0, |span| span.start));
        if known.contains(&name) {
            return Ok(Entry { name, item, source, at });
        }
        let problem = at.error(format!("{of} has no setting `{name}`"));
        let known = known.iter().copied();
        let all = known.clone().collect::<Vec<_>>().join(", ");
        let near = problem.near(name, known);
        Err(if near.hint.is_none() { near.hint(format!("there are {all}")) } else { near })
    };
    table.iter().map(entry).collect()
}

impl Entry<'_> {
    fn wrong(&self, wanted: &str) -> Diagnostic {
        self.located(Diagnostic::new(format!("`{}` has to be {wanted}", self.name)))
    }

    /// A problem with the value, at its place.
    fn located(&self, problem: Diagnostic) -> Diagnostic {
        let start = self.item.span().map(|Range { start, .. }| self.source.at_byte(start));
        problem.at(start.as_ref().unwrap_or(&self.at).location())
    }

    fn text(&self) -> Result<String, Diagnostic> {
        self.item.as_str().map(str::to_owned).ok_or_else(|| self.wrong("a text"))
    }

    fn texts(&self) -> Result<Vec<String>, Diagnostic> {
        let wrong = || self.wrong("a text or a list of texts");
        if let Some(text) = self.item.as_str() {
            return Ok(vec![text.to_owned()]);
        }
        let items = self.item.as_array().ok_or_else(wrong)?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }

    fn number<T: TryFrom<i64>>(&self, least: i64) -> Result<T, Diagnostic> {
        let number = self.item.as_integer().filter(|number| *number >= least);
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.wrong(&format!("a whole number from {least} on, and not too large")))
    }

    fn scalar(&self) -> Result<Value, Diagnostic> {
        let item = self.item;
        let number = || item.as_integer().map(Value::from).or_else(|| item.as_float().map(Value::from));
        let other = || item.as_bool().map(Value::from).or_else(number);
        item.as_str()
            .map(Value::from)
            .or_else(other)
            .ok_or_else(|| self.wrong("a text, a number, or true or false"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"((inventory|roles|forks|ssh|become|port|user)|[ =\[\]{}"'.,\n0-9a-b#-]|\PC){0,40}"#) {
            let _ = ProjectSettings::parse(&SourceText::new(MARKER, text));
        }
    }
}
