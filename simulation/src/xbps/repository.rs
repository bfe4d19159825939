//! Repositories, and the pool of all that are configured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::configuration::Providers;
use super::database::{find, find_provider};
use super::disk::Disk;
use super::errno::Errno;
use super::index::Index;
use super::key::Key;
use super::network::{Network, is_remote, local_file};
use super::package::Package;
use super::plist::Value;

/// Adds a repository to a list, unless it is there. A relative path is meant from the root.
pub fn register(repositories: &mut Vec<String>, url: &str) {
    let url = if is_remote(url) || url.starts_with('/') { url.to_owned() } else { format!("/{url}") };
    if !repositories.contains(&url) {
        repositories.push(url);
    }
}

/// The directory below that of the metadata where the index of a remote repository is kept.
pub fn kept_in(url: &str) -> String {
    let scheme_end = url.find("://").map_or(0, |at| at + 3);
    let has_path = url[scheme_end..].contains('/');
    // A URL without a path means the one with a slash.
    let url = if has_path { url.to_owned() } else { format!("{url}/") };
    url.replace(['.', '/', ':'], "_")
}

/// A repository that was opened.
#[derive(Debug)]
pub struct Repository {
    /// Its URL or path.
    pub url: String,
    /// Its packages by name.
    pub packages: BTreeMap<String, Package>,
    /// Its key, if it is signed.
    pub key: Option<Key>,
}

impl Repository {
    /// A package of it as it is handed out: it knows where it is from.
    fn hand_out(&self, package: &Package) -> Package {
        let mut package = package.clone();
        package.set("pkgname", Value::Text(package.name().to_owned()));
        package.set("repository", Value::Text(self.url.clone()));
        package
    }

    /// The package that is asked for. `providers` are those of the configuration.
    pub fn get(&self, providers: &Providers, wanted: &str) -> Option<Package> {
        let provider = providers.named(wanted).and_then(|provider| find(&self.packages, provider));
        let package = provider.or_else(|| find(&self.packages, wanted))?;
        Some(self.hand_out(package))
    }

    /// The package that provides the virtual one that is asked for.
    pub fn provider(&self, providers: &Providers, wanted: &str) -> Option<Package> {
        find_provider(&self.packages, providers, wanted).map(|package| self.hand_out(package))
    }

    /// All packages, sorted by name.
    pub fn all(&self) -> impl Iterator<Item = Package> {
        self.packages.values().map(|package| self.hand_out(package))
    }
}

/// How repositories are opened.
pub struct Opener<'a> {
    /// The files of the host.
    pub disk: Disk<'a>,
    /// What is behind remote ones.
    pub network: Network<'a>,
    /// The directory of the metadata.
    pub meta: PathBuf,
    /// The architecture.
    pub architecture: String,
    /// Whether indexes of remote ones are fetched for this one run.
    pub in_memory: bool,
}

impl Opener<'_> {
    /// Opens a repository.
    ///
    /// # Errors
    /// What is printed on standard error: nothing where there is no index.
    pub fn open(&self, url: &str) -> Result<Repository, Option<String>> {
        let name = format!("{}-repodata", self.architecture);
        let index = if is_remote(url) && self.in_memory {
            let failed = |errno: Errno| Some(format!("failed to open repository: {url}: {errno}"));
            let fetched = self.network.fetch(url, &name).map_err(|error| failed(error.errno()))?;
            Index::from_bytes(&fetched).map_err(failed)?
        } else {
            let directory = if is_remote(url) { self.meta.join(kept_in(url)) } else { PathBuf::from(url) };
            self.kept(&directory, &name).map_err(|errno| {
                let place = directory.join(&name);
                (errno != Errno::ENOENT)
                    .then(|| format!("failed to open repodata: {}: {errno}", place.display()))
            })?
        };
        let mut packages = index.packages;
        if !is_remote(url) {
            packages.extend(index.stage);
        }
        Ok(Repository { url: url.to_owned(), packages, key: index.key })
    }

    fn kept(&self, directory: &Path, name: &str) -> Result<Index, Errno> {
        Index::from_bytes(&local_file(self.disk, directory, name)?)
    }
}

/// All repositories, opened when they are needed.
pub struct Pool<'a> {
    /// How they are opened.
    pub opener: Opener<'a>,
    /// Those to look in, in this order.
    pub urls: Vec<String>,
    opened: Vec<Repository>,
    /// What went wrong, to be printed.
    pub complaints: Vec<String>,
}

impl<'a> Pool<'a> {
    /// The pool of these repositories.
    pub fn new(opener: Opener<'a>, urls: Vec<String>) -> Self {
        Self { opener, urls, opened: Vec::new(), complaints: Vec::new() }
    }

    fn opened(&self, url: &str) -> Option<usize> {
        self.opened.iter().position(|repository| repository.url == url)
    }

    fn open(&mut self, url: &str) -> Option<usize> {
        match self.opener.open(url) {
            Ok(repository) => {
                self.opened.push(repository);
                Some(self.opened.len() - 1)
            }
            Err(complaint) => {
                self.complaints.extend(complaint);
                None
            }
        }
    }

    /// Looks into one repository after the other until something is found. Those that can't be opened are forgotten.
    ///
    /// # Errors
    /// `ENOTSUP` when there is no repository.
    pub fn search<T>(&mut self, mut look: impl FnMut(&Repository) -> Option<T>) -> Result<Option<T>, Errno> {
        let mut at = 0;
        while at < self.urls.len() {
            let url = self.urls[at].clone();
            let Some(opened) = self.opened(&url).or_else(|| self.open(&url)) else {
                self.urls.remove(at);
                continue;
            };
            if let Some(found) = look(&self.opened[opened]) {
                return Ok(Some(found));
            }
            at += 1;
        }
        if at == 0 { Err(Errno::ENOTSUP) } else { Ok(None) }
    }

    /// The repository of a package that is bound to it: only if it is open or none is.
    pub fn bound(&mut self, url: &str) -> Option<&Repository> {
        if self.opened.is_empty() && self.urls.iter().any(|known| known == url) {
            self.open(url);
        }
        self.opened(url).map(|at| &self.opened[at])
    }

    /// A repository, if it is open.
    pub fn get(&self, url: &str) -> Option<&Repository> {
        self.opened(url).map(|at| &self.opened[at])
    }
}
