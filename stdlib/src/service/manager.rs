//! What the namespace asks of a service manager.

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Change;
use refrain_engine::system::{Command, Time, View};

use super::choice::Manager;
use super::condition::Condition;
use super::openrc::OpenRc;
use super::systemd::Systemd;
use crate::runit::service_name::ServiceName;

/// What is known about how to enable a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enabling {
    /// After these changes it is.
    Changes(Vec<Change>),
    /// There is no such service.
    Missing,
    /// What defines it is only known in a real run.
    Unknown,
}

/// What a service can be told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// To run.
    Start,
    /// To end.
    Stop,
    /// To end, and run again.
    Restart,
    /// To read its configuration again.
    Reload,
}

impl Order {
    /// What all service managers call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

/// A service manager.
pub trait ServiceManager {
    /// What enables a service, in the given runlevel if there is such a thing.
    ///
    /// # Errors
    /// It can't be enabled, or the host can't be looked at.
    fn enabling(&self, host: &dyn View, name: &str, runlevel: Option<&str>) -> Result<Enabling, Failure>;

    /// Whether a service is enabled. `None` if that is only known in a real run.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn is_enabled(&self, host: &dyn View, name: &str) -> Result<Option<bool>, Failure> {
        Ok(match self.enabling(host, name, None) {
            Ok(Enabling::Changes(changes)) => Some(changes.is_empty()),
            Ok(Enabling::Unknown) => None,
            // What can't be enabled is not.
            Ok(Enabling::Missing) | Err(Failure::State { .. } | Failure::Argument { .. }) => Some(false),
            Err(failure) => return Err(failure),
        })
    }

    /// The changes after which it is not enabled.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn disabling(&self, host: &dyn View, name: &str, runlevel: Option<&str>) -> Result<Vec<Change>, Failure>;

    /// Whether there is such a service.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn exists(&self, host: &dyn View, name: &str) -> Result<bool, Failure>;

    /// The services that there are.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn known(&self, host: &dyn View) -> Result<Vec<String>, Failure>;

    /// What these services are at, in their order. Of one that there is not: stopped.
    ///
    /// # Errors
    /// The manager can't be asked.
    fn conditions(&self, context: &Context<'_>, names: &[&ServiceName]) -> Result<Vec<Condition>, Failure>;

    /// When a service was started. `None` if it does not run, or that can't be told.
    fn started(&self, context: &Context<'_>, name: &ServiceName) -> Option<Time>;

    /// The words that give an order.
    fn order(&self, order: Order, name: &str) -> Vec<String>;

    /// The words that have the manager read again what defines services. `None` if it looks by itself.
    fn reread(&self) -> Option<&'static [&'static str]>;
}

/// The one that a host has. `None` for runit, which has a namespace of its own.
pub fn of(manager: Manager) -> Option<&'static dyn ServiceManager> {
    match manager {
        Manager::Runit => None,
        Manager::Systemd => Some(&Systemd),
        Manager::Openrc => Some(&OpenRc),
    }
}

/// A command of a call, of these words.
pub fn command(context: &Context<'_>, words: impl IntoIterator<Item = impl Into<String>>) -> Command {
    let mut command = context.command(words);
    // What is said is read.
    command.environment.insert("LC_ALL".to_owned(), "C".to_owned());
    command
}
