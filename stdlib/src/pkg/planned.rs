//! What a package manager says that it would do.

use std::fmt;

use serde_json::{Value, json};

/// What is done to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is new.
    Install,
    /// It gets another version.
    Update,
    /// It goes.
    Remove,
}

/// What is done to one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// What is done.
    pub deed: Deed,
    /// The package.
    pub name: String,
    /// The version that it will have; of one that goes, the version that it has.
    pub version: String,
    /// The version that it has, where it gets another one.
    pub before: Option<String>,
}

impl Planned {
    /// One that comes, in place of the version `before` if there is one.
    pub fn coming(name: &str, version: &str, before: Option<&str>) -> Self {
        let deed = if before.is_some() { Deed::Update } else { Deed::Install };
        Self { deed, name: name.to_owned(), version: version.to_owned(), before: before.map(str::to_owned) }
    }

    /// One that goes.
    pub fn going(name: &str, version: &str) -> Self {
        Self { deed: Deed::Remove, name: name.to_owned(), version: version.to_owned(), before: None }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, .. } = self;
        match (self.deed, &self.before) {
            (Deed::Remove, _) => write!(f, "remove {name} {version}"),
            (Deed::Update, Some(before)) => write!(f, "update {name} to {version} (was {before})"),
            (Deed::Install | Deed::Update, _) => write!(f, "install {name} {version}"),
        }
    }
}

/// What an outcome says of the packages that were changed: an array with a map for each of them.
pub fn told(planned: &[Planned]) -> Value {
    let tell = |line: &Planned| {
        let change = match line.deed {
            Deed::Install => "install",
            Deed::Update => "update",
            Deed::Remove => "remove",
        };
        json!({ "name": line.name, "version": line.version, "before": line.before, "change": change })
    };
    planned.iter().map(tell).collect()
}
