//! The host's side of a remote system: makes the calls that arrive.

use std::io::{self, BufWriter, Write};

use serde_bytes::ByteBuf;

use super::call::{Answer, Call, Change};
use super::journal::Kept;
use super::look::{look, look_at_entries};
use crate::agent::{ToController, frame};
use crate::facts::HostFacts;
use crate::failure::Failure;
use crate::journal::Source;
use crate::raw_path::RawPath;
use crate::system::{Content, System};

/// Answers travel in pieces of this size, in bytes.
const PIECE: usize = 1024 * 1024;

/// Serves calls, each with its number, as long as there are any.
///
/// # Errors
/// The stream for the answers is broken.
pub fn serve(
    system: &dyn System,
    facts: &dyn HostFacts,
    journal: Source,
    calls: impl IntoIterator<Item = (u64, Vec<Call>)>,
    output: &mut BufWriter<impl Write>,
) -> io::Result<()> {
    let served = Served { system, facts, journal: Kept::new(journal) };
    for (number, calls) in calls {
        answer(output, number, &served.all(&calls)?)?;
    }
    Ok(())
}

/// What calls are about.
struct Served<'a> {
    system: &'a dyn System,
    facts: &'a dyn HostFacts,
    journal: Kept,
}

impl Served<'_> {
    /// Makes calls in order and writes down the answers. After one that failed, none is made any more.
    fn all(&self, calls: &[Call]) -> io::Result<Vec<u8>> {
        let mut answers = Vec::new();
        for call in calls {
            let answer = self.one(call);
            let failed = answer.is_err();
            let written = write(&answer)?;
            if written.len() <= call.largest_answer() {
                answers.extend(written);
            } else {
                let size = written.len();
                let failure =
                    Failure::state(format!("{size} bytes are too many to be sent to the controller"));
                answers.extend(write(&Err(failure))?);
                break;
            }
            if failed {
                break;
            }
        }
        Ok(answers)
    }

    fn one(&self, call: &Call) -> Result<Answer, Failure> {
        let Self { system, facts, journal } = self;
        Ok(match call {
            Call::Identity => {
                let (uid, gid) = system.identity();
                Answer::Identity(uid, gid)
            }
            Call::Look(paths) => Answer::Looked(look(*system, paths)),
            Call::Read(path) => Answer::Content(system.read(&path.0)?),
            Call::ReadInPlace(path) => Answer::InPlace(system.read_in_place(&path.0)?),
            Call::Holds { path, size, hash } => Answer::Holds(system.holds(&path.0, *size, hash)?),
            Call::List(path) => {
                let names = system.list(&path.0)?;
                let seen = look_at_entries(*system, &path.0, &names);
                Answer::Listed { names: names.into_iter().map(|name| RawPath(name.into())).collect(), seen }
            }
            Call::Probe(command) => Answer::Output(system.probe(command)?),
            Call::FindProgram(name) => Answer::Program(system.find_program(name).map(RawPath)),
            Call::Fact(name) => Answer::Fact(facts.get(name)),
            Call::AllFacts => Answer::Facts(facts.all()),
            Call::AnsibleFacts(family) => Answer::Facts(facts.family(*family)),
            Call::AnsibleNames => Answer::FactNames(facts.ansible_names()),
            Call::Open(turn) => Answer::Asked(journal.open(turn)?),
            Call::Note(note) => {
                journal.note(note, *system)?;
                Answer::Done
            }
            Call::Noted { run, host } => Answer::Noted(journal.noted(run, host)?),
            Call::Kept { run, name } => Answer::Content(Some(Content::Known(journal.content(run, name)?))),
            Call::Change(change) => return make(*system, change),
        })
    }
}

fn write(answer: &Result<Answer, Failure>) -> io::Result<Vec<u8>> {
    rmp_serde::to_vec_named(answer).map_err(io::Error::other)
}

fn make(system: &dyn System, change: &Change) -> Result<Answer, Failure> {
    match change {
        Change::Write { path, content, attributes } => system.write(&path.0, content, *attributes),
        Change::MakeDirectory { path, attributes } => system.make_directory(&path.0, *attributes),
        Change::MakeLink { path, target } => system.make_link(&path.0, &target.0),
        Change::Remove(path) => system.remove(&path.0),
        Change::SetAttributes { path, attributes } => system.set_attributes(&path.0, *attributes),
        Change::SetModified { path, modified } => system.set_modified(&path.0, *modified),
        Change::SetKernelValue { path, value } => system.set_kernel_value(&path.0, value),
        Change::WriteAccounts(files) => system.write_accounts(files),
        Change::Give { directory, from, to } => system.give(&directory.0, *from, *to),
        Change::Run(command) => return system.run(command).map(Answer::Output),
    }
    .map(|()| Answer::Done)
}

/// Sends the answers, in pieces: no frame is larger than a controller takes from any agent.
fn answer(output: &mut BufWriter<impl Write>, number: u64, answers: &[u8]) -> io::Result<()> {
    let mut pieces = answers.chunks(PIECE).peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        frame::write(output, &ToController::Answers { number, piece: ByteBuf::from(piece), last })?;
    }
    output.flush()
}
