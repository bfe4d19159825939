//! The index of a repository.

use std::collections::BTreeMap;

use super::definition::Definition;
use super::errno::Errno;
use super::key::Key;
use super::package::Package;
use super::plist::{self, Dictionary, Value};

/// The index of a repository: packages by name, and who signs them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// Packages that can be installed.
    pub packages: BTreeMap<String, Package>,
    /// Packages that wait for others which need them, as new libraries wait for what is built with them.
    pub stage: BTreeMap<String, Package>,
    /// The key, if it is signed.
    pub key: Option<Key>,
}

/// What the file begins with, in place of an archive.
const MAGIC: &str = "simulated xbps repository\n";

impl Index {
    /// The index of a repository that holds these packages for an architecture.
    pub fn of(definitions: &[Definition], architecture: &str, key: Option<&Key>) -> Self {
        let packages = definitions.iter().map(|definition| definition.indexed(architecture));
        let fitting =
            packages.filter(|package| ["noarch", architecture].contains(&package.text("architecture")));
        let packages = fitting.map(|package| (package.name().to_owned(), package)).collect();
        Self { packages, stage: BTreeMap::new(), key: key.cloned() }
    }

    /// The file of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let packages = |packages: &BTreeMap<String, Package>| {
            let packages = packages.iter().map(|(name, package)| (name.clone(), package.0.clone()));
            Value::Dictionary(packages.map(|(name, package)| (name, Value::Dictionary(package))).collect())
        };
        let mut all = Dictionary::from([
            ("index".to_owned(), packages(&self.packages)),
            ("stage".to_owned(), packages(&self.stage)),
        ]);
        if let Some(key) = &self.key {
            all.insert("meta".to_owned(), Value::Dictionary(key.to_dictionary()));
        }
        format!("{MAGIC}{}", plist::write(&all)).into_bytes()
    }

    /// Reads the file of an index.
    ///
    /// # Errors
    /// `EILSEQ` for what never was an index, `EINVAL` for a broken one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Errno> {
        let text = bytes.strip_prefix(MAGIC.as_bytes()).ok_or(Errno::EILSEQ)?;
        let text = std::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
        let all = plist::parse(text).ok_or(Errno::EINVAL)?;
        let packages = |key: &str| {
            let packages = all.get(key).and_then(Value::dictionary).into_iter().flatten();
            let packages = packages.filter_map(|(name, package)| Some((name, package.dictionary()?)));
            packages.map(|(name, package)| (name.clone(), Package(package.clone()))).collect()
        };
        let key = all.get("meta").and_then(Value::dictionary).and_then(Key::from_dictionary);
        Ok(Self { packages: packages("index"), stage: packages("stage"), key })
    }
}
