//! `~/.ssh/config` and `/etc/ssh/ssh_config`, as ssh_config(5) describes them: read once, asked about every host.

mod arguments;
mod criteria;
mod directive;
mod files;
mod options;
mod setting;
mod words;

#[cfg(test)]
mod differential;

pub(crate) use arguments::SshArguments;
pub(crate) use options::{HostOptions, Jump, Proxy};
pub(crate) use setting::{AddressFamily, HostKeyChecking};

use std::net::IpAddr;

use criteria::{About, Criterion};
use files::{File, Statement};

use super::pattern;
use crate::diagnostic::Location;

pub(crate) use files::Files;

/// Everything that was read, in the order in which it counts.
#[derive(Debug, Default)]
pub(crate) struct Config {
    files: Vec<File>,
    /// A `Match final` stands somewhere, wherever that is: then everything is gone through twice.
    wants_final: bool,
}

/// Whom the configuration is asked about.
pub(crate) struct Question<'a> {
    /// The host as a person names it.
    pub host: &'a str,
    /// The user who connects.
    pub local_user: &'a str,
    /// What is said elsewhere, and goes before.
    pub said: HostOptions,
}

impl Config {
    fn new(files: Vec<File>) -> Self {
        let wants_final = files.iter().any(File::wants_final);
        Self { files, wants_final }
    }

    /// What the configuration says about a host. Its `HostName` is there in any case.
    pub(crate) fn of(&self, question: Question<'_>) -> HostOptions {
        let mut asking = Asking {
            host: question.host.to_owned(),
            original: question.host,
            local_user: question.local_user,
            options: question.said,
            is_final: false,
        };
        asking.go_through(&self.files);
        let mut name = asking.host_name();
        if name.parse::<IpAddr>().is_err() {
            name = name.to_lowercase();
        }
        asking.options.host_name = Some(name.clone());
        if self.wants_final {
            asking.host = name;
            asking.is_final = true;
            asking.go_through(&self.files);
        }
        asking.options
    }
}

/// The configuration while it is asked about a host.
struct Asking<'a> {
    /// What `Host` is compared with.
    host: String,
    original: &'a str,
    local_user: &'a str,
    options: HostOptions,
    is_final: bool,
}

impl Asking<'_> {
    fn go_through(&mut self, files: &[File]) {
        for file in files {
            self.read(file);
        }
    }

    /// A file begins where its `Include` stands: where that holds, its first lines do.
    fn read(&mut self, file: &File) {
        let mut holds = true;
        for statement in &file.statements {
            match statement {
                Statement::Host(patterns) => {
                    holds = pattern::covers(patterns.iter().map(String::as_str), &self.host);
                }
                Statement::Match(criteria, place) => holds = self.fulfils(criteria, place),
                Statement::Set(setting) if holds => self.options.take(setting),
                Statement::Unheeded(keyword, place) if holds => self.options.pass_over(keyword, place),
                Statement::Refused(keyword, place) if holds => {
                    self.options.refused.get_or_insert_with(|| (keyword, place.clone()));
                }
                Statement::Include(files) if holds => self.go_through(files),
                _ => {}
            }
        }
    }

    fn fulfils(&mut self, criteria: &[Criterion], place: &Location) -> bool {
        let mut all = true;
        for Criterion { about, negated } in criteria {
            let holds = match about {
                About::All => true,
                About::Final => self.is_final,
                About::Host(patterns) => covers(patterns, &self.host_name().to_lowercase()),
                About::OriginalHost(patterns) => covers(patterns, &self.original.to_lowercase()),
                About::User(patterns) => {
                    covers(patterns, self.options.user.as_deref().unwrap_or(self.local_user))
                }
                About::LocalUser(patterns) => covers(patterns, self.local_user),
                About::Unheeded(keyword) => {
                    if all {
                        self.options.pass_over(keyword, place);
                    }
                    // Whatever it would say, it does not hold.
                    *negated
                }
            };
            all &= holds != *negated;
        }
        all
    }

    /// The name to connect to, as far as it is known.
    fn host_name(&self) -> String {
        match &self.options.host_name {
            Some(name) if !self.is_final => {
                name.replace("%%", "\0").replace("%h", &self.host).replace('\0', "%")
            }
            Some(_) | None => self.host.clone(),
        }
    }
}

fn covers(patterns: &str, name: &str) -> bool {
    pattern::covers(patterns.split(','), name)
}
