//! The files of the configuration, with those that they include.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Config;
use super::criteria::{About, Criterion};
use super::directive::{self, Directive};
use super::setting::Setting;
use crate::diagnostic::{Diagnostic, Location};
use crate::failure;
use crate::transport::ssh::{LocalUser, pattern};

/// Files may include one another so deep, as with ssh.
const DEEPEST: usize = 16;

/// So many files are read at most: patterns may name files that name them again.
const MOST_FILES: usize = 1000;

/// The configuration of all users, and where its includes are looked for.
const SYSTEM: &str = "/etc/ssh/ssh_config";

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub statements: Vec<Statement>,
}

impl File {
    /// Whether a `Match final` stands in it or in what it includes.
    pub(super) fn wants_final(&self) -> bool {
        self.statements.iter().any(|statement| match statement {
            Statement::Match(criteria, _) => criteria.iter().any(|criterion| criterion.about == About::Final),
            Statement::Include(files) => files.iter().any(Self::wants_final),
            _ => false,
        })
    }
}

/// What a line says, with the files that it names.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    Host(Vec<String>),
    Match(Vec<Criterion>, Location),
    Set(Setting),
    Unheeded(&'static str, Location),
    Refused(&'static str, Location),
    Include(Vec<File>),
}

/// The configurations that were read: each once in a run.
#[derive(Default)]
pub(crate) struct Files {
    read: Mutex<HashMap<Option<PathBuf>, Arc<Config>>>,
}

impl Files {
    /// The configuration in `file`, or the usual one of `user` and of all users.
    ///
    /// # Errors
    /// All that is wrong with it, in one error.
    pub(crate) fn of(&self, file: Option<&Path>, user: &LocalUser) -> Result<Arc<Config>, Diagnostic> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(&file.map(Path::to_owned)) {
            return Ok(Arc::clone(known));
        }
        let config = Arc::new(load(file, user)?);
        read.insert(file.map(Path::to_owned), Arc::clone(&config));
        Ok(config)
    }
}

fn load(file: Option<&Path>, user: &LocalUser) -> Result<Config, Diagnostic> {
    let own = user.ssh_directory();
    let mut reading = Reading { user, directory: own.clone(), is_own: false, count: 0 };
    match file {
        Some(file) if file == Path::new("none") => Ok(Config::default()),
        Some(file) => {
            let read = reading.file(file, 0)?;
            let read = read.ok_or_else(|| unreadable(file, &io::ErrorKind::NotFound.into()))?;
            Ok(Config::new(vec![read]))
        }
        None => {
            let mut files = Vec::new();
            if let Some(own) = own {
                reading.is_own = true;
                files.extend(reading.file(&own.join("config"), 0)?);
            }
            let system = Path::new(SYSTEM);
            let directory = system.parent().map(Path::to_owned);
            let mut reading = Reading { user, directory, is_own: false, count: 0 };
            files.extend(reading.file(system, 0)?);
            Ok(Config::new(files))
        }
    }
}

struct Reading<'a> {
    user: &'a LocalUser,
    /// Where included files are that are named by a relative path.
    directory: Option<PathBuf>,
    /// Nobody else may write the files.
    is_own: bool,
    count: usize,
}

impl Reading<'_> {
    /// Reads a file and what it includes; `None` where there is none.
    fn file(&mut self, path: &Path, depth: usize) -> Result<Option<File>, Diagnostic> {
        self.count += 1;
        if depth > DEEPEST || self.count > MOST_FILES {
            let path = path.display();
            return Err(Diagnostic::new(format!("too many files include one another, at last `{path}`")));
        }
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(path, &error)),
        };
        if self.is_own {
            check_owner(path)?;
        }
        let directives = directive::read(&path.display().to_string(), &String::from_utf8_lossy(&text));
        let directives = directives.map_err(|problems| {
            let more = problems.len() - 1;
            let first = problems.into_iter().next().unwrap_or_default();
            if more == 0 { first } else { first.because(format!("{more} more lines make no sense")) }
        })?;
        let mut statements = Vec::with_capacity(directives.len());
        for directive in directives {
            statements.push(match directive {
                Directive::Host(patterns) => Statement::Host(patterns),
                Directive::Match(criteria, place) => Statement::Match(criteria, place),
                Directive::Set(setting) => Statement::Set(setting),
                Directive::Unheeded(keyword, place) => Statement::Unheeded(keyword, place),
                Directive::Refused(keyword, place) => Statement::Refused(keyword, place),
                Directive::Include(names) => Statement::Include(self.included(&names, depth)?),
            });
        }
        Ok(Some(File { statements }))
    }

    fn included(&mut self, names: &[String], depth: usize) -> Result<Vec<File>, Diagnostic> {
        let mut files = Vec::new();
        for name in names {
            let named = self.user.expand(Path::new(name));
            let named = match &self.directory {
                Some(directory) => directory.join(named),
                None => named,
            };
            for path in named_by(&named) {
                files.extend(self.file(&path, depth + 1)?);
            }
        }
        Ok(files)
    }
}

/// The files that a path names whose parts may be patterns, sorted.
fn named_by(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path {
        let wanted = part.to_string_lossy();
        if !wanted.contains(['*', '?']) {
            found.iter_mut().for_each(|place| place.push(part));
            continue;
        }
        let fits = |name: &str| {
            (wanted.starts_with('.') || !name.starts_with('.')) && pattern::matches(&wanted, name)
        };
        let below = |place: &PathBuf| {
            let entries = fs::read_dir(place).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            names.filter(|name| fits(name)).map(|name| place.join(name)).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(below).collect();
    }
    found.sort();
    found
}

/// As ssh does: what another user could have written says whom to trust.
fn check_owner(path: &Path) -> Result<(), Diagnostic> {
    let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let own = found.uid() == 0 || found.uid() == rustix::process::getuid().as_raw();
    if own && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Diagnostic::new(format!("others may write the ssh configuration `{path}`"))
        .hint(format!("`chmod 600 {path}`")))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let reason = failure::reason(error);
    Diagnostic::new(format!("could not read the ssh configuration `{}`: {reason}", path.display()))
}
