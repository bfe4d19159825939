//! The supervisor of a host's services, as `sv` gives access to it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::{Command, Output, System, View};

use super::places::Places;
use super::reported::Reported;
use super::service_name::ServiceName;
use crate::seconds::Seconds;

/// How long a service may take by default. runsvdir looks for new services every five seconds.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether something has happened.
const PAUSE: Duration = Duration::from_millis(50);

/// Gives orders to services, and asks about them.
#[derive(Clone, Debug)]
pub struct Supervisor {
    directory: PathBuf,
    /// What all commands have in common.
    base: Command,
    /// How long a service may take.
    patience: Duration,
}

impl Supervisor {
    /// That of the services in `places`. A service may take as long as `timeout` says, [`PATIENCE`] when absent.
    pub fn new(context: &Context<'_>, places: &Places, timeout: Option<Seconds>) -> Self {
        let mut base = context.command(["sv"]);
        // Where `sv` looks depends on the distribution.
        base.environment.insert("SVDIR".to_owned(), places.directory.display().to_string());
        let patience = timeout.map_or(PATIENCE, |Seconds(timeout)| timeout);
        let patience = context.materials.time_left().map_or(patience, |left| left.min(patience));
        Self { directory: places.directory.clone(), base, patience }
    }

    /// How long a service may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    fn command(&self, words: &[&str]) -> Command {
        let argv = std::iter::once("sv").chain(words.iter().copied());
        Command { argv: argv.map(str::to_owned).collect(), ..self.base.clone() }
    }

    fn ask(&self, host: &dyn View, words: &[&str]) -> Result<(Command, Output), Failure> {
        let command = self.command(words);
        let output = host.probe(&command).map_err(without_sv)?;
        Ok((command, output))
    }

    /// What is said of these services, in their order.
    ///
    /// # Errors
    /// There is no `sv`, or it says something else.
    pub fn status(&self, host: &dyn View, names: &[&ServiceName]) -> Result<Vec<Reported>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let words: Vec<&str> = std::iter::once("status").chain(names.iter().map(|name| &***name)).collect();
        let (command, output) = self.ask(host, &words)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        names
            .iter()
            .map(|name| Reported::read(&printed, name).ok_or_else(|| output.failure(command.to_shell())))
            .collect()
    }

    /// Waits until a service is supervised: runsvdir takes some seconds to see a new one. Returns what is said of it then.
    ///
    /// # Errors
    /// It is not after the time that it may take.
    pub fn wait_for(&self, host: &dyn View, name: &ServiceName) -> Result<Reported, Failure> {
        let start = Instant::now();
        loop {
            let reported = self.status(host, &[name])?.swap_remove(0);
            let Reported::Unsupervised(reason) = reported else { return Ok(reported) };
            if start.elapsed() >= self.patience {
                let what = format!("runsvdir has not taken up `{name}` ({reason})");
                return Err(Failure::state(format!("{what} after {} s", self.patience.as_secs_f64()))
                    .advise(format!(
                        "does runsvdir scan `{}`? a root in which nothing runs is `--root-kind offline`",
                        self.directory.display()
                    )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until what is said of a service is as `wanted`, for at most `patience`. Returns what was said last.
    ///
    /// # Errors
    /// As [`Supervisor::status`].
    pub fn wait_until(
        &self,
        host: &dyn View,
        name: &ServiceName,
        patience: Duration,
        wanted: impl Fn(&Reported) -> bool,
    ) -> Result<Reported, Failure> {
        let start = Instant::now();
        loop {
            let reported = self.status(host, &[name])?.swap_remove(0);
            if wanted(&reported) || start.elapsed() >= patience {
                return Ok(reported);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Ends the service in `directory` and its supervisor, if there is one.
    ///
    /// # Errors
    /// It has not ended in the time that it may take, nor after KILL.
    pub fn end(&self, system: &dyn System, directory: &Path) -> Result<(), Failure> {
        let name = ServiceName::at(directory);
        let command = self.order("force-shutdown", &name);
        let output = system.run(&command).map_err(without_sv)?;
        // When the time is over `sv` sends KILL, says so, and does not wait for what comes of that.
        let gone = |reported: &Reported| matches!(reported, Reported::Unsupervised(_));
        let last = self.wait_until(system, &name, self.patience, gone)?;
        if gone(&last) { Ok(()) } else { Err(output.failure(command.to_shell())) }
    }

    /// The command that gives an order and waits until it is followed.
    pub fn order(&self, order: &str, name: &ServiceName) -> Command {
        // `sv` takes whole seconds; a limit is no limit any more if it is rounded to 0.
        let seconds = self.patience.as_secs().max(1).to_string();
        self.command(&["-w", &seconds, order, name])
    }

    /// What became of an order: `expected` says whether a service is as it was ordered.
    ///
    /// # Errors
    /// It is not.
    pub fn followed(
        &self,
        name: &ServiceName,
        command: &Command,
        output: &Output,
        expected: impl Fn(&Reported) -> bool,
    ) -> Result<(), Failure> {
        let printed = String::from_utf8_lossy(&output.stdout);
        let fine = Reported::read(&printed, name).is_some_and(|reported| expected(&reported));
        if output.status == 0 && fine {
            return Ok(());
        }
        Err(output.failure(command.to_shell()))
    }
}

/// The failure to start `sv`, in other words.
fn without_sv(failure: Failure) -> Failure {
    match failure {
        Failure::Start { program, reason } if program == "sv" => {
            Failure::state(format!("`sv` could not be started: {reason}"))
                .advise("install runit; in a root in which nothing runs, say `--root-kind offline`")
        }
        other => other,
    }
}
