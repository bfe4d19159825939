//! The calls of a system as data, and their answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::journal::{Asked, Note, Turn};
use crate::facts::Family;
use crate::failure::Failure;
use crate::journal::Noted;
use crate::raw_path::{self, RawPath};
use crate::system::account_files::AccountFile;
use crate::system::ownership::Owner;
use crate::system::{Attributes, Command, Content, Output, Stat, Time};

/// The content of a file up to this size is told by whoever looks at it, in bytes: asking for it would cost a round trip.
pub(super) const LOOKED_AT: u64 = 256 * 1024;

/// A larger file is not read over a connection, in bytes.
const LARGEST_CONTENT: usize = 256 * 1024 * 1024;
/// What both streams of a command can come to, in bytes.
const LARGEST_OUTPUT: usize = 32 * 1024 * 1024;
/// What an answer can have beside that, in bytes: names, facts, error messages.
const ROOM: usize = 16 * 1024 * 1024;

/// Something that is asked of a host, or done on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Call {
    /// Who the agent is there.
    Identity,
    /// All about these paths, and those on the way to them.
    Look(Vec<RawPath>),
    /// The content of a file.
    Read(RawPath),
    /// The content of a file that is no link, and what the file is.
    ReadInPlace(RawPath),
    /// Whether a file has a content.
    Holds {
        /// The file.
        path: RawPath,
        /// Size of the content in bytes.
        size: u64,
        /// Its BLAKE3 hash in hexadecimal digits.
        hash: String,
    },
    /// The names in a directory.
    List(RawPath),
    /// Runs a command that only reads.
    Probe(Box<Command>),
    /// Where a program is.
    FindProgram(String),
    /// A fact by its name.
    Fact(String),
    /// All facts.
    AllFacts,
    /// What belongs together of Ansible's facts.
    AnsibleFacts(Family),
    /// The names of all facts in Ansible.
    AnsibleNames,
    /// Opens the journal, if no other run is at work there.
    Open(Turn),
    /// Notes something in it.
    Note(Note),
    /// What a play of another user has had noted in the journal.
    Noted {
        /// The run.
        run: String,
        /// The host's name in the inventory.
        host: String,
    },
    /// A content that is kept in the journal.
    Kept {
        /// The run.
        run: String,
        /// The content's name.
        name: String,
    },
    /// A change.
    Change(Change),
}

/// Something that changes a host: a method of [`System`](crate::system::System).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the trait's methods say what the fields are")]
pub enum Change {
    Write {
        path: RawPath,
        #[serde(with = "serde_bytes")]
        content: Vec<u8>,
        attributes: Attributes,
    },
    MakeDirectory {
        path: RawPath,
        attributes: Attributes,
    },
    MakeLink {
        path: RawPath,
        target: RawPath,
    },
    Remove(RawPath),
    SetAttributes {
        path: RawPath,
        attributes: Attributes,
    },
    SetModified {
        path: RawPath,
        modified: Time,
    },
    SetKernelValue {
        path: RawPath,
        value: String,
    },
    WriteAccounts(Vec<AccountFile>),
    Give {
        directory: RawPath,
        from: Owner,
        to: Owner,
    },
    Run(Box<Command>),
}

impl Call {
    /// How large an answer can be that makes sense, in bytes.
    pub(super) fn largest_answer(&self) -> usize {
        let content = match self {
            Self::Look(paths) => paths.len() * 2 * usize::try_from(LOOKED_AT).unwrap_or(0),
            Self::Read(_) | Self::ReadInPlace(_) | Self::Noted { .. } | Self::Kept { .. } => LARGEST_CONTENT,
            Self::Probe(_) | Self::Change(Change::Run(_)) => LARGEST_OUTPUT,
            _ => 0,
        };
        content + ROOM
    }
}

/// What a call came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// To [`Call::Identity`]: user and group.
    Identity(u32, u32),
    /// To [`Call::Look`].
    Looked(Vec<Seen>),
    /// To [`Call::Read`] and [`Call::Kept`].
    Content(Option<Content>),
    /// To [`Call::ReadInPlace`].
    InPlace(Option<(Stat, Content)>),
    /// To [`Call::Holds`].
    Holds(bool),
    /// To [`Call::List`].
    Listed {
        /// The names.
        names: Vec<RawPath>,
        /// What the first of them are: whoever lists a directory asks for that next.
        seen: Vec<Seen>,
    },
    /// To [`Call::Probe`] and [`Change::Run`].
    Output(Output),
    /// To [`Call::FindProgram`].
    Program(Option<RawPath>),
    /// To [`Call::Fact`].
    Fact(Option<Value>),
    /// To [`Call::AllFacts`] and [`Call::AnsibleFacts`].
    Facts(Map<String, Value>),
    /// To [`Call::AnsibleNames`].
    FactNames(Vec<String>),
    /// To [`Call::Open`].
    Asked(Asked),
    /// To [`Call::Noted`].
    Noted(Noted),
    /// To notes, and every other change.
    Done,
}

/// What a host says of one path, in the words of [`View`](crate::system::View).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    #[serde(with = "raw_path")]
    pub(super) path: PathBuf,
    pub(super) lstat: Result<Option<Stat>, Failure>,
    /// Absent where it is the same, because there is no link.
    pub(super) stat: Option<Result<Option<Stat>, Failure>>,
    pub(super) link: Result<Option<RawPath>, Failure>,
    pub(super) content: SeenContent,
}

impl Seen {
    /// What the path leads to.
    pub(super) fn stat(&self) -> &Result<Option<Stat>, Failure> {
        self.stat.as_ref().unwrap_or(&self.lstat)
    }
}

/// The content of what was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum SeenContent {
    /// The path was only on the way to another one: it has to be looked at itself.
    Untold,
    /// It is no file, or a long one: the content has to be asked for.
    Apart,
    /// This.
    Told(Result<Option<Content>, Failure>),
}
