//! The agent's side: one play from a stream, evaluated here, its events into a stream.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, BufWriter, Read, Write};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::frame::{self, LARGEST_FROM_CONTROLLER, MAGIC};
use super::{PROTOCOL, ToAgent, ToController, Work};
use crate::ended::Ended;
use crate::escalation::{self, Escalation};
use crate::event::{EventKind, Status};
use crate::facts;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::journal::{Source, rollback};
use crate::module::Registry;
use crate::raw_path::RawPath;
use crate::script::host::{self, Surroundings};
use crate::system::native::Native;
use crate::system::remote::{self, Call};
use crate::system::{RootKind, root};
use crate::transport::{AgentBinary, Unreachable};

/// Events of unchanged calls wait this long for company: a converged play is a few packets, not one per call.
const PATIENCE: Duration = Duration::from_millis(50);

/// Serves one play on this host: reads a bundle from `input`, evaluates it, writes events to `output`. Or serves the calls of
/// a play that its controller evaluates.
///
/// When `input` ends, the step in hand is finished and the play ends; so it does when `interrupt` says so.
///
/// # Errors
/// The streams are broken, or what arrives is neither a bundle nor calls.
pub fn serve(
    registry: &Registry,
    mut input: impl Read + Send + 'static,
    output: impl Write + 'static,
    interrupt: Arc<Interrupt>,
) -> io::Result<()> {
    let mut output = Output { stream: BufWriter::with_capacity(64 * 1024, output), since: None };
    greet(&mut output.stream)?;
    let mut kernel = None;
    let work = loop {
        match frame::read(&mut input, LARGEST_FROM_CONTROLLER)? {
            Some(ToAgent::Become(escalation)) if escalation.is_in_effect(&Native::new(RootKind::Live)) => {}
            Some(ToAgent::Become(escalation)) => {
                return pass_on(&escalation, input, output.stream, &interrupt);
            }
            Some(ToAgent::Enter(RawPath(root))) => match root::enter(&root) {
                Ok(outer) => kernel = outer,
                Err(error) => {
                    let unreachable = Unreachable::no_root(&root, &error);
                    output.send(&ToController::Refused(Box::new(unreachable)))?;
                    return output.flush();
                }
            },
            Some(ToAgent::Run(bundle)) => break Work::Play(bundle),
            Some(ToAgent::RollBack(order)) => break Work::RollBack(order),
            Some(ToAgent::Serve(root_kind)) => {
                let facts = facts::Facts::new(facts::Native::seeing(root_kind, kernel));
                let system = Native::new(root_kind).interrupted_by(Arc::clone(&interrupt));
                let calls = listen_for_calls(input, interrupt);
                return remote::serve(&system, &facts, Source::of_this_process(), calls, &mut output.stream);
            }
            Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "a play has to come first")),
            None => return Ok(()),
        }
    };
    let files = Arc::new(Files::default());
    listen(input, Arc::clone(&files), Arc::clone(&interrupt));

    let output = Rc::new(RefCell::new(output));
    let native = |kind| Rc::new(Native::new(kind).interrupted_by(Arc::clone(&interrupt)));
    let (emit, journal) = (emitter(&output, &interrupt), Source::of_this_process());
    let ended = match work {
        Work::Play(bundle) => {
            let surroundings = Surroundings {
                system: native(bundle.root_kind),
                facts: Rc::new(facts::Facts::new(facts::Native::seeing(bundle.root_kind, kernel))),
                emit,
                fetch: fetcher(&output, files),
                controller: None,
                journal,
                interrupt,
            };
            host::run(registry, *bundle, surroundings)
        }
        Work::RollBack(order) => {
            Ended::of(rollback::follow(&order, native(order.root_kind), journal, &*emit, &interrupt))
        }
    };
    let mut output = output.borrow_mut();
    output.send(&ToController::Ended(ended))?;
    output.flush()
}

/// Lets an agent of another user serve the play.
pub(super) fn pass_on(
    escalation: &Escalation,
    input: impl Read + Send + 'static,
    mut output: impl Write,
    interrupt: &Interrupt,
) -> io::Result<()> {
    match escalation::launch(escalation, &AgentBinary::default(), interrupt) {
        Ok(agent) => escalation::relay(agent, input, output),
        Err(unreachable) => {
            frame::write(&mut output, &ToController::Refused(Box::new(unreachable)))?;
            output.flush()
        }
    }
}

/// Says that an agent is here, and which.
pub(super) fn greet(output: &mut impl Write) -> io::Result<()> {
    output.write_all(&MAGIC)?;
    frame::write(output, &ToController::Hello(PROTOCOL.to_owned()))?;
    output.flush()
}

/// The stream to the controller.
struct Output<W: Write> {
    stream: BufWriter<W>,
    /// When the oldest event was written that has not been sent yet.
    since: Option<Instant>,
}

impl<W: Write> Output<W> {
    fn send(&mut self, message: &ToController) -> io::Result<()> {
        frame::write(&mut self.stream, message)?;
        self.since.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.since = None;
        self.stream.flush()
    }

    fn event(&mut self, event: EventKind) -> io::Result<()> {
        let quiet = matches!(&event, EventKind::Task(task) if matches!(task.status, Status::Ok | Status::Skipped))
            || matches!(&event, EventKind::HostFinished { .. });
        self.send(&ToController::Event(Box::new(event)))?;
        if quiet && self.since.is_some_and(|since| since.elapsed() < PATIENCE) {
            Ok(())
        } else {
            self.flush()
        }
    }
}

fn emitter<W: Write + 'static>(
    output: &Rc<RefCell<Output<W>>>,
    interrupt: &Arc<Interrupt>,
) -> Box<dyn Fn(EventKind)> {
    let output = Rc::clone(output);
    let interrupt = Arc::clone(interrupt);
    Box::new(move |event| {
        if output.borrow_mut().event(event).is_err() {
            // Nobody listens any more: what is begun is finished, and nothing more is begun.
            interrupt.stop_after_step();
        }
    })
}

fn fetcher<W: Write + 'static>(output: &Rc<RefCell<Output<W>>>, files: Arc<Files>) -> host::Fetch {
    let output = Rc::clone(output);
    Box::new(move |path| {
        let asked = {
            let mut output = output.borrow_mut();
            output.send(&ToController::Need(path.to_owned())).and_then(|()| output.flush())
        };
        asked.map_err(|_| Failure::Interrupted)?;
        files.wait(path)
    })
}

/// Files that arrive while the play waits for them.
#[derive(Default)]
struct Files {
    arrived: Mutex<Arrived>,
    news: Condvar,
}

#[derive(Default)]
struct Arrived {
    files: HashMap<String, Result<Vec<u8>, String>>,
    closed: bool,
}

impl Files {
    fn put(&self, path: String, content: Result<Vec<u8>, String>) {
        if let Ok(mut arrived) = self.arrived.lock() {
            arrived.files.insert(path, content);
        }
        self.news.notify_all();
    }

    fn close(&self) {
        if let Ok(mut arrived) = self.arrived.lock() {
            arrived.closed = true;
        }
        self.news.notify_all();
    }

    fn wait(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let Ok(arrived) = self.arrived.lock() else { return Err(Failure::Interrupted) };
        let waited =
            self.news.wait_while(arrived, |arrived| !arrived.closed && !arrived.files.contains_key(path));
        let Ok(mut arrived) = waited else { return Err(Failure::Interrupted) };
        match arrived.files.remove(path) {
            Some(content) => content.map_err(Failure::state),
            None => Err(Failure::Interrupted),
        }
    }
}

/// Listens for calls in a thread of its own: what is done must not keep a wish to stop from being heard.
fn listen_for_calls(
    mut input: impl Read + Send + 'static,
    interrupt: Arc<Interrupt>,
) -> mpsc::Receiver<(u64, Vec<Call>)> {
    let (sender, calls) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(Some(message)) = frame::read::<ToAgent>(&mut input, LARGEST_FROM_CONTROLLER) {
            match message {
                ToAgent::Calls { number, calls } => {
                    if sender.send((number, calls)).is_err() {
                        break;
                    }
                }
                ToAgent::Interrupt => break,
                ToAgent::Stop => interrupt.stop_now(),
                // None of the protocol; the calls go on.
                ToAgent::Run(_)
                | ToAgent::RollBack(_)
                | ToAgent::Become(_)
                | ToAgent::Enter(_)
                | ToAgent::Serve(_)
                | ToAgent::File { .. } => {}
            }
        }
    });
    calls
}

/// Listens to the controller in a thread of its own: files, the wish to stop, the end of the stream.
fn listen(mut input: impl Read + Send + 'static, files: Arc<Files>, interrupt: Arc<Interrupt>) {
    std::thread::spawn(move || {
        while let Ok(Some(message)) = frame::read::<ToAgent>(&mut input, LARGEST_FROM_CONTROLLER) {
            match message {
                ToAgent::File { path, content } => {
                    files.put(path, content.map(serde_bytes::ByteBuf::into_vec));
                }
                ToAgent::Interrupt => interrupt.stop_after_step(),
                ToAgent::Stop => interrupt.stop_now(),
                // A second play is none of the protocol; the first one goes on.
                ToAgent::Run(_)
                | ToAgent::RollBack(_)
                | ToAgent::Become(_)
                | ToAgent::Enter(_)
                | ToAgent::Serve(_)
                | ToAgent::Calls { .. } => {}
            }
        }
        // The controller is gone, or nonsense came from it. What is begun is finished: a command that is cut off may leave
        // things half done, and there is nobody to tell.
        interrupt.stop_after_step();
        files.close();
    });
}
