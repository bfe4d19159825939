//! A log: records in the order in which things happened, each whole or not there.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::image::Image;
use super::{CallIdentity, HandlerIdentity, StepByOther};
use crate::system::{Command, Fingerprint, Time};

/// One thing that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Record {
    /// The first record.
    Begun(Begun),
    /// A step is about to be made.
    Step(Box<LoggedStep>),
    /// The step before has been made.
    Made {
        /// What is at its paths by then. Empty where the step has foretold it.
        left: Vec<Fingerprint>,
        /// When the directories above were changed last.
        parents: Vec<(PathBuf, Time)>,
    },
    /// A step is about to be made as another user; it stands in that user's journal.
    ByOther(StepByOther),
    /// A call is about to do something that can't be taken back.
    Action(CallIdentity),
    /// A handler has to run.
    Notified {
        handler: HandlerIdentity,
        call: Option<CallIdentity>,
        /// Seconds since 1970, by the host's clock.
        at: i64,
    },
    /// A handler has run.
    Handled(HandlerIdentity),
    /// The last record.
    Ended {
        /// Whether the play's body has come to its end.
        complete: bool,
        /// Calls of earlier runs whose outcome has been acted upon by then.
        met: Vec<CallIdentity>,
    },
}

/// What a log is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The run.
    pub run: String,
    /// The host's name in the inventory.
    pub host: String,
    /// The play's name.
    pub play: String,
    /// The process that made the changes: temporary files have its number.
    pub process: u32,
    /// When, by the host's clock.
    pub at: Time,
}

/// A step, with what was there before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LoggedStep {
    pub call: CallIdentity,
    /// What it does, in words.
    pub text: String,
    pub undo: LoggedUndo,
    /// What is there once it is made, where the step knows that.
    pub leaves: Option<Vec<Fingerprint>>,
    /// Which step this is of a play of another user. Absent where the play is this user's own.
    #[serde(default)]
    pub serial: Option<u64>,
}

/// How to take a step back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum LoggedUndo {
    /// Put back what was there.
    Images {
        images: Vec<(PathBuf, Image)>,
        /// When the directories above were changed last.
        parents: Vec<(PathBuf, Time)>,
    },
    /// Run these; `kept` is what they don't take back.
    Commands { commands: Vec<Command>, kept: Option<String> },
    /// Give this value to a file that the kernel keeps.
    KernelValue { path: PathBuf, value: String },
    /// Not at all, for this reason.
    Irreversible(String),
}

/// A log that is being written.
pub(super) struct Writer(File);

/// As many bytes of a record's hash stand before it.
const CHECK: usize = 8;

/// A record larger than this is none.
const LARGEST: usize = 1024 * 1024 * 1024;

impl Writer {
    /// Makes a new log. `None` if there is one at this path.
    pub fn create(path: &Path) -> io::Result<Option<Self>> {
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a record. What `lasts` outlives a power cut.
    pub fn append(&mut self, record: &Record, lasts: bool) -> io::Result<()> {
        let mut bytes = vec![0; 4 + CHECK];
        rmp_serde::encode::write_named(&mut bytes, record).map_err(io::Error::other)?;
        let body = &bytes[4 + CHECK..];
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let check = blake3::hash(body);
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        bytes[4..4 + CHECK].copy_from_slice(&check.as_bytes()[..CHECK]);
        self.0.write_all(&bytes)?;
        if lasts { self.0.sync_data() } else { Ok(()) }
    }
}

/// Reads a log. Whoever wrote it may have died within a record: the rest of the file is then nothing.
pub(super) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let mut records = Vec::new();
    let mut rest = &bytes[..];
    while let Some((record, behind)) = next(rest) {
        records.push(record);
        rest = behind;
    }
    Ok(records)
}

fn next(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (check, rest) = rest.split_first_chunk::<CHECK>()?;
    let length = Some(u32::from_be_bytes(*length) as usize).filter(|length| *length <= LARGEST)?;
    let (body, rest) = rest.split_at_checked(length)?;
    if blake3::hash(body).as_bytes()[..CHECK] != *check {
        return None;
    }
    Some((rmp_serde::from_slice(body).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handled(name: &str) -> Record {
        Record::Handled(HandlerIdentity { place: "web".into(), name: name.into() })
    }

    #[test]
    fn a_torn_record_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = Writer::create(&path).unwrap().unwrap();
        assert!(Writer::create(&path).unwrap().is_none());
        log.append(&handled("one"), false).unwrap();
        let one = std::fs::metadata(&path).unwrap().len();
        log.append(&handled("two"), true).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let expected = usize::from(length as u64 >= one) + usize::from(length == whole.len());
            assert_eq!(read(&path).unwrap().len(), expected, "{length} bytes");
        }
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
    }
}
