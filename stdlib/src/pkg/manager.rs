//! What the namespace asks of a package manager.

use std::rc::Rc;
use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Undo;
use refrain_engine::system::scratch::{PLACEHOLDER, Scratch};
use refrain_engine::system::{Command, Output, View};

use super::apk::Apk;
use super::apt::Apt;
use super::choice::Manager;
use super::dnf::Dnf;
use super::explanation::{explain, without_program};
use super::index::Index;
use super::installed::Installed;
use super::package::Package;
use super::pacman::Pacman;
use super::planned::{Deed, Planned};
use crate::seconds::Seconds;

/// What shall be done with packages.
#[derive(Clone, Debug)]
pub enum Wish {
    /// These shall be there.
    Install {
        /// The packages.
        packages: Vec<Package>,
        /// Whether they are there already, and shall get their newest version.
        update: bool,
        /// Whether what they recommend comes along. As the manager is configured when absent.
        recommends: Option<bool>,
    },
    /// These shall go.
    Remove {
        /// The packages.
        names: Vec<String>,
        /// With their configuration files, edited or not.
        purge: bool,
        /// With what is there only for their sake.
        recursive: bool,
    },
    /// All shall be in their newest version.
    Upgrade,
}

/// A package manager.
pub trait PackageManager {
    /// What is installed; at least what is said of `asked`.
    ///
    /// # Errors
    /// The database can't be read.
    fn installed(&self, context: &Context<'_>, asked: &[Package]) -> Result<Rc<Installed>, Failure>;

    /// The directory in which it keeps the index of its repositories. `None` if it looks after that by itself.
    fn index(&self) -> Option<&'static str>;

    /// Brings the index up to date.
    fn refresh(&self, base: &Base) -> Command;

    /// Says what it would do, and writes nothing. With a `fresh` index it takes that from the repositories, in a place of its
    /// own.
    fn dry_run(&self, base: &Base, wish: &Wish, fresh: bool) -> Command;

    /// What a dry run says. `None` if it has failed.
    fn plan(&self, output: &Output, installed: &Installed) -> Option<Vec<Planned>>;

    /// Does it.
    fn command(&self, base: &Base, wish: &Wish) -> Command;

    /// How what is `planned` is taken back, `installed` being what is there now.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn undo(&self, planned: &[Planned], installed: &Installed, host: &dyn View) -> Result<Undo, Failure>;

    /// Whether a command failed because somebody else has the database locked.
    fn is_locked(&self, said: &str) -> bool;
}

/// The one that a host has.
pub fn of(manager: Manager) -> Option<&'static dyn PackageManager> {
    match manager {
        Manager::Xbps => None,
        Manager::Apt => Some(&Apt),
        Manager::Apk => Some(&Apk),
        Manager::Pacman => Some(&Pacman),
        Manager::Dnf => Some(&Dnf),
    }
}

/// What all commands of a call have in common.
pub struct Base {
    command: Command,
    /// Whether nothing at all may be written, no cache either.
    pub check: bool,
}

impl Base {
    /// For a call.
    pub fn new(context: &Context<'_>) -> Self {
        Self::of(context.command(Vec::<String>::new()), context.host.is_predicted())
    }

    /// For what is done later, outside of the call: to take it back.
    fn outside() -> Self {
        Self::of(Command::default(), false)
    }

    fn of(mut command: Command, check: bool) -> Self {
        // What is said is read.
        command.environment.insert("LC_ALL".to_owned(), "C".to_owned());
        Self { command, check }
    }

    /// A command of these words.
    pub fn command<S: Into<String>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        Command { argv: words.into_iter().map(Into::into).collect(), ..self.command.clone() }
    }

    /// A shell script with these arguments after the name of the program that it is about, and a scratch directory as the first.
    pub fn script(&self, program: &str, text: &str, words: impl IntoIterator<Item = String>) -> Command {
        let first = [program, PLACEHOLDER].map(str::to_owned);
        Command {
            program: Some(text.as_bytes().to_vec()),
            scratch: Some(Scratch::default()),
            ..self.command(first.into_iter().chain(words))
        }
    }
}

/// Asks for a plan.
///
/// # Errors
/// There is no such manager on the host, or it can't do what is wished.
pub fn plan(
    manager: &dyn PackageManager,
    context: &Context<'_>,
    wish: &Wish,
    index: Index,
    installed: &Installed,
) -> Result<Vec<Planned>, Failure> {
    let base = Base::new(context);
    let command = manager.dry_run(&base, wish, index.is_fresh());
    let output = context.host.probe(&command).map_err(without_program)?;
    manager.plan(&output, installed).ok_or_else(|| explain(&command, &output))
}

/// What is new in `planned`, what gets another version, and what goes.
pub fn sides(planned: &[Planned]) -> (Vec<&Planned>, Vec<&Planned>, Vec<&Planned>) {
    let of = |deed: Deed| planned.iter().filter(|line| line.deed == deed).collect();
    (of(Deed::Install), of(Deed::Update), of(Deed::Remove))
}

/// How long the lock of the database is waited for by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the lock of the database is waited for, where a call says so or not.
pub fn patience(lock_timeout: Option<Seconds>) -> Duration {
    lock_timeout.map_or(PATIENCE, |Seconds(patience)| patience)
}

/// Gives these orders, each with the packages that it is about, if there are any. The versions of the packages `lost` can't be
/// brought back.
pub fn taken_back<O, const N: usize>(
    orders: [(O, Vec<String>); N],
    lost: &[String],
    command: impl Fn(&Base, O, Vec<String>) -> Command,
) -> Undo {
    let base = Base::outside();
    let orders = orders.into_iter().filter(|(_, packages)| !packages.is_empty());
    let commands: Vec<Command> = orders.map(|(order, packages)| command(&base, order, packages)).collect();
    let kept = (!lost.is_empty()).then(|| {
        format!(
            "the old version of `{}` can't be had any more: it was not kept on the host",
            lost.join("`, `")
        )
    });
    match kept {
        Some(reason) if commands.is_empty() => Undo::Irreversible(reason),
        kept => Undo::Run { commands, kept },
    }
}
