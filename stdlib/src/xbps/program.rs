//! Running the programs of xbps.

use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::scratch::Scratch;
use refrain_engine::system::{Command, Output, System};

use super::configuration;
use super::explanation::explain;
use super::prediction::Prediction;
use crate::prediction_state::PredictionState;

/// How xbps is called: with which repositories and which index of them.
#[derive(Clone)]
pub struct Xbps<'a> {
    context: &'a Context<'a>,
    /// Repositories beside those that are configured, before them.
    repositories: &'a [String],
    /// The index is fetched for this one command, and not stored.
    in_memory: bool,
    /// No other repositories count, whatever is configured.
    exclusive: bool,
    /// Configured repositories as they would be.
    configuration: Option<Scratch>,
}

impl<'a> Xbps<'a> {
    /// With the index as it is on the host, or, if it shall be a `fresh` one, as it is in the repositories.
    ///
    /// # Errors
    /// Check mode does not know how it would be configured.
    pub fn new(context: &'a Context<'a>, repositories: &'a [String], fresh: bool) -> Result<Self, Failure> {
        let in_memory = fresh || Prediction::look(context.host).refreshed;
        let configuration = configuration::predicted(context.host)?;
        Ok(Self { context, repositories, in_memory, exclusive: false, configuration })
    }

    /// The same with one repository and no other.
    #[must_use]
    pub fn only(&self, repository: &'a String) -> Self {
        Self { repositories: std::slice::from_ref(repository), exclusive: true, ..self.clone() }
    }

    /// `xbps-install` that says what it would do with these `options` and `packages`.
    pub fn plan_install(&self, options: &[&str], packages: &[String]) -> Command {
        let words = self.repository_words();
        let options = ["-n"].iter().chain(options).map(|word| (*word).to_owned());
        self.command("xbps-install", options.chain(words).chain(packages.iter().cloned()).collect())
    }

    /// `xbps-query` that asks the repositories.
    pub fn query(&self, words: &[&str]) -> Command {
        let repositories = self.repository_words();
        let words = words.iter().map(|word| (*word).to_owned());
        self.command("xbps-query", ["-R".to_owned()].into_iter().chain(repositories).chain(words).collect())
    }

    fn repository_words(&self) -> Vec<String> {
        let flags = [(self.in_memory, "-M"), (self.exclusive, "-i")];
        let flags = flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.to_owned());
        flags.chain(self.repositories.iter().map(|repository| format!("--repository={repository}"))).collect()
    }

    /// `program` with these words that changes the packages: check mode does not get so far.
    pub fn changing(&self, program: &str, words: impl IntoIterator<Item = String>) -> Command {
        let repositories = self.repositories.iter().map(|repository| format!("--repository={repository}"));
        let argv = [program.to_owned(), "-y".to_owned()].into_iter().chain(repositories).chain(words);
        self.context.command(argv)
    }

    /// Whether the index is fetched instead of read.
    pub fn is_fresh(&self) -> bool {
        self.in_memory
    }

    fn command(&self, program: &str, words: Vec<String>) -> Command {
        let mut argv = vec![program.to_owned()];
        if self.configuration.is_some() {
            argv.extend(["-C".to_owned(), configuration::place()]);
        }
        argv.extend(words);
        Command { scratch: self.configuration.clone(), ..self.context.command(argv) }
    }

    /// Asks one of these commands. It only reads.
    ///
    /// # Errors
    /// There is no xbps, or it took too long; an exit status other than 0 is not an error here.
    pub fn ask(&self, command: &Command) -> Result<Output, Failure> {
        self.context.host.probe(command).map_err(no_xbps)
    }
}

/// Runs a command that changes packages; a failure says why.
///
/// # Errors
/// It failed.
pub fn run(system: &dyn System, command: &Command) -> Result<Output, Failure> {
    let output = system.run(command).map_err(no_xbps)?;
    if output.status == 0 { Ok(output) } else { Err(explain(command, &output)) }
}

/// A host without xbps is another kind of host, mostly.
fn no_xbps(failure: Failure) -> Failure {
    match failure {
        Failure::Start { program, reason } if reason.contains("no such program") => {
            Failure::state(format!("the host has no `{program}`"))
                .advise("the functions of `xbps` are for Void Linux; `pkg` works on other systems, too")
        }
        other => other,
    }
}

/// The shorter one of the time that a command has and another one.
pub fn at_most(time: Option<Duration>, other: Duration) -> Duration {
    time.map_or(other, |time| time.min(other))
}
