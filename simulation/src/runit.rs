//! `sv`, and a runsvdir that takes up whatever is enabled at once.
//!
//! A service that is enabled runs, unless it has a file `down`. What was ordered otherwise is in `/run/sv.NAME`: a file that
//! says `up` or `down` and is there only while it differs from that.

use std::path::{Path, PathBuf};

use refrain_engine::system::{Attributes, Kind, View};

use crate::Invocation;

/// Where services are enabled, unless `SVDIR` says so.
const DIRECTORY: &str = "/var/service";
/// What `sv` returns where it can't do anything about an order.
const USAGE: i32 = 100;
/// Processes have numbers from here on.
const FIRST_PID: u32 = 1000;

/// Plays `sv [-v] [-w SECONDS] ORDER SERVICE…`.
pub fn sv(invocation: &mut Invocation<'_>) -> i32 {
    let mut words = invocation.arguments;
    loop {
        match words {
            [option, rest @ ..] if option == "-v" => words = rest,
            [option, _, rest @ ..] if option == "-w" => words = rest,
            _ => break,
        }
    }
    let [order, services @ ..] = words else { return usage(invocation) };
    let Some(order) = Order::named(order).filter(|_| !services.is_empty()) else { return usage(invocation) };
    let mut refused = 0;
    for name in services {
        let followed = Service::find(invocation, name).and_then(|service| service.follow(invocation, order));
        match followed {
            Ok(line) => line.into_iter().for_each(|line| invocation.say(line)),
            Err(line) => {
                invocation.say(line);
                refused += 1;
            }
        }
    }
    refused
}

fn usage(invocation: &mut Invocation<'_>) -> i32 {
    invocation.complain("usage: sv [-v] [-w sec] command service ...");
    USAGE
}

/// What `sv` can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Status,
    /// To run, and whether to say that it does.
    Up(bool),
    Down(bool),
    /// To run anew.
    Restart,
    /// A signal that ends nothing.
    Signal(bool),
    /// To end, with its supervisor.
    Exit(bool),
    Check,
}

impl Order {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "start" => Self::Up(true),
            "stop" | "force-stop" => Self::Down(true),
            "restart" | "force-restart" | "try-restart" | "force-reload" => Self::Restart,
            "reload" => Self::Signal(true),
            "shutdown" | "force-shutdown" => Self::Exit(true),
            "check" => Self::Check,
            // Of the others the first letter counts.
            _ => match word.chars().next()? {
                's' => Self::Status,
                'u' | 'o' => Self::Up(false),
                'd' => Self::Down(false),
                'e' => Self::Exit(false),
                'p' | 'c' | 'h' | 'a' | 'i' | 'q' | '1' | '2' | 't' | 'k' => Self::Signal(false),
                _ => return None,
            },
        })
    }

    fn reports(self) -> bool {
        !matches!(self, Self::Up(false) | Self::Down(false) | Self::Signal(false) | Self::Exit(false))
    }
}

/// A service that is enabled.
struct Service {
    name: String,
    directory: PathBuf,
}

impl Service {
    fn find(invocation: &Invocation<'_>, name: &str) -> Result<Self, String> {
        let directory = invocation.environment.get("SVDIR").map_or(DIRECTORY, String::as_str);
        let directory = Path::new(directory).join(name);
        let stat = invocation.system.stat(&directory).ok().flatten();
        match stat {
            Some(stat) if stat.kind == Kind::Directory => Ok(Self { name: name.to_owned(), directory }),
            _ => Err(format!("fail: {name}: unable to change to service directory: file does not exist")),
        }
    }

    /// Whether it is enabled: one that is named by its directory may not be.
    fn is_supervised(&self, invocation: &Invocation<'_>) -> bool {
        let scanned = invocation.environment.get("SVDIR").map_or(DIRECTORY, String::as_str);
        let base = self.name.rsplit('/').next().unwrap_or(&self.name);
        matches!(invocation.system.lstat(&Path::new(scanned).join(base)), Ok(Some(_)))
    }

    /// Where it is written down that it is not as it would be.
    fn note(&self) -> PathBuf {
        let name = self.name.rsplit('/').next().unwrap_or(&self.name);
        Path::new("/run").join(format!("sv.{name}"))
    }

    fn is_normally_up(&self, view: &dyn View) -> bool {
        !matches!(view.lstat(&self.directory.join("down")), Ok(Some(_)))
    }

    fn is_up(&self, view: &dyn View) -> bool {
        match view.read(&self.note()) {
            Ok(Some(content)) => content.known() == Some(b"up\n"),
            _ => self.is_normally_up(view),
        }
    }

    fn set(&self, invocation: &Invocation<'_>, up: bool) -> Result<(), String> {
        let system = invocation.system;
        let note = self.note();
        let done = if up == self.is_normally_up(system) {
            system.remove(&note)
        } else {
            let (uid, gid) = system.identity();
            let content: &[u8] = if up { b"up\n" } else { b"down\n" };
            system.write(&note, content, Attributes { mode: 0o644, uid, gid })
        };
        done.map_err(|failure| {
            format!("fail: {}: unable to write to supervise/control: {failure}", self.name)
        })
    }

    /// Follows an order. Returns what is said about that, if anything.
    fn follow(&self, invocation: &Invocation<'_>, order: Order) -> Result<Option<String>, String> {
        if !self.is_supervised(invocation) {
            // What its supervisor was told went with that.
            let forgotten = invocation.system.remove(&self.note());
            let line = format!("{}: runsv not running", self.name);
            let fine = matches!(order, Order::Exit(_)) && forgotten.is_ok();
            return if fine { Ok(Some(format!("ok: {line}"))) } else { Err(format!("fail: {line}")) };
        }
        match order {
            Order::Up(_) | Order::Restart => self.set(invocation, true)?,
            // Its supervisor ends, too, and is started again.
            Order::Exit(_) => {}
            Order::Down(_) => self.set(invocation, false)?,
            Order::Status | Order::Signal(_) | Order::Check => {}
        }
        let ok = if order == Order::Status { "" } else { "ok: " };
        Ok(order.reports().then(|| format!("{ok}{}", self.report(invocation.system))))
    }

    fn report(&self, view: &dyn View) -> String {
        let (name, normally_up) = (&self.name, self.is_normally_up(view));
        if self.is_up(view) {
            let remark = if normally_up { "" } else { ", normally down" };
            format!("run: {name}: (pid {}) 1s{remark}", self.pid())
        } else {
            let remark = if normally_up { ", normally up" } else { "" };
            format!("down: {name}: 1s{remark}")
        }
    }

    /// A number that is the same each time.
    fn pid(&self) -> u32 {
        self.name.bytes().fold(FIRST_PID, |pid, byte| (pid * 31 + u32::from(byte)) % 30_000 + FIRST_PID)
    }
}
