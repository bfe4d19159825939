//! Questions to the person at the terminal.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use console::Term;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::reporter::terminal::progress;

/// How often a question looks whether the answer is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// Set when no answer is wanted any more.
static CANCELLED: AtomicBool = AtomicBool::new(false);

/// How the terminal was before the hidden question that is being asked.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Asks a question; a private answer is not shown.
///
/// # Errors
/// There is no terminal, or no answer is wanted any more.
pub fn ask(question: &str, private: bool) -> Result<String, String> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err("there is no terminal to ask at".to_owned());
    }
    progress::suspended(|| ask_there(terminal, question, private))
}

fn ask_there(terminal: Term, question: &str, private: bool) -> Result<String, String> {
    if private {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = settings();
    }
    let (sender, receiver) = mpsc::channel();
    let question = format!("{question}: ");
    // Nothing ends the wait for a line that never comes.
    let asking = thread::Builder::new().spawn(move || {
        let asked = terminal
            .write_str(&question)
            .and_then(|()| if private { terminal.read_secure_line() } else { terminal.read_line() });
        // Nobody hears it if it was cancelled meanwhile.
        let _ = sender.send(asked);
    });
    let answer = asking.map_err(|error| error.to_string()).and_then(|_| wait(&receiver));
    give_back();
    answer
}

fn wait(receiver: &mpsc::Receiver<io::Result<String>>) -> Result<String, String> {
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(asked) => return asked.map_err(|error| error.to_string()),
            Err(RecvTimeoutError::Timeout) if !CANCELLED.load(Ordering::Relaxed) => {}
            Err(_) => return Err("interrupted".to_owned()),
        }
    }
}

/// From now on, no answer is wanted to any question.
pub fn cancel() {
    CANCELLED.store(true, Ordering::Relaxed);
}

/// Gives the terminal back as it was before a hidden question: also when the program ends in the middle of one.
pub fn give_back() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs nothing.
        let _ = terminal().map(|terminal| tcsetattr(&terminal, OptionalActions::Now, &before));
    }
}

fn settings() -> Option<Termios> {
    tcgetattr(terminal().ok()?).ok()
}

/// Where answers are read from.
fn terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        stdin.as_fd().try_clone_to_owned()
    } else {
        File::options().read(true).write(true).open("/dev/tty").map(OwnedFd::from)
    }
}
