//! An agent in a thread of this process, for a host that is at hand but is not where this thread is: in another root.

use std::io::{self, BufWriter};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use super::frame::{self, LARGEST_FROM_CONTROLLER};
use super::{ToAgent, server};
use crate::facts::HostFacts;
use crate::interrupt::Interrupt;
use crate::journal::Source;
use crate::system::{System, remote};
use crate::transport::Pipes;

/// What an agent serves.
pub struct Served {
    /// The host.
    pub system: Rc<dyn System>,
    /// What it is.
    pub facts: Rc<dyn HostFacts>,
    /// Where its journal is kept.
    pub journal: Source,
    /// Whether what is done there shall stop.
    pub interrupt: Arc<Interrupt>,
}

/// Serves the calls on what `make` gives, in a thread of its own, as long as the connection stands. Both are made in that
/// thread, which may enter another root for it.
///
/// # Errors
/// That of `make`, or there is no thread to be had.
pub fn serve(make: impl FnOnce() -> io::Result<Served> + Send + 'static) -> io::Result<Pipes> {
    let (near, far) = UnixStream::pair()?;
    let (sender, made) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        let made = make().map_err(|error| drop(sender.send(Err(error)))).ok();
        let Some(served) = made else { return };
        // Who asked waits for this word.
        let _ = sender.send(Ok(()));
        // The other end sees that the stream has ended, whatever the reason.
        let _ = serve_calls(served, far);
    })?;
    made.recv().map_err(io::Error::other)??;
    Ok(Pipes::new(near.try_clone()?, near))
}

fn serve_calls(served: Served, mut stream: UnixStream) -> io::Result<()> {
    let mut output = BufWriter::new(stream.try_clone()?);
    server::greet(&mut output)?;
    loop {
        match frame::read(&mut stream, LARGEST_FROM_CONTROLLER)? {
            Some(ToAgent::Become(escalation)) if escalation.is_in_effect(&*served.system) => {}
            Some(ToAgent::Become(escalation)) => {
                return server::pass_on(&escalation, stream, output, &served.interrupt);
            }
            Some(ToAgent::Serve(_)) => break,
            _ => return Ok(()),
        }
    }
    // Whoever asks that something stop now is in this process, too, and the system itself hears it.
    let calls = std::iter::from_fn(|| {
        loop {
            match frame::read(&mut stream, LARGEST_FROM_CONTROLLER) {
                Ok(Some(ToAgent::Calls { number, calls })) => return Some((number, calls)),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return None,
            }
        }
    });
    remote::serve(&*served.system, &*served.facts, served.journal, calls, &mut output)
}
