//! One call of a tool: its settings, the database, the repositories, and what it prints.

use std::collections::VecDeque;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::configuration::{Configuration, Providers};
use super::database::Database;
use super::disk::Disk;
use super::errno::Errno;
use super::network::Network;
use super::options::Options;
use super::package::Package;
use super::repository::{self, Opener, Pool, Repository};
use crate::invocation::Invocation;

/// One call of a tool.
pub struct Xbps<'c, 'h> {
    call: &'c mut Invocation<'h>,
    /// The files of the host.
    pub disk: Disk<'h>,
    /// The root directory that is worked on, `/` mostly.
    pub root: PathBuf,
    /// The directory of the database.
    pub meta: PathBuf,
    /// The directory of downloaded packages.
    pub cache: PathBuf,
    /// What the configuration files say.
    pub configuration: Configuration,
    /// Who provides virtual packages: by the configuration, and what is installed.
    pub providers: Providers,
    /// The architecture, `x86_64` for instance.
    pub architecture: String,
    /// What is installed.
    pub database: Database,
    /// The repositories.
    pub pool: Pool<'h>,
    /// Whether more is told.
    pub is_verbose: bool,
    /// Standard output that is not written yet: what scripts print comes before it.
    pending: String,
    answers: Option<VecDeque<u8>>,
}

/// The letters of options that all tools have.
const ROOT: char = 'r';
const CONFIGURATION: char = 'C';
const CACHE: char = 'c';

impl<'c, 'h> Xbps<'c, 'h> {
    /// Reads the configuration and the database as the options say. `repositories` are those of the command line;
    /// with `ignore_repositories` they are all.
    ///
    /// # Errors
    /// The database is broken.
    pub fn open(
        call: &'c mut Invocation<'h>,
        options: &Options,
        repositories: Vec<String>,
        ignore_repositories: bool,
        in_memory: bool,
    ) -> Result<Self, Errno> {
        let disk = Disk(call.system);
        let root = call.absolute(Path::new(options.last(ROOT).unwrap_or("/")));
        let below = |option: char, default: &str| match options.last(option) {
            Some(path) => root.join(path),
            None => root.join(default),
        };
        let directories = [below(CONFIGURATION, "etc/xbps.d"), root.join("usr/share/xbps.d")];
        let mut urls = Vec::new();
        repositories.iter().for_each(|url| repository::register(&mut urls, url));
        let directories = [directories[0].as_path(), directories[1].as_path()];
        let configuration = Configuration::read(disk, &root, directories, urls, ignore_repositories);
        let meta = root.join("var/db/xbps");
        let cache = match (options.last(CACHE), &configuration.cache) {
            (None, Some(cache)) => root.join(cache),
            _ => below(CACHE, "var/cache/xbps"),
        };
        let environment = call.environment.get("XBPS_ARCH").filter(|architecture| !architecture.is_empty());
        let architecture = environment.or(configuration.architecture.as_ref()).cloned();
        let architecture = architecture.unwrap_or_else(|| "x86_64".to_owned());
        let opener = Opener {
            disk,
            network: Network::new(disk, call.environment),
            meta: meta.clone(),
            architecture: architecture.clone(),
            in_memory,
        };
        let pool = Pool::new(opener, configuration.repositories.clone());
        let providers = configuration.providers.clone();
        let mut xbps = Self {
            call,
            disk,
            root,
            meta,
            cache,
            configuration,
            providers,
            architecture,
            database: Database::default(),
            pool,
            is_verbose: options.has('v'),
            pending: String::new(),
            answers: None,
        };
        xbps.read_database()?;
        Ok(xbps)
    }

    fn read_database(&mut self) -> Result<(), Errno> {
        self.database = match Database::read(self.disk, &self.meta) {
            Ok(database) => database,
            Err(errno) => {
                self.error(format!("cannot access to pkgdb: {errno}"));
                return Err(errno);
            }
        };
        for package in self.database.packages() {
            package.texts("provides").for_each(|provided| self.providers.add(provided, package.name()));
        }
        Ok(())
    }

    /// Makes sure that only this tool changes the database, and reads what others did to it.
    ///
    /// # Errors
    /// It may not be changed, which is printed.
    pub fn lock(&mut self) -> Result<(), Errno> {
        let place = self.meta.join("lock");
        let locked = self.disk.make_directories(&self.meta).and_then(|()| match self.call.process {
            Some(process) => {
                let call = &mut *self.call;
                let mut waits = || call.complain("WARNING: package database locked, waiting...");
                let locked = process.lock(&place, &mut waits);
                locked.map_err(|error| Errno(error.raw_os_error().unwrap_or(Errno::EIO.0)))
            }
            None if self.disk.exists(&place) => Ok(()),
            None => self.disk.write(&place, b"", 0o644),
        });
        if let Err(errno) = locked {
            self.error(format!("failed to lock package database: {errno}"));
            return Err(errno);
        }
        self.read_database()
    }

    /// Writes the database.
    ///
    /// # Errors
    /// It can't be written.
    pub fn save(&self) -> Result<(), Errno> {
        self.database.write(self.disk, &self.meta)
    }

    /// How many bytes are free on the disk. Inside another process, there is always enough.
    pub fn free_space(&self) -> u64 {
        const ENOUGH: u64 = 250_000_000_000;
        self.call.process.and_then(|process| process.free_space(&self.root)).unwrap_or(ENOUGH)
    }

    /// Where a path inside the root is on the host.
    pub fn inside(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Prints a line on standard output.
    pub fn say(&mut self, line: impl Display) {
        self.print(line);
        self.pending.push('\n');
    }

    /// Prints on standard output, without an end of the line.
    pub fn print(&mut self, text: impl Display) {
        self.pending.push_str(&text.to_string());
    }

    /// Prints a line on standard error.
    pub fn complain(&mut self, line: impl Display) {
        self.call.complain(line);
    }

    /// Prints an error on standard error.
    pub fn error(&mut self, line: impl Display) {
        self.call.complain(format!("ERROR: {line}"));
    }

    /// Writes what was printed, so that what others print comes after it.
    pub fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        self.call.print(pending);
    }

    /// Asks a question. No answer is not a yes; an empty one is.
    pub fn asks(&mut self, question: &str) -> bool {
        self.call.prompt(format!("{question} [Y/n] "));
        let stdin = self.call.stdin;
        let answers = self.answers.get_or_insert_with(|| stdin().into());
        let line: Vec<u8> = match answers.iter().position(|byte| *byte == b'\n') {
            Some(end) => answers.drain(..=end).collect(),
            None => answers.drain(..).collect(),
        };
        matches!(line.first(), Some(b'\n' | b'y' | b'Y'))
    }

    /// The host, for scripts.
    pub fn call(&mut self) -> &mut Invocation<'h> {
        self.call
    }

    /// Looks into all repositories, one after the other. What can't be opened is told.
    ///
    /// # Errors
    /// `ENOTSUP` when there is no repository.
    pub fn search<T>(&mut self, look: impl FnMut(&Repository) -> Option<T>) -> Result<Option<T>, Errno> {
        let found = self.pool.search(look);
        self.tell_complaints();
        found
    }

    /// Prints what the pool has to complain about.
    pub fn tell_complaints(&mut self) {
        for complaint in std::mem::take(&mut self.pool.complaints) {
            self.error(complaint);
        }
    }

    /// The package that is asked for, from the first repository that has it, or the best of all.
    ///
    /// # Errors
    /// `ENOTSUP` when there is no repository.
    pub fn available(&mut self, wanted: &str) -> Result<Option<Package>, Errno> {
        let providers = self.configuration.providers.clone();
        if !self.configuration.best_matching {
            return self.search(|repository| repository.get(&providers, wanted));
        }
        let mut best: Option<Package> = None;
        self.search(|repository| {
            let found = repository.get(&providers, wanted);
            let is_better = |found: &Package| {
                best.as_ref()
                    .is_none_or(|best| super::version::compare(found.pkgver(), best.pkgver()).is_gt())
            };
            if let Some(found) = found.filter(is_better) {
                best = Some(found);
            }
            None::<()>
        })?;
        Ok(best)
    }

    /// The package that provides a virtual one, from the first repository that has one.
    ///
    /// # Errors
    /// `ENOTSUP` when there is no repository.
    pub fn available_provider(&mut self, wanted: &str) -> Result<Option<Package>, Errno> {
        let providers = self.providers.clone();
        self.search(|repository| repository.provider(&providers, wanted))
    }

    /// The package that is asked for or provides that, from a repository.
    ///
    /// # Errors
    /// `ENOTSUP` when there is no repository.
    pub fn available_or_provider(&mut self, wanted: &str) -> Result<Option<Package>, Errno> {
        match self.available(wanted)? {
            Some(package) => Ok(Some(package)),
            None => self.available_provider(wanted),
        }
    }
}

impl Drop for Xbps<'_, '_> {
    fn drop(&mut self) {
        self.flush();
    }
}
