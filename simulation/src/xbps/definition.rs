//! What a package is made of, as JSON: properties, files, scripts.
//!
//! ```json
//! {
//!   "pkgver": "chrony-4.6_1",
//!   "short_desc": "Versatile implementation of the Network Time Protocol (NTP)",
//!   "run_depends": ["libseccomp>=2.5"],
//!   "system_accounts": ["_chrony"],
//!   "make_dirs": ["/var/lib/chrony 0750 _chrony _chrony"],
//!   "files": {
//!     "/etc/chrony.conf": { "configuration": "pool pool.ntp.org iburst\n" },
//!     "/etc/sv/chronyd/run": "#!/bin/sh\nexec chronyd -n -u _chrony\n",
//!     "/etc/sv/chronyd/supervise": { "link": "/run/runit/supervise.chronyd" },
//!     "/usr/bin/chronyd": { "size": 2000 }
//!   }
//! }
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::disk::sha256;
use super::package::Package;
use super::plist::{Dictionary, Value};

/// What a package is made of. Properties have the names that xbps gives them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Definition {
    /// Name and version.
    pub pkgver: String,
    /// `noarch`, or that of the repository when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Other properties: those of [`PROPERTIES`].
    #[serde(flatten)]
    pub properties: IndexMap<String, Property>,
    /// Accounts that the package makes: users with their own groups, each perhaps with `:ID`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system_accounts: Vec<String>,
    /// Groups that the package makes, each perhaps with `:ID`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system_groups: Vec<String>,
    /// Directories that the package makes: `PATH MODE USER GROUP`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub make_dirs: Vec<String>,
    /// The script that runs before and after unpacking.
    #[serde(rename = "install-script", skip_serializing_if = "Option::is_none")]
    pub install_script: Option<String>,
    /// The script that runs before and after removing.
    #[serde(rename = "remove-script", skip_serializing_if = "Option::is_none")]
    pub remove_script: Option<String>,
    /// What is shown when it is installed.
    #[serde(rename = "install-msg", skip_serializing_if = "Option::is_none")]
    pub install_message: Option<String>,
    /// What is shown when it is removed.
    #[serde(rename = "remove-msg", skip_serializing_if = "Option::is_none")]
    pub remove_message: Option<String>,
    /// How large the package file is at least, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive_size: Option<usize>,
    /// Its files, by their paths.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub files: IndexMap<String, Entry>,
    /// Directories without a file in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directories: Vec<String>,
}

/// The properties that are just handed on.
const PROPERTIES: &[&str] = &[
    "alternatives",
    "changelog",
    "conflicts",
    "homepage",
    "license",
    "maintainer",
    "preserve",
    "provides",
    "replaces",
    "reverts",
    "run_depends",
    "shlib-provides",
    "shlib-requires",
    "short_desc",
    "tags",
];

/// The value of a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Property {
    /// `true` or `false`.
    Flag(bool),
    /// A text.
    Text(String),
    /// A list.
    Texts(Vec<String>),
    /// Groups of alternatives: links as `LINK:TARGET`.
    Groups(IndexMap<String, Vec<String>>),
}

/// A file or link of a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A file of this content.
    Content(String),
    /// Anything else.
    Special(Special),
}

/// A file or link about which there is more to say. One of `content`, `data`, `configuration`, `size` and `link` is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Special {
    /// The content of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The same in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The content of a configuration file, which is kept where somebody changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The size of a file whose content does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Where a link points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Permissions in octal digits. When absent, programs and scripts are 0755, all else 0644.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// What is to be put in place.
#[derive(Clone, Debug, PartialEq)]
pub enum Unpacked {
    /// A file.
    File {
        /// Its content.
        content: Vec<u8>,
        /// Its permissions.
        mode: u32,
        /// Whether it is a configuration file.
        is_configuration: bool,
    },
    /// A link.
    Link(String),
}

impl Definition {
    /// Reads a list of definitions.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_all(json: &str) -> Result<Vec<Self>, String> {
        let definitions: Vec<Self> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        definitions.iter().try_for_each(Self::check)?;
        Ok(definitions)
    }

    fn check(&self) -> Result<(), String> {
        if super::version::version(&self.pkgver).is_none() {
            return Err(format!("`{}` is no name with a version", self.pkgver));
        }
        match self.properties.keys().find(|property| !PROPERTIES.contains(&property.as_str())) {
            Some(unknown) => Err(format!("{}: there is no property `{unknown}`", self.pkgver)),
            None => Ok(()),
        }
    }

    /// What is to be put in place at a path.
    fn unpacked(&self, path: &str, entry: &Entry) -> Unpacked {
        let special = match entry {
            Entry::Content(content) => &Special { content: Some(content.clone()), ..Special::default() },
            Entry::Special(special) => special,
        };
        if let Some(target) = &special.link {
            return Unpacked::Link(target.clone());
        }
        let text = special.content.as_ref().or(special.configuration.as_ref());
        let content = match (text, &special.data) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(data)) => refrain_engine::base64::decode(data).unwrap_or_default(),
            (None, None) => filler(&format!("{} {path}\n", self.pkgver), special.size.unwrap_or_default()),
        };
        let mode = special.mode.as_ref().and_then(|mode| u32::from_str_radix(mode, 8).ok());
        let runs = path.contains("/bin/") || content.starts_with(b"#!");
        let mode = mode.unwrap_or(if runs { 0o755 } else { 0o644 });
        Unpacked::File { content, mode, is_configuration: special.configuration.is_some() }
    }

    /// Its files and links, by their paths, in the order of the definition.
    pub fn unpack(&self) -> impl Iterator<Item = (&str, Unpacked)> {
        self.files.iter().map(|(path, entry)| (path.as_str(), self.unpacked(path, entry)))
    }

    /// The properties that its archive holds.
    pub fn package(&self, architecture: &str) -> Package {
        let mut package = Package::default();
        for (property, value) in &self.properties {
            package.set(property, value.to_plist());
        }
        package.set("pkgver", Value::from(self.pkgver.as_str()));
        package.set("architecture", Value::from(self.architecture.as_deref().unwrap_or(architecture)));
        let files: Vec<_> = self.unpack().collect();
        let size = |unpacked: &Unpacked| match unpacked {
            Unpacked::File { content, .. } => content.len() as u64,
            Unpacked::Link(_) => 0,
        };
        package.set("installed_size", Value::Number(files.iter().map(|(_, unpacked)| size(unpacked)).sum()));
        let configuration = files.iter().filter(|(_, unpacked)| unpacked.is_configuration());
        let configuration: Vec<_> = configuration.map(|(path, _)| *path).collect();
        if !configuration.is_empty() {
            package.set("conf_files", Value::texts(configuration));
        }
        for (name, text) in [("install-msg", &self.install_message), ("remove-msg", &self.remove_message)] {
            if let Some(text) = text {
                package.set(name, Value::Data(text.clone().into_bytes()));
            }
        }
        package
    }

    /// What is added to the properties when the archive itself is at hand.
    pub fn scripts(&self) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
        let scripts = [
            ("install-script", self.install_script.clone().or_else(|| self.generated_script())),
            ("remove-script", self.remove_script.clone()),
        ];
        scripts.into_iter().filter_map(|(name, text)| Some((name, text?.into_bytes())))
    }

    /// The script that makes accounts and directories, as Void's packages have one.
    fn generated_script(&self) -> Option<String> {
        let words = |command: &str, words: &[String]| {
            words.iter().map(|word| format!("\t{command} {word}\n")).collect::<String>()
        };
        let groups = words("system-group", &self.system_groups);
        let accounts = format!("{groups}{}", words("system-account", &self.system_accounts));
        let directories = words("mkdirs", &self.make_dirs);
        if accounts.is_empty() && directories.is_empty() {
            return None;
        }
        Some(format!(
            "#!/bin/sh\ncase \"$1\" in\npre)\n{accounts}\t;;\npost)\n{directories}\t;;\nesac\nexit 0\n"
        ))
    }

    /// The list of its files, as it is kept beside the package database. `None` for a package without any.
    pub fn file_list(&self) -> Option<Dictionary> {
        let mut lists: [(&str, Vec<(String, Dictionary)>); 4] =
            [("conf_files", Vec::new()), ("dirs", Vec::new()), ("files", Vec::new()), ("links", Vec::new())];
        for (path, unpacked) in self.unpack() {
            let (list, entry) = match &unpacked {
                Unpacked::File { content, is_configuration, .. } => {
                    let entry = Dictionary::from([
                        ("sha256".to_owned(), Value::Text(sha256(content))),
                        ("size".to_owned(), Value::Number(content.len() as u64)),
                    ]);
                    (if *is_configuration { 0 } else { 2 }, entry)
                }
                Unpacked::Link(target) => {
                    let target = absolute(path, target);
                    (3, Dictionary::from([("target".to_owned(), Value::Text(target))]))
                }
            };
            lists[list].1.push((path.to_owned(), entry));
        }
        lists[1].1.extend(self.all_directories().into_iter().map(|path| (path, Dictionary::new())));
        let mut all = Dictionary::new();
        for (list, mut entries) in lists {
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            let entries: Vec<_> = entries
                .into_iter()
                .map(|(path, mut entry)| {
                    entry.insert("file".to_owned(), Value::Text(path));
                    Value::Dictionary(entry)
                })
                .collect();
            if !entries.is_empty() {
                all.insert(list.to_owned(), Value::List(entries));
            }
        }
        (!all.is_empty()).then_some(all)
    }

    /// All directories that its files are in, and those without a file.
    fn all_directories(&self) -> BTreeSet<String> {
        let parents = self.files.keys().flat_map(|path| Path::new(path).ancestors().skip(1));
        let named = self.directories.iter().flat_map(|path| Path::new(path).ancestors());
        let paths = parents.chain(named).filter_map(Path::to_str);
        paths.filter(|path| *path != "/" && !path.is_empty()).map(str::to_owned).collect()
    }
}

impl Unpacked {
    /// Whether it is a configuration file.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::File { is_configuration: true, .. })
    }
}

impl Property {
    fn to_plist(&self) -> Value {
        match self {
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Texts(texts) => Value::texts(texts.iter().map(String::as_str)),
            Self::Groups(groups) => {
                let groups = groups
                    .iter()
                    .map(|(group, links)| (group.clone(), Value::texts(links.iter().map(String::as_str))));
                Value::Dictionary(groups.collect())
            }
        }
    }
}

/// So many bytes that differ from package to package and from file to file.
fn filler(line: &str, size: usize) -> Vec<u8> {
    line.bytes().cycle().take(size).collect()
}

/// The target of a link as lists of files have it: seen from the root.
pub fn absolute(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let mut parts: Vec<&str> = link.split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "" | "." => {}
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// What the file of a package begins with, in place of an archive.
const MAGIC: &str = "simulated xbps package\n";

impl Definition {
    /// The file of the package: at least as large as the definition says.
    pub fn to_archive(&self, architecture: &str) -> Vec<u8> {
        let resolved = Self { architecture: Some(self.architecture_or(architecture)), ..self.clone() };
        // A structure of texts can always be written.
        let json = serde_json::to_string(&resolved).unwrap_or_default();
        let mut archive = format!("{MAGIC}{json}").into_bytes();
        archive.resize(archive.len().max(self.archive_size.unwrap_or_default()), b' ');
        archive
    }

    /// The package in a file. `None` when it is broken.
    pub fn from_archive(archive: &[u8]) -> Option<Self> {
        serde_json::from_slice(archive.strip_prefix(MAGIC.as_bytes())?).ok()
    }

    fn architecture_or(&self, architecture: &str) -> String {
        self.architecture.clone().unwrap_or_else(|| architecture.to_owned())
    }

    /// The properties of the package as an index has them: with the size and checksum of its file.
    pub fn indexed(&self, architecture: &str) -> Package {
        let archive = self.to_archive(architecture);
        let mut package = self.package(architecture);
        package.set("filename-size", Value::Number(archive.len() as u64));
        package.set("filename-sha256", Value::Text(sha256(&archive)));
        package
    }
}
