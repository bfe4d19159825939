//! A package as repositories and the package database describe it.

use super::plist::{Dictionary, Value};
use super::version;

/// The properties of a package, by the names that xbps gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package(pub Dictionary);

/// How far a package has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its files are there; its script has not run.
    Unpacked,
    /// All is done.
    Installed,
    /// Its files are gone.
    HalfRemoved,
    /// Something else, written by another program.
    Unknown,
}

impl State {
    /// The two letters for it in lists.
    pub fn letters(self) -> &'static str {
        match self {
            Self::Unpacked => "uu",
            Self::Installed => "ii",
            Self::HalfRemoved => "hr",
            Self::Unknown => "??",
        }
    }
}

impl Package {
    /// A property, if it is a text; otherwise the empty text.
    pub fn text(&self, property: &str) -> &str {
        self.0.get(property).and_then(Value::text).unwrap_or_default()
    }

    /// A property, if it is a number; otherwise 0.
    pub fn number(&self, property: &str) -> u64 {
        match self.0.get(property) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        }
    }

    /// Whether a property is `true`.
    pub fn is(&self, property: &str) -> bool {
        self.0.get(property) == Some(&Value::Flag(true))
    }

    /// Whether a property is there at all: for `hold` and `repolock` nothing else counts.
    pub fn has(&self, property: &str) -> bool {
        self.0.contains_key(property)
    }

    /// The texts in a property that is a list.
    pub fn texts<'a>(&'a self, property: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let values = self.0.get(property).and_then(Value::list).unwrap_or_default();
        values.iter().filter_map(Value::text)
    }

    /// A property that is a script or a message.
    pub fn data(&self, property: &str) -> Option<&[u8]> {
        match self.0.get(property) {
            Some(Value::Data(data)) => Some(data),
            _ => None,
        }
    }

    /// Groups of alternatives with their links, by name.
    pub fn alternatives(&self) -> Vec<(&str, Vec<&str>)> {
        let groups = self.0.get("alternatives").and_then(Value::dictionary);
        groups
            .into_iter()
            .flatten()
            .map(|(group, links)| {
                let links = links.list().unwrap_or_default();
                (group.as_str(), links.iter().filter_map(Value::text).collect())
            })
            .collect()
    }

    /// Name and version: `chrony-4.6_1`.
    pub fn pkgver(&self) -> &str {
        self.text("pkgver")
    }

    /// The name.
    pub fn name(&self) -> &str {
        version::name(self.pkgver()).unwrap_or_default()
    }

    /// The version with its revision.
    pub fn version(&self) -> &str {
        version::version(self.pkgver()).unwrap_or_default()
    }

    /// How far it has come.
    pub fn state(&self) -> State {
        match self.text("state") {
            "unpacked" => State::Unpacked,
            "installed" => State::Installed,
            "half-removed" => State::HalfRemoved,
            _ => State::Unknown,
        }
    }

    /// Sets a property.
    pub fn set(&mut self, property: &str, value: Value) {
        self.0.insert(property.to_owned(), value);
    }

    /// Copies a property of another package, if that has it.
    pub fn inherit(&mut self, property: &str, other: &Self) {
        if let Some(value) = other.0.get(property) {
            self.set(property, value.clone());
        }
    }

    /// Whether it provides what `wanted`, a name, a pattern or a name with its version, asks for.
    pub fn provides(&self, wanted: &str) -> bool {
        provided(self.texts("provides"), wanted)
    }

    /// Whether it takes back the installed version `pkgver`.
    pub fn reverts(&self, pkgver: &str) -> bool {
        self.texts("reverts").any(|reverted| version::version(pkgver) == Some(reverted))
    }

    /// Whether it is, without regard to what it provides, what a name, a pattern or a name with its version asks for.
    pub fn is_called(&self, wanted: &str) -> bool {
        if version::pattern_version(wanted).is_some() {
            version::matches(self.pkgver(), wanted)
        } else if version::version(wanted).is_some() {
            self.pkgver() == wanted
        } else {
            self.name() == wanted
        }
    }

    /// The name of its file in a repository.
    pub fn file_name(&self) -> String {
        format!("{}.{}.xbps", self.pkgver(), self.text("architecture"))
    }
}

/// Whether one of these virtual packages, names with versions, is what `wanted` asks for.
fn provided<'a>(mut provided: impl Iterator<Item = &'a str>, wanted: &str) -> bool {
    if version::pattern_version(wanted).is_some() {
        provided.any(|one| version::matches(one, wanted) || version::matches(wanted, one))
    } else if version::version(wanted).is_some() {
        provided.any(|one| one == wanted)
    } else {
        provided.any(|one| version::name(one) == Some(wanted))
    }
}
