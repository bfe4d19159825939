//! A person at a terminal, who answers what is asked.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// Runs a command at a terminal and answers a hidden question whenever it asks it. Returns all that it has written, to the
/// terminal and elsewhere.
pub fn answering(command: Command, question: &str, answers: &[&str]) -> String {
    answering_where(command, question, answers, |master| !echoes(master))
}

/// The same with a question whose answer may be seen.
pub fn answering_openly(command: Command, question: &str, answers: &[&str]) -> String {
    answering_where(command, question, answers, |_| true)
}

fn answering_where(
    mut command: Command,
    question: &str,
    answers: &[&str],
    is_ready: impl Fn(&OwnedFd) -> bool,
) -> String {
    let (master, slave) = open();
    let child = command.stdin(slave()).stderr(slave()).stdout(Stdio::piped()).spawn().unwrap();
    // The command holds ends of the terminal, too; with all of them closed, reading it comes to an end.
    drop(command);
    let shown = Arc::new(Mutex::new(Vec::new()));
    let reader = read(master.try_clone().unwrap(), Arc::clone(&shown));
    let mut typed = File::from(master.try_clone().unwrap());
    for (before, answer) in answers.iter().enumerate() {
        until(|| asked(&shown, question) > before && is_ready(&master));
        writeln!(typed, "{answer}").unwrap();
    }
    let output = child.wait_with_output().unwrap();
    reader.join().unwrap();
    let shown = String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
    format!("{shown}{}", String::from_utf8_lossy(&output.stdout))
}

/// Runs a command at a terminal of this size, which is its standard output, too. Returns its exit code and what stood on the
/// screen, again and again until the end. `resized` sees each and may say a new size.
pub fn watching(
    mut command: Command,
    (rows, columns): (u16, u16),
    mut resized: impl FnMut(&str) -> Option<(u16, u16)>,
) -> (Option<i32>, Vec<String>) {
    let (master, slave) = open();
    let set_size = |(rows, columns)| {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
    };
    set_size((rows, columns));
    command.env("TERM", "xterm-256color").stdin(slave()).stdout(slave()).stderr(slave());
    let mut child = command.spawn().unwrap();
    drop(command);
    let side = |length| NonZero::new(length).unwrap();
    let mut parser = vt100::Parser::new(side(rows), side(columns), 200);
    let mut screens = Vec::new();
    let mut buffer = [0; 4096];
    let mut output = File::from(master.try_clone().unwrap());
    // At the end there is an error: nobody holds the other end any more.
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        parser.process(&buffer[..count]);
        let screen = parser.screen().contents();
        if let Some((rows, columns)) = resized(&screen) {
            set_size((rows, columns));
            parser.screen_mut().set_size(side(rows), side(columns));
        }
        screens.push(screen);
    }
    (child.wait().unwrap().code(), screens)
}

/// A terminal, and what opens the end of it that programs get.
fn open() -> (OwnedFd, impl Fn() -> Stdio) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (master, move || Stdio::from(File::options().read(true).write(true).open(&name).unwrap()))
}

/// Runs a command at a terminal and sends it a signal when it asks a hidden question. Returns its exit code and whether the
/// terminal shows again what is typed.
pub fn interrupting(mut command: Command, question: &str, signal: Signal) -> (Option<i32>, bool) {
    let (master, slave) = open();
    // The settings stay as long as somebody holds the terminal.
    let _held = slave();
    let mut child = command.stdin(slave()).stderr(slave()).stdout(Stdio::null()).spawn().unwrap();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let _reader = read(master.try_clone().unwrap(), Arc::clone(&shown));
    until(|| asked(&shown, question) > 0 && !echoes(&master));
    kill_process(Pid::from_child(&child), signal).unwrap();
    let code = child.wait().unwrap().code();
    (code, echoes(&master))
}

fn read(master: OwnedFd, shown: Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let mut master = File::from(master);
        // At the end there is an error: nobody holds the other end any more.
        while let Ok(count @ 1..) = master.read(&mut buffer) {
            shown.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
    })
}

/// How often the question was asked.
fn asked(shown: &Mutex<Vec<u8>>, question: &str) -> usize {
    String::from_utf8_lossy(&shown.lock().unwrap()).matches(question).count()
}

/// Whether the terminal shows what is typed.
fn echoes(master: &OwnedFd) -> bool {
    tcgetattr(master).unwrap().local_modes.contains(LocalModes::ECHO)
}

fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "nothing is asked");
        std::thread::sleep(Duration::from_millis(2));
    }
}
