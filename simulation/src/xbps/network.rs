//! What the simulated world has behind `http://` and `https://`.
//!
//! A directory of the host stands for the network: the one that the environment names in `SIMULATED_NETWORK`, otherwise
//! `/srv/network`. In it, `HOST` or `HOST:PORT` is what that server holds, by the paths of the URLs. A server that is not
//! there refuses connections, and one whose name ends in `.invalid` has no address.
//!
//! A mirror of Void Linux is there always: any URL with `/current` in it, unless the directory has that server. It serves
//! the packages of `void.json`, signed with Void's key.
//!
//! In any directory of a server or host, packages may lie as files that `xbps-create` and `xbps-rindex` made, or as
//! definitions in a file `packages.json` (see [`definition`](super::definition)): then index, packages and signatures are
//! made from it whenever they are asked for. With a file `key.plist` beside it, they are signed with that key.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::definition::Definition;
use super::disk::Disk;
use super::errno::Errno;
use super::index::Index;
use super::key::{self, Key};

/// Why something can't be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// Nobody listens there.
    Refused,
    /// The server has no such file.
    NotFound,
    /// The name has no address.
    NoAddress,
    /// What came can't be kept.
    Unkept(Errno),
}

impl FetchError {
    /// The code of xbps's library for fetching, which it exits with.
    pub fn code(self) -> Errno {
        match self {
            Self::Refused => Errno(3),
            Self::NotFound => Errno(16),
            Self::NoAddress => Errno(13),
            Self::Unkept(errno) => errno,
        }
    }

    /// What is left of it where xbps reads a remote file as an archive.
    pub fn errno(self) -> Errno {
        match self {
            Self::NotFound => Errno::ENOENT,
            Self::Refused | Self::NoAddress => Errno::EIO,
            Self::Unkept(errno) => errno,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => formatter.write_str("Connection refused"),
            Self::NotFound => formatter.write_str("Not Found"),
            Self::NoAddress => formatter.write_str("Transient resolver failure"),
            Self::Unkept(errno) => errno.fmt(formatter),
        }
    }
}

/// Whether a repository is fetched from.
pub fn is_remote(url: &str) -> bool {
    ["http://", "https://", "ftp://"].iter().any(|scheme| url.starts_with(scheme))
}

/// The network, as seen from a host.
#[derive(Clone)]
pub struct Network<'a> {
    disk: Disk<'a>,
    directory: PathBuf,
}

impl<'a> Network<'a> {
    /// The network that a command with this environment sees.
    pub fn new(disk: Disk<'a>, environment: &BTreeMap<String, String>) -> Self {
        let directory = environment.get("SIMULATED_NETWORK").map_or("/srv/network", String::as_str);
        Self { disk, directory: PathBuf::from(directory) }
    }

    /// Fetches the file `name` of the repository at `url`.
    ///
    /// # Errors
    /// There is nobody, or no such file.
    pub fn fetch(&self, url: &str, name: &str) -> Result<Vec<u8>, FetchError> {
        let (_, place) = url.split_once("://").ok_or(FetchError::NoAddress)?;
        let (server, path) = place.split_once('/').unwrap_or((place, ""));
        let directory = self.directory.join(server);
        if self.disk.exists(&directory) {
            return local_file(self.disk, &directory.join(path), name).map_err(|_| FetchError::NotFound);
        }
        if server.ends_with(".invalid") {
            return Err(FetchError::NoAddress);
        }
        let mirrored = void_repository(path).ok_or(FetchError::Refused)?;
        made_file(&mirrored.0, name, Some(&key::void())).ok_or(FetchError::NotFound)
    }
}

/// The file `name` of the repository in a directory of the host: as it lies there, or made from `packages.json`.
///
/// # Errors
/// There is no such file and none can be made.
pub fn local_file(disk: Disk<'_>, directory: &Path, name: &str) -> Result<Vec<u8>, Errno> {
    match disk.read(&directory.join(name)) {
        Err(Errno::ENOENT) => {}
        read => return read,
    }
    let definitions = disk.read_text(&directory.join("packages.json"))?;
    let definitions = Definition::read_all(&definitions).map_err(|_| Errno::EINVAL)?;
    let key = disk.read_text(&directory.join("key.plist")).ok();
    let key = key.and_then(|text| Key::from_dictionary(&super::plist::parse(&text)?));
    made_file(&definitions, name, key.as_ref()).ok_or(Errno::ENOENT)
}

/// The file `name` of a repository of these packages.
fn made_file(definitions: &[Definition], name: &str, key: Option<&Key>) -> Option<Vec<u8>> {
    if let Some(architecture) = name.strip_suffix("-repodata") {
        return Some(Index::of(definitions, architecture, key).to_bytes());
    }
    if let Some(signed) = name.strip_suffix(".sig2") {
        return Some(key?.sign(&made_file(definitions, signed, None)?));
    }
    let (pkgver, architecture) = name.strip_suffix(".xbps")?.rsplit_once('.')?;
    let definition = definitions.iter().find(|definition| definition.pkgver == pkgver)?;
    let archive = definition.to_archive(architecture);
    (definition.package(architecture).text("architecture") == architecture).then_some(archive)
}

/// Packages of one repository of the mirror.
struct Mirrored(Vec<Definition>);

/// The repository of Void Linux at a path such as `voidlinux/current/musl/nonfree`.
fn void_repository(path: &str) -> Option<Mirrored> {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).skip_while(|part| *part != "current");
    parts.next()?;
    let inside: Vec<&str> = parts.filter(|part| !["musl", "aarch64"].contains(part)).collect();
    let name = if inside.is_empty() { "main".to_owned() } else { inside.join("/") };
    let mut repositories: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(include_str!("void.json")).ok()?;
    let definitions = repositories.remove(&name)?;
    Definition::read_all(&definitions.to_string()).ok().map(Mirrored)
}

#[cfg(test)]
mod tests {
    use super::super::version;
    use super::*;

    #[test]
    fn the_catalogue_is_sound() {
        for path in
            ["current", "current/musl", "current/nonfree", "x/current/multilib", "current/multilib/nonfree"]
        {
            let definitions = void_repository(path).expect(path).0;
            let names: Vec<_> =
                definitions.iter().map(|definition| version::name(&definition.pkgver)).collect();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(names, sorted, "{path}");
        }
        assert!(void_repository("current/nowhere").is_none());
        assert!(void_repository("void").is_none());
    }

    #[test]
    fn all_dependencies_are_in_the_catalogue() {
        let main = void_repository("current").expect("it is built in").0;
        let index = Index::of(&main, "x86_64", None);
        for path in ["current", "current/nonfree"] {
            for package in void_repository(path).expect("it is built in").0 {
                let package = package.package("x86_64");
                for wanted in package.texts("run_depends") {
                    let found =
                        index.packages.values().any(|one| one.is_called(wanted) || one.provides(wanted));
                    assert!(found, "{}: {wanted}", package.pkgver());
                }
                let mut libraries = package.texts("shlib-requires");
                let provided = |library: &str| {
                    index.packages.values().any(|one| one.texts("shlib-provides").any(|one| one == library))
                };
                assert_eq!(libraries.find(|library| !provided(library)), None, "{}", package.pkgver());
            }
        }
    }
}
