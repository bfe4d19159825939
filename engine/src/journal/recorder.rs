//! The journal of one play, in a state directory of this root.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::image::{Camera, Contents, Kept};
use super::lock::{self, Holder, Lock, NoLock};
use super::log::{Begun, LoggedStep, LoggedUndo, Record, Writer};
use super::pending::Pending;
use super::{CallIdentity, HandlerIdentity, Journal, StepByOther, StepNote, log, retention, state_directory};
use crate::failure::{self, Failure};
use crate::step::Undo;
use crate::system::path::resolve;
use crate::system::{Fingerprint, Time, View};

/// Contents up to this size stand in the log itself.
const INLINE: usize = 64 * 1024;

/// What a journal is opened for.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The directories that may hold it, the best one first ([`state_directory::candidates`]).
    pub directories: Vec<PathBuf>,
    /// Where the host's paths begin: `/`, or the directory of a sandbox.
    pub root: PathBuf,
    /// Whether it has to outlive a power cut.
    pub lasts: bool,
    /// The run.
    pub run: String,
    /// The host's name in the inventory.
    pub host: String,
    /// The play's name.
    pub play: String,
    /// Whether anything will be changed. If not, nothing is written, and no lock is taken.
    pub writes: bool,
    /// Whether what this run, host and play have noted before belongs to it: the machine has booted meanwhile.
    pub continues: bool,
    /// How long to wait for another run to end.
    pub patience: Duration,
}

/// The journal of one play on one host. Its log is made when there is something to note.
pub struct Recorder {
    opening: Opening,
    /// Where it is kept, unless it can't be kept anywhere: then nothing can be changed, but all can be looked at.
    place: Result<Place, String>,
    pending: Pending,
    /// The earlier logs that this one goes on with, by their markers.
    continued: Vec<(PathBuf, Vec<Record>)>,
    log: RefCell<Option<Log>>,
    /// What the log says, without images.
    noted: RefCell<Vec<Record>>,
    notified: RefCell<HashSet<HandlerIdentity>>,
    /// Whether the step that was noted last knows itself what it leaves.
    foretold: Cell<bool>,
    /// The paths of that step.
    paths: RefCell<Vec<PathBuf>>,
}

struct Place {
    state: PathBuf,
    _lock: Option<Arc<Lock>>,
}

/// A log that is being written.
struct Log {
    writer: Writer,
    /// Says that its run has not ended.
    marker: PathBuf,
}

impl Recorder {
    /// Opens the journal: waits for its turn, and reads what earlier runs have left behind. `waits` is told once whom it
    /// waits for; `interrupted` ends the waiting.
    ///
    /// # Errors
    /// See [`NoLock`]; that nothing can be kept is no error before something has to be.
    pub fn open(
        opening: Opening,
        waits: impl Fn(&Holder),
        interrupted: impl Fn() -> bool,
    ) -> Result<Self, NoLock> {
        let place = if opening.writes {
            Self::prepare(&opening, waits, interrupted)?
        } else {
            let there = opening.directories.iter().find(|directory| directory.is_dir());
            let state = there.or(opening.directories.first()).cloned().unwrap_or_default();
            Ok(Place { state, _lock: None })
        };
        let pending = match &place {
            Ok(place) => left_behind(&place.state, &opening)?,
            Err(_) => Pending::default(),
        };
        let continued = match &place {
            Ok(place) if opening.continues => own_logs(&place.state, &opening)?,
            _ => Vec::new(),
        };
        Ok(Self {
            opening,
            place,
            pending,
            continued,
            log: RefCell::default(),
            noted: RefCell::default(),
            notified: RefCell::default(),
            foretold: Cell::new(false),
            paths: RefCell::default(),
        })
    }

    fn prepare(
        opening: &Opening,
        waits: impl Fn(&Holder),
        interrupted: impl Fn() -> bool,
    ) -> Result<Result<Place, String>, NoLock> {
        let mut reason = "there is no place for it".to_owned();
        for state in &opening.directories {
            let prepared = state_directory::prepare(state).map_err(NoLock::from);
            let taken = prepared.and_then(|()| {
                lock::take(&state.join("lock"), &opening.run, opening.patience, &waits, &interrupted)
            });
            match taken {
                Ok(lock) => return Ok(Ok(Place { state: state.clone(), _lock: Some(lock) })),
                Err(NoLock::Io(error)) => {
                    reason = format!("`{}`: {}", state.display(), failure::reason(&error));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(Err(reason))
    }

    fn place(&self) -> Result<&Place, Failure> {
        self.place.as_ref().map_err(|reason| {
            Failure::state(format!("no journal can be kept in {reason}")).advise(format!(
                "nothing is changed without a way back; `{}` in the agent's environment says another directory",
                state_directory::VARIABLE
            ))
        })
    }

    /// Makes sure that there is a log.
    fn has_begun(&self) -> Result<(), Failure> {
        let place = self.place()?;
        let mut log = self.log.borrow_mut();
        if log.is_none() {
            *log = Some(self.begin(&place.state).map_err(|error| self.failed(&error))?);
        }
        Ok(())
    }

    fn append(&self, record: &Record, lasts: bool) -> Result<(), Failure> {
        self.has_begun()?;
        match &mut *self.log.borrow_mut() {
            Some(log) => {
                log.writer.append(record, lasts && self.opening.lasts).map_err(|error| self.failed(&error))
            }
            None => Ok(()),
        }
    }

    fn failed(&self, error: &io::Error) -> Failure {
        let state = self.place.as_ref().map_or(Path::new(""), |place| &place.state);
        Failure::io("write the journal in", state, error)
    }

    /// Begins the log. The marker comes first: a log without one counts as ended.
    fn begin(&self, state: &Path) -> io::Result<Log> {
        // A check may hold tasks that are run in earnest.
        state_directory::prepare(state)?;
        retention::prune(state, &self.opening.run);
        let directory = run_directory(state, &self.opening.run);
        for directory in [&state.join("unfinished"), &state.join("journal"), &directory] {
            make_private(directory)?;
        }
        let (run, host) = (plain(&self.opening.run), plain(&self.opening.host));
        let begun = Record::Begun(Begun {
            run: self.opening.run.clone(),
            host: self.opening.host.clone(),
            play: self.opening.play.clone(),
            process: std::process::id(),
            at: Time::now(),
        });
        for number in 0_u32.. {
            let name = format!("{host}.{number}.log");
            let marker = state.join("unfinished").join(format!("{run}.{name}"));
            match symlink(Path::new("../journal").join(&run).join(&name), &marker) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let Some(mut writer) = Writer::create(&directory.join(&name))? else {
                // An earlier play of this run has ended its log of that name.
                fs::remove_file(&marker)?;
                continue;
            };
            writer.append(&begun, self.opening.lasts)?;
            // What is left behind is as old as the log, and not forgotten before.
            self.noted.borrow_mut().push(begun);
            for directory in [&state.join("unfinished"), &directory] {
                if self.opening.lasts {
                    File::open(directory)?.sync_data()?;
                }
            }
            return Ok(Log { writer, marker });
        }
        Err(io::Error::other("there are too many logs"))
    }

    fn image_of(&self, undo: &Undo, host: &dyn View) -> Result<LoggedUndo, Failure> {
        let (paths, whole) = match undo {
            Undo::Restore(paths) => (&paths[..], false),
            Undo::RestoreTree(path) => (std::slice::from_ref(path), true),
            Undo::Run { commands, kept } => {
                return Ok(LoggedUndo::Commands { commands: commands.clone(), kept: kept.clone() });
            }
            Undo::KernelValue { path, value } => {
                return Ok(LoggedUndo::KernelValue { path: path.clone(), value: value.clone() });
            }
            Undo::Irreversible(reason) => return Ok(LoggedUndo::Irreversible(reason.clone())),
        };
        let contents = Objects(run_directory(&self.place()?.state, &self.opening.run));
        let mut camera = Camera::new(host, &contents);
        let mut images = Vec::new();
        for path in paths {
            // One file has one name here, whatever links lead to it.
            let path = resolve(path, false, |link| host.read_link(link))?;
            match camera.take(&path, whole) {
                Ok(image) => images.push((path, image)),
                // That the journal can't be written is in the way; that something can't be kept is only said.
                Err(failure) if contents.is_about(&failure) => return Err(failure),
                Err(failure) => return Ok(LoggedUndo::Irreversible(failure.to_string())),
            }
        }
        let parents = parents(images.iter().map(|(path, _)| path.as_path()), host)?;
        Ok(LoggedUndo::Images { images, parents })
    }
}

/// When the directories above were changed last: what is restored in them shall not show.
fn parents<'a>(
    paths: impl Iterator<Item = &'a Path>,
    host: &dyn View,
) -> Result<Vec<(PathBuf, Time)>, Failure> {
    let mut times: Vec<(PathBuf, Time)> = Vec::new();
    for parent in paths.filter_map(Path::parent) {
        if times.iter().all(|(known, _)| known != parent)
            && let Some(stat) = host.lstat(parent)?
        {
            times.push((parent.to_owned(), stat.modified));
        }
    }
    Ok(times)
}

impl Journal for Recorder {
    fn pending(&self) -> Result<Pending, Failure> {
        Ok(self.pending.clone())
    }

    fn before(&self, step: &StepNote, host: &dyn View) -> Result<(), Failure> {
        self.has_begun()?;
        let undo = self.image_of(&step.undo, host)?;
        let paths = match &undo {
            LoggedUndo::Images { images, .. } => images.iter().map(|(path, _)| path.clone()).collect(),
            _ => Vec::new(),
        };
        let logged = LoggedStep {
            call: step.call.clone(),
            text: step.text.clone(),
            undo,
            leaves: step.leaves.clone(),
            serial: step.serial,
        };
        self.append(&Record::Step(Box::new(logged)), true)?;
        if step.serial.is_none() {
            self.noted.borrow_mut().push(Record::Action(step.call.clone()));
        }
        self.foretold.set(step.leaves.is_some());
        self.paths.replace(paths);
        Ok(())
    }

    fn after(&self, host: &dyn View) -> Result<(), Failure> {
        let paths = self.paths.take();
        let prints = if self.foretold.get() {
            Vec::new()
        } else {
            paths.iter().map(|path| Fingerprint::of(host, path)).collect::<Result<_, _>>()?
        };
        let record =
            Record::Made { left: prints, parents: parents(paths.iter().map(PathBuf::as_path), host)? };
        self.append(&record, false)
    }

    fn by_other(&self, step: &StepByOther) -> Result<(), Failure> {
        let record = Record::ByOther(step.clone());
        self.append(&record, true)?;
        self.noted.borrow_mut().push(record);
        Ok(())
    }

    fn action(&self, call: &CallIdentity) -> Result<(), Failure> {
        let record = Record::Action(call.clone());
        self.append(&record, true)?;
        self.noted.borrow_mut().push(record);
        Ok(())
    }

    fn notified(&self, handler: &HandlerIdentity, call: Option<&CallIdentity>) -> Result<(), Failure> {
        if !self.opening.writes {
            return Ok(());
        }
        let new = self.notified.borrow_mut().insert(handler.clone());
        let record =
            Record::Notified { handler: handler.clone(), call: call.cloned(), at: Time::now().seconds };
        self.append(&record, new)?;
        self.noted.borrow_mut().push(record);
        Ok(())
    }

    fn handled(&self, handler: &HandlerIdentity) -> Result<(), Failure> {
        if !self.opening.writes {
            return Ok(());
        }
        self.notified.borrow_mut().remove(handler);
        let record = Record::Handled(handler.clone());
        self.append(&record, false)?;
        self.noted.borrow_mut().push(record);
        Ok(())
    }

    fn ended(&self, complete: bool, met: &[CallIdentity]) -> Result<(), Failure> {
        let Ok(place) = &self.place else { return Ok(()) };
        let goes_on = !self.continued.is_empty();
        let ends_something = self.log.borrow().is_some() || goes_on || (complete && !met.is_empty());
        if !self.opening.writes || !ends_something {
            return Ok(());
        }
        let record = Record::Ended { complete, met: met.to_vec() };
        if let Some(log) = &mut *self.log.borrow_mut() {
            log.writer.append(&record, false).map_err(|error| self.failed(&error))?;
        }
        let mut noted = self.noted.borrow_mut();
        noted.push(record);
        Pending::update(&place.state.join("pending"), |pending| {
            let before = self.continued.iter().flat_map(|(_, records)| records);
            pending.apply(&self.opening.run, before.chain(noted.iter()));
        })
        .map_err(|error| self.failed(&error))?;
        for (marker, _) in &self.continued {
            fs::remove_file(marker).map_err(|error| self.failed(&error))?;
        }
        match self.log.take() {
            Some(log) => fs::remove_file(log.marker).map_err(|error| self.failed(&error)),
            None => Ok(()),
        }
    }
}

/// What is pending on this root. Whoever writes puts the logs of dead runs in order, and sweeps up after them.
fn left_behind(state: &Path, opening: &Opening) -> io::Result<Pending> {
    let file = state.join("pending");
    let mut dead = Vec::new();
    // Other hosts of this run are alive. They may be a thousand: their logs are not read.
    let own = format!("{}.", plain(&opening.run));
    for entry in fs::read_dir(state.join("unfinished")).into_iter().flatten() {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&own) {
            continue;
        }
        let marker = entry.path();
        let records = match log::read(&marker) {
            // The marker is all that the run has got to.
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            records => records?,
        };
        dead.push((marker, records));
    }
    // In the order of their beginning.
    dead.sort_by_key(|(_, records)| match records.first() {
        Some(Record::Begun(begun)) => begun.at,
        _ => Time::default(),
    });
    let run_of = |records: &[Record]| match records.first() {
        Some(Record::Begun(begun)) => begun.run.clone(),
        _ => String::new(),
    };
    if !opening.writes || dead.is_empty() {
        let mut pending = Pending::read(&file)?;
        for (_, records) in &dead {
            pending.apply(&run_of(records), records.iter());
        }
        return Ok(pending);
    }
    let pending = Pending::update(&file, |pending| {
        pending.forget_before(Time::now().seconds - retention::OLDEST.as_secs().cast_signed());
        for (_, records) in &dead {
            pending.apply(&run_of(records), records.iter());
        }
    })?;
    for (marker, records) in dead {
        sweep(&records, &opening.root);
        fs::remove_file(marker)?;
    }
    Ok(pending)
}

/// The logs of this run, host and play that have not ended, by their markers.
fn own_logs(state: &Path, opening: &Opening) -> io::Result<Vec<(PathBuf, Vec<Record>)>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(state.join("unfinished")).into_iter().flatten() {
        let marker = entry?.path();
        let Ok(records) = log::read(&marker) else { continue };
        let is_own = matches!(records.first(), Some(Record::Begun(begun))
            if (&begun.run, &begun.host, &begun.play) == (&opening.run, &opening.host, &opening.play));
        if is_own {
            sweep(&records, &opening.root);
            logs.push((marker, records));
        }
    }
    logs.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(logs)
}

/// Removes the temporary files of a step that its run did not live to finish.
fn sweep(records: &[Record], root: &Path) {
    let (Some(Record::Begun(begun)), Some(Record::Step(step))) = (records.first(), records.last()) else {
        return;
    };
    let LoggedUndo::Images { images, .. } = &step.undo else { return };
    for (path, _) in images {
        let path = root.join(path.strip_prefix("/").unwrap_or(path));
        crate::system::native::remove_temporaries(&path, begun.process);
    }
}

/// The contents of large files, beside the logs of their run.
pub(super) struct Objects(pub PathBuf);

impl Objects {
    fn is_about(&self, failure: &Failure) -> bool {
        matches!(failure, Failure::Io { path, .. } if path.starts_with(&self.0))
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let new = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(new, path)
    }
}

impl Contents for Objects {
    fn keep(&self, content: Vec<u8>) -> Result<Kept, Failure> {
        if content.len() <= INLINE {
            return Ok(Kept::Inline(content));
        }
        let name = blake3::hash(&content).to_hex().to_string();
        let path = self.0.join(&name);
        if !path.exists() {
            self.write(&path, &content)
                .map_err(|error| Failure::io("write the journal in", &self.0, &error))?;
        }
        Ok(Kept::Object(name))
    }

    fn get(&self, kept: &Kept) -> Result<Vec<u8>, Failure> {
        match kept {
            Kept::Inline(content) => Ok(content.clone()),
            Kept::Object(name) => {
                let path = self.0.join(name);
                fs::read(&path).map_err(|error| Failure::io("read the journal in", &path, &error))
            }
        }
    }
}

/// The content of a name that a run keeps in one of these directories.
///
/// # Errors
/// There is none.
pub(crate) fn kept_content(directories: &[PathBuf], run: &str, name: &str) -> Result<Vec<u8>, Failure> {
    let is_name = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let kept = Kept::Object(name.to_owned());
    let mut read = Err(Failure::state(format!("the journal of the run {run} keeps no content `{name}`")));
    for state in directories.iter().filter(|_| is_name) {
        read = Objects(run_directory(state, run)).get(&kept);
        if read.is_ok() {
            break;
        }
    }
    read
}

/// Where a run keeps its logs and contents.
pub(super) fn run_directory(state: &Path, run: &str) -> PathBuf {
    state.join("journal").join(plain(run))
}

fn make_private(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// A name as a file can have it.
pub(super) fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = name.chars().take(100).map(plain).collect();
    if name.starts_with('.') { format!("_{name}") } else { name }
}
