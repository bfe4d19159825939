//! Signals that tell a run to stop, and the duties of the first process of a container.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;
use std::{fs, thread};

use refrain_engine::interrupt::{Interrupt, Urgency};
use refrain_engine::system::children::{self, Reaped};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator;

use crate::reporter::terminal::progress;
use crate::{exit, prompt};

/// What is to stop now and has not after this time is left behind: hosts have five seconds to say that they have stopped.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that has ended hides others until whoever has started it has noticed: look again so soon.
const NOTICED: Duration = Duration::from_millis(10);

/// The signals that tell a run to stop: SIGINT (Ctrl-C), SIGTERM, SIGHUP.
///
/// Before [`stop_gently`](Self::stop_gently), the first of them ends the program at once. After it, the first one asks to stop
/// after the steps in hand, the second one now; the third one ends the program at once.
#[derive(Clone)]
pub struct Signals(Arc<State>);

#[derive(Default)]
struct State {
    interrupt: Arc<Interrupt>,
    gently: AtomicBool,
    /// The signal that came first; 0 when none has come.
    first: AtomicU8,
}

impl Signals {
    /// Watches signals from now on. The first process of a container, to which the kernel gives no default for them, also
    /// waits for the processes that are left to it.
    pub fn watch() -> Self {
        let signals = Self(Arc::default());
        let watched = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        let state = Arc::clone(&signals.0);
        let watching = iterator::Signals::new(watched).and_then(|mut arriving| {
            thread::Builder::new().spawn(move || arriving.forever().for_each(|signal| state.take(signal)))
        });
        if let Err(error) = watching {
            eprintln!("warning: signals are not watched: {error}");
        }
        if std::process::id() == 1 {
            reap();
        }
        signals
    }

    /// From now on, there is something to be finished.
    pub fn stop_gently(&self) {
        self.0.gently.store(true, Ordering::SeqCst);
    }

    /// What the signals ask for.
    pub fn interrupt(&self) -> Arc<Interrupt> {
        Arc::clone(&self.0.interrupt)
    }

    /// The number of the signal that came first.
    pub fn first(&self) -> Option<u8> {
        Some(self.0.first.load(Ordering::SeqCst)).filter(|signal| *signal > 0)
    }
}

impl State {
    fn take(&self, signal: i32) {
        // Signals have small numbers.
        let signal = u8::try_from(signal).unwrap_or_default();
        let _ = self.first.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        let code = i32::from(exit::interrupted_by(self.first.load(Ordering::SeqCst)));
        prompt::cancel();
        if !self.gently.load(Ordering::SeqCst) {
            end(code);
        }
        match self.interrupt.urgency() {
            Urgency::None => self.interrupt.stop_after_step(),
            Urgency::AfterStep => {
                self.interrupt.stop_now();
                thread::spawn(move || {
                    thread::sleep(PATIENCE);
                    end(code);
                });
            }
            Urgency::Now => end(code),
        }
    }
}

/// Ends the program, whatever it does.
fn end(code: i32) -> ! {
    prompt::give_back();
    progress::leave();
    std::process::exit(code)
}

/// Whether whoever started this program wants it to ignore a signal, as `nohup` does.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}

/// Waits for every process that is left to this one, as long as it lives.
fn reap() {
    let reaping = iterator::Signals::new([SIGCHLD]).and_then(|mut arriving| {
        thread::Builder::new().spawn(move || {
            for _ in arriving.forever() {
                while children::reap_orphans() == Reaped::UpToOwn {
                    thread::sleep(NOTICED);
                }
            }
        })
    });
    if let Err(error) = reaping {
        eprintln!("warning: processes that are left to this one are not waited for: {error}");
    }
}
