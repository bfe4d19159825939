//! What the files in `/etc/xbps.d` and `/usr/share/xbps.d` say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::{repository, version};

/// Settings from configuration files.
#[derive(Debug, Default)]
pub struct Configuration {
    /// Repositories in the order in which packages are looked for.
    pub repositories: Vec<String>,
    /// Who provides virtual packages.
    pub providers: Providers,
    /// Names of dependencies that are not looked at.
    pub ignored: Vec<String>,
    /// Patterns of files that are not put in place.
    pub not_extracted: Vec<String>,
    /// Files that are not touched once they are there.
    pub preserved: Vec<String>,
    /// Whether configuration files that nobody changed stay as they are, too.
    pub keep_configuration: bool,
    /// Whether all repositories are searched for the highest version.
    pub best_matching: bool,
    /// The architecture, where one is set.
    pub architecture: Option<String>,
    /// The directory of downloaded packages, where one is set.
    pub cache: Option<PathBuf>,
}

impl Configuration {
    /// Reads the `.conf` files of these directories, below `root`. A file hides those of the same name in later directories.
    /// Repositories are added after `repositories`, unless `ignore_repositories` is set.
    pub fn read(
        disk: Disk<'_>,
        root: &Path,
        directories: [&Path; 2],
        repositories: Vec<String>,
        ignore_repositories: bool,
    ) -> Self {
        let mut reader = Reader {
            disk,
            root,
            ignore_repositories,
            configuration: Self { repositories, ..Self::default() },
        };
        let mut seen = Vec::new();
        for directory in directories {
            for name in disk.0.list(directory).unwrap_or_default() {
                let hidden = name.as_encoded_bytes().starts_with(b".");
                if hidden
                    || Path::new(&name).extension().is_none_or(|end| end != "conf")
                    || seen.contains(&name)
                {
                    continue;
                }
                reader.file(&directory.join(&name), false);
                seen.push(name);
            }
        }
        reader.configuration
    }

    /// Whether a dependency is not to be looked at.
    pub fn ignores(&self, requirement: &str) -> bool {
        let name = version::required_name(requirement).unwrap_or(requirement);
        self.ignored.iter().any(|ignored| ignored == name)
    }

    /// Whether a file, an absolute path inside the root, is not to be put in place.
    pub fn extracts(&self, file: &str) -> bool {
        let mut extracts = true;
        for pattern in &self.not_extracted {
            let (exception, pattern) = match pattern.strip_prefix('!') {
                Some(pattern) => (true, pattern),
                None => (false, pattern.strip_prefix('\\').unwrap_or(pattern)),
            };
            if version::glob(pattern, file, false) {
                extracts = exception;
            }
        }
        extracts
    }
}

struct Reader<'a> {
    disk: Disk<'a>,
    root: &'a Path,
    ignore_repositories: bool,
    configuration: Configuration,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, nested: bool) {
        let Ok(text) = self.disk.read_text(path) else { return };
        for line in text.lines() {
            let line = line.trim_matches([' ', '\t']);
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
                continue;
            };
            let (key, value) = (key.trim_end_matches([' ', '\t']), value.trim_start_matches([' ', '\t']));
            if key == "include" && !nested {
                self.include(path.parent().unwrap_or(path), value);
            } else {
                self.set(key, value);
            }
        }
    }

    /// Reads the files that a pattern means, seen from `directory`. Only the last part may be a pattern.
    fn include(&mut self, directory: &Path, pattern: &str) {
        let pattern = match pattern.strip_prefix('/') {
            Some(inside) => self.root.join(inside),
            None => directory.join(pattern),
        };
        let (Some(directory), Some(pattern)) =
            (pattern.parent(), pattern.file_name().and_then(|name| name.to_str()))
        else {
            return;
        };
        for name in self.disk.list(directory) {
            if version::glob(pattern, &name, true) {
                self.file(&directory.join(name), true);
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let configuration = &mut self.configuration;
        let yes = value.eq_ignore_ascii_case("true");
        match key {
            "repository" if !self.ignore_repositories => {
                repository::register(&mut configuration.repositories, value)
            }
            "virtualpkg" => {
                if let Some((provided, provider)) =
                    value.split_once(':').filter(|(_, provider)| !provider.is_empty())
                {
                    configuration.providers.add(provided, provider);
                }
            }
            "ignorepkg" => configuration.ignored.push(value.to_owned()),
            "noextract" if !value.is_empty() => configuration.not_extracted.push(value.to_owned()),
            "preserve" => configuration.preserved.push(value.to_owned()),
            "keepconf" => configuration.keep_configuration = yes,
            "bestmatching" => configuration.best_matching = yes,
            "architecture" => configuration.architecture = Some(value.to_owned()),
            "cachedir" => configuration.cache = Some(PathBuf::from(value)),
            // Settings of the real system (staging, syslog), and what xbps skips in silence, too.
            _ => {}
        }
    }
}

/// Who is to provide virtual packages: by their name, then by their name with version.
#[derive(Clone, Debug, Default)]
pub struct Providers(BTreeMap<String, BTreeMap<String, String>>);

impl Providers {
    /// Notes that `provider`, a name or a pattern, provides a virtual package.
    pub fn add(&mut self, provided: &str, provider: &str) {
        let (name, provided) = match version::name(provided) {
            Some(name) => (name, provided.to_owned()),
            None => (provided, format!("{provided}-99999_1")),
        };
        self.0.entry(name.to_owned()).or_default().insert(provided, provider.to_owned());
    }

    /// Who is to provide what a name, a pattern or a name with its version asks for.
    pub fn choose(&self, wanted: &str) -> Option<&str> {
        let name = version::required_name(wanted).unwrap_or(wanted);
        let is_pattern = version::pattern_version(wanted).is_some();
        let mut providers = self.0.get(name)?.iter();
        let fitting = providers.find(|(provided, _)| !is_pattern || version::matches(provided, wanted));
        fitting.map(|(_, provider)| provider.as_str())
    }

    /// Who is to provide the virtual package of exactly this name.
    pub fn named(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.values().next().map(String::as_str)
    }
}
