//! The host as a module sees it: files, links, accounts, commands.
//!
//! A module *looks* through a [`View`], which can't change anything; only steps get a [`System`]. Implementations stand
//! around one another: [`native`] makes the syscalls, [`preview`] lays predictions over another view, [`sandbox`] plays a
//! host in a directory tree.

pub mod account_files;
#[cfg(test)]
pub mod as_root;
pub mod changes;
pub mod children;
mod entry;
mod environment;
mod fingerprint;
mod guardian;
mod namespaces;
pub mod native;
pub mod ownership;
pub mod path;
mod placed;
pub mod preview;
mod private_directory;
mod process;
#[cfg(test)]
mod random_changes;
pub mod remote;
pub mod root;
pub mod sandbox;
pub mod scratch;
mod streams;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use self::fingerprint::Fingerprint;

use self::account_files::AccountFile;
use self::ownership::Owner;
use self::remote::Remote;
use self::scratch::Scratch;
use crate::diagnostic::Diagnostic;
use crate::escalation::Escalation;
use crate::failure::Failure;

/// What kind of thing a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, socket or pipe.
    Other,
}

impl Kind {
    /// The word for it in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Other => "special file",
        }
    }
}

/// Owner, group and mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permission bits with set-user-ID, set-group-ID and sticky: 0 to 0o7777.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl Attributes {
    /// Those of a link that `identity`, a user and group, makes in the directory `parent`. The kernel decides them.
    fn of_new_link(identity: (u32, u32), parent: Option<Self>) -> Self {
        let (uid, gid) = identity;
        let gid = parent.filter(|parent| parent.mode & 0o2000 != 0).map_or(gid, |parent| parent.gid);
        Self { mode: 0o777, uid, gid }
    }
}

/// What `stat` says of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// File, directory, link.
    pub kind: Kind,
    /// Owner, group and mode.
    pub attributes: Attributes,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content.
    pub modified: Time,
}

/// A moment, as file systems keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// And nanoseconds: 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Time {
    /// This moment, by this machine's clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Self { seconds, nanoseconds: since.subsec_nanos() }
    }
}

/// The content of a file, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// These bytes.
    Known(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Check mode can't know them: they depend on something that only a real run does.
    Unknown,
}

impl Content {
    /// Whether it is known to be the bytes of this number and this BLAKE3 hash, in hexadecimal digits.
    pub fn is(&self, size: u64, hash: &str) -> bool {
        self.known()
            .is_some_and(|bytes| bytes.len() as u64 == size && blake3::hash(bytes).to_hex().as_str() == hash)
    }

    /// Their BLAKE3 hash in hexadecimal digits, if they are known.
    pub fn hash(&self) -> Option<String> {
        self.known().map(|bytes| blake3::hash(bytes).to_hex().to_string())
    }

    /// The bytes, if they are known.
    pub fn known(&self) -> Option<&[u8]> {
        match self {
            Self::Known(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }
}

/// A command: arguments, never a shell string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Program and arguments. A program without a slash is looked for in `PATH`; a relative one with a slash is meant from
    /// the working directory.
    pub argv: Vec<String>,
    /// The program itself, where it is none of the host's: it is put in place for this one run, and the first word is only
    /// its name. A text that does not begin with `#!` is a shell script.
    #[serde(default, with = "serde_bytes")]
    pub program: Option<Vec<u8>>,
    /// Files that it is given for this one run, in a directory that its words know as [`scratch::PLACEHOLDER`].
    #[serde(default)]
    pub scratch: Option<Scratch>,
    /// What it reads on its standard input. Nothing when absent.
    pub stdin: Option<Vec<u8>>,
    /// Variables beside `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL` and `LANG`, or over them. Nothing else is inherited but the
    /// time zone, proxies and the ssh agent.
    pub environment: BTreeMap<String, String>,
    /// Working directory. `/` when absent.
    pub directory: Option<PathBuf>,
    /// How long it may take. Without limit when absent.
    pub timeout: Option<Duration>,
}

impl Command {
    /// A command of these words.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The command as it could be given to a shell, for messages.
    pub fn to_shell(&self) -> String {
        self.argv.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
    }
}

/// Quotes a word for a POSIX shell, if it needs quoting.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What a command left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Exit status, 0 to 255; 128 + N when signal N ended it.
    pub status: i32,
    /// Standard output, at most 16 MiB.
    #[serde(with = "serde_bytes")]
    pub stdout: Vec<u8>,
    /// Standard error, at most 16 MiB.
    #[serde(with = "serde_bytes")]
    pub stderr: Vec<u8>,
    /// How many bytes of both were more than that, and are lost.
    #[serde(default)]
    pub dropped: u64,
}

/// As much of a failed command's output is shown: its end, where the reason mostly is.
const SHOWN: usize = 32 * 1024;

impl Output {
    /// The output itself if the command exited with 0.
    ///
    /// # Errors
    /// [`Failure::Command`] with both streams otherwise.
    pub fn require_success(self, command: &Command) -> Result<Self, Failure> {
        if self.status == 0 {
            return Ok(self);
        }
        Err(self.failure(command.to_shell()))
    }

    /// The failure of the command that a person knows as `command`.
    pub fn failure(&self, command: String) -> Failure {
        let (status, output) = (self.status, self.both_streams());
        Failure::Command { command, status, output, reason: None, hint: None }
    }

    /// What the command said, for an error: standard error first, then standard output, the end of each.
    pub fn both_streams(&self) -> String {
        let mut text = tail(&self.stderr);
        let stdout = tail(&self.stdout);
        if !stdout.trim().is_empty() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&stdout);
        }
        if self.dropped > 0 {
            // Writing to a text can't fail.
            let _ = write!(text, "\n(… {} bytes after this were too many to keep)", self.dropped);
        }
        text
    }
}

/// The end of a stream, from the beginning of a line.
fn tail(stream: &[u8]) -> String {
    let mut cut = stream.len().saturating_sub(SHOWN);
    if cut == 0 {
        return String::from_utf8_lossy(stream).into_owned();
    }
    cut += stream[cut..].iter().position(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    format!("(… {cut} bytes before this)\n{}", String::from_utf8_lossy(&stream[cut..]))
}

/// What kind of root the agent works on. Services, mounts and kernel settings decide by this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootKind {
    /// The root of a booted system.
    #[default]
    Live,
    /// A booted system's root, seen from inside a container.
    LiveThroughContainer,
    /// An image or an install target: nothing may be started there.
    Offline,
}

impl RootKind {
    /// The word for it in playbooks.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::LiveThroughContainer => "live-through-container",
            Self::Offline => "offline",
        }
    }
}

/// A read-only view of a host.
///
/// Paths are absolute. Everything is what it *is*, or in check mode what it *would be* after the calls so far.
pub trait View {
    /// What the path itself is, a link not followed. `None` when there is nothing.
    ///
    /// # Errors
    /// [`Failure::Io`], for instance when a parent may not be searched.
    fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure>;

    /// What the path leads to, links followed. `None` when there is nothing, or a link leads nowhere.
    ///
    /// # Errors
    /// As [`View::lstat`].
    fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure>;

    /// The content of a file, links followed. `None` when there is nothing.
    ///
    /// # Errors
    /// [`Failure::Io`], also for a directory or a special file.
    fn read(&self, path: &Path) -> Result<Option<Content>, Failure>;

    /// Whether the file at a path, links followed, is known to hold the content of this `size` in bytes and this BLAKE3
    /// `hash` in hexadecimal digits: without having it all in memory.
    ///
    /// # Errors
    /// As [`View::read`].
    fn holds(&self, path: &Path, size: u64, hash: &str) -> Result<bool, Failure> {
        Ok(self.read(path)?.is_some_and(|content| content.is(size, hash)))
    }

    /// The content of a file at a path that has no links in it, and what the file is that was read. `None` when there is
    /// nothing. For what a user can exchange at any time: what was looked at before may be something else by now.
    ///
    /// # Errors
    /// As [`View::read`], or there is a link of the user's that leads elsewhere.
    fn read_in_place(&self, path: &Path) -> Result<Option<(Stat, Content)>, Failure> {
        Ok(self.lstat(path)?.zip(self.read(path)?))
    }

    /// Where a link points, verbatim. `None` when the path is not a link.
    ///
    /// # Errors
    /// As [`View::lstat`].
    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure>;

    /// The names in a directory, sorted. Empty when there is no directory.
    ///
    /// # Errors
    /// [`Failure::Io`] when it may not be read.
    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure>;

    /// Runs a command that only reads. The caller vouches for that: it also runs in check mode.
    ///
    /// # Errors
    /// [`Failure::Start`] or [`Failure::Timeout`]; an exit status other than 0 is not an error here.
    fn probe(&self, command: &Command) -> Result<Output, Failure>;

    /// Where a program is, by the host's `PATH`. `None` when there is none.
    fn find_program(&self, name: &str) -> Option<PathBuf>;

    /// What kind of root this is.
    fn root_kind(&self) -> RootKind;

    /// Whether the host is only played: a directory tree, with simulated programs. Whatever it does must not reach the real world.
    fn is_sandbox(&self) -> bool {
        false
    }

    /// Who the agent is here: new files belong to this user and group unless told otherwise.
    fn identity(&self) -> (u32, u32);

    /// Says which paths will be looked at next. What is far away looks at them together, in one round trip; for all others it
    /// means nothing.
    fn look_ahead(&self, _paths: &[&Path]) {}

    /// Whether it shows what would be instead of what is: then nobody beyond the host may be asked for anything either.
    fn is_predicted(&self) -> bool {
        false
    }

    /// What an earlier step of this run predicted about something that is not a file (a package, a running service).
    /// Always `None` outside check mode.
    fn predicted(&self, _kind: &str, _name: &str) -> Option<serde_json::Value> {
        None
    }
}

fn no_way_to_become(escalation: &Escalation) -> Failure {
    Failure::state(format!("a task can't become `{}` on this host", escalation.user))
}

/// A host that can be changed. Only steps get one.
pub trait System: View {
    /// Puts a whole file in place: temporary file in the same directory, owner and mode set before the rename, synced.
    ///
    /// # Errors
    /// [`Failure::Io`]; then the old file is as it was.
    fn write(&self, path: &Path, content: &[u8], attributes: Attributes) -> Result<(), Failure>;

    /// Makes one directory. Its parent exists.
    ///
    /// # Errors
    /// [`Failure::Io`].
    fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure>;

    /// Puts a symbolic link in place, replacing a link or file that is there.
    ///
    /// # Errors
    /// [`Failure::Io`].
    fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure>;

    /// Removes a file, a link, or a directory with all that is in it. Nothing there is fine.
    ///
    /// # Errors
    /// [`Failure::Io`].
    fn remove(&self, path: &Path) -> Result<(), Failure>;

    /// Sets owner, group and mode of what is there; of a link itself, owner and group.
    ///
    /// # Errors
    /// [`Failure::Io`].
    fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure>;

    /// Sets the time of the last change. That of the last access stays.
    ///
    /// # Errors
    /// [`Failure::Io`].
    fn set_modified(&self, path: &Path, modified: Time) -> Result<(), Failure>;

    /// The same host, acted on as another user.
    ///
    /// # Errors
    /// [`Failure::Become`], or nobody can be become here.
    fn escalate(&self, escalation: &Escalation) -> Result<Rc<Remote>, Failure> {
        Err(no_way_to_become(escalation))
    }

    /// Gives a value to a file that the kernel keeps, below `/proc/sys`: it is written and not replaced. On a root that is live
    /// through a container that is the host's value, as is what [`View::read`] says of such a file.
    ///
    /// # Errors
    /// [`Failure::Io`]: the kernel does not take the value, or may not be told.
    fn set_kernel_value(&self, path: &Path, value: &str) -> Result<(), Failure>;

    /// Replaces files that hold accounts (`/etc/passwd` and the like): all or none, while no other program edits them.
    ///
    /// # Errors
    /// One of them is not what it was when it was looked at, can't be written, or somebody else has them locked.
    fn write_accounts(&self, files: &[AccountFile]) -> Result<(), Failure> {
        account_files::replace(self, files)
    }

    /// Gives what `from` owns in `directory`, itself included, to `to`; the group only where it is that of `from`.
    ///
    /// # Errors
    /// [`Failure::Io`]; part of it may be done by then.
    fn give(&self, directory: &Path, from: Owner, to: Owner) -> Result<(), Failure> {
        for (path, attributes) in ownership::given(self, directory, from, to)? {
            self.set_attributes(&path, attributes)?;
        }
        Ok(())
    }

    /// Why nothing can be done on the host any more, where it is behind a connection.
    fn lost(&self) -> Option<Diagnostic> {
        None
    }

    /// How often there was a new connection: what was known before of the running system may be otherwise now.
    fn renewed(&self) -> u32 {
        0
    }

    /// Whether there is a connection to the host that can be made anew.
    fn reconnects(&self) -> bool {
        false
    }

    /// Ends the connection to the host and makes a new one.
    ///
    /// # Errors
    /// There is no way there now, or there never was a connection: the play works on the machine that it is evaluated on.
    fn reconnect(&self) -> Result<(), Failure> {
        Err(Failure::state("the host is at hand, there is no connection to be made anew"))
    }

    /// Runs a command that changes the host.
    ///
    /// # Errors
    /// [`Failure::Start`] or [`Failure::Timeout`]; an exit status other than 0 is not an error here.
    fn run(&self, command: &Command) -> Result<Output, Failure>;
}
