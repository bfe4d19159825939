//! `xbps::repository` and `xbps::repository_absent`.

use std::fmt;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Kind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::configuration::{DIRECTORY, VENDOR};
use super::placed_file::PlacedFile;
use crate::one_or_many::OneOrMany;

/// The name of a file in `/etc/xbps.d`, without `.conf`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct RepositoryName(String);

impl TryFrom<String> for RepositoryName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_odd = |letter: char| !letter.is_ascii_alphanumeric() && !"-_.+".contains(letter);
        if name.is_empty() || name.starts_with('.') || name.contains(is_odd) || name.ends_with(".conf") {
            return Err(format!(
                "`{name}` can't be the name of a repository: it is that of its file, without `.conf`"
            ));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RepositoryName {
    fn file_in(&self, directory: &str) -> PathBuf {
        Path::new(directory).join(format!("{}.conf", self.0))
    }
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

crate::argument_schema::argument_schema!(Address, { "type": "string" });

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(address: String) -> Result<Self, String> {
        let is_known = ["/", "http://", "https://", "ftp://"].iter().any(|start| address.starts_with(start));
        if !is_known || address.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err(format!(
                "`{address}` is no repository: that is a URL (https, http, ftp) or an absolute path"
            ));
        }
        Ok(Self(address))
    }
}

/// Configures where packages come from.
///
/// ```rhai
/// xbps::repository("00-repository-main", "https://repo-default.voidlinux.org/current/musl");
/// xbps::repository("50-matrix", ["https://packages.example/a", "/srv/packages"]);
/// ```
///
/// The file `/etc/xbps.d/NAME.conf` has exactly these repositories then. It hides the file of the same name that the
/// distribution has in `/usr/share/xbps.d`. Files count in the order of their names, and of two repositories that have a
/// package, the first one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The name of the file, without `.conf`.
    name: RepositoryName,
    /// The repositories, the preferred one first: each a URL, or a directory on the host.
    url: OneOrMany<Address>,
}

impl State for Repository {
    const NAME: &'static str = "xbps::repository";
    const POSITIONAL: &'static [&'static str] = &["name", "url"];
    type Found = PlacedFile;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<PlacedFile, Failure> {
        if self.url.0.is_empty() {
            return Err(Failure::argument("url", "a repository has at least one address")
                .advise(format!("xbps::repository_absent(\"{}\") is for having none", self.name)));
        }
        PlacedFile::look(context.host, &self.name.file_in(DIRECTORY))
    }

    fn plan(&self, found: &PlacedFile) -> Result<Plan, Failure> {
        let text: String = self.url.0.iter().map(|address| format!("repository={}\n", address.0)).collect();
        Ok(found.plan(text.into_bytes()))
    }
}

/// What hides a file of the distribution.
const NONE: &str = "# No repository: this file hides the one of the same name in /usr/share/xbps.d.\n";

/// Makes sure that there is no repository of this name.
///
/// ```rhai
/// xbps::repository_absent("10-repository-nonfree");
/// ```
///
/// The file `/etc/xbps.d/NAME.conf` is removed. Where the distribution has one of the same name in `/usr/share/xbps.d`, an
/// empty one hides that instead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepositoryAbsent {
    /// The name of the file, without `.conf`.
    name: RepositoryName,
}

/// What is at the place of the file.
#[derive(Debug)]
pub enum Found {
    /// The distribution has such a file.
    Hiding(PlacedFile),
    /// Something that has to go; its path and its kind.
    There(PathBuf, Kind),
    /// Nothing.
    Nothing,
}

impl State for RepositoryAbsent {
    const NAME: &'static str = "xbps::repository_absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host: &dyn View = context.host;
        let path = self.name.file_in(DIRECTORY);
        if host.stat(&self.name.file_in(VENDOR))?.is_some() {
            return PlacedFile::look(host, &path).map(Found::Hiding);
        }
        let stat = host.lstat(&path)?;
        Ok(stat.map_or(Found::Nothing, |stat| Found::There(path, stat.kind)))
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(match found {
            Found::Hiding(file) => file.plan(NONE.as_bytes().to_vec()),
            Found::There(path, kind) => vec![Change::Remove { path: path.clone(), what: kind.word() }.into()],
            Found::Nothing => Plan::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_plain() {
        let name = |name: &str| RepositoryName::try_from(name.to_owned());
        assert!(name("00-repository-main").is_ok());
        for wrong in ["", "../x", "a/b", "main.conf", ".hidden", "a b"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        let address = |address: &str| Address::try_from(address.to_owned());
        assert!(address("https://repo.example/current").is_ok() && address("/srv/repo").is_ok());
        for wrong in ["", "srv/repo", "repo.example", "https://a b", "https://a\nignorepkg=x"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
