//! A program that is to run a script as another user, from its start to the script's first word.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::invocation::{self, Wiring};
use super::refusal::Refusal;
use super::terminal::Terminal;
use super::{Escalation, Method};
use crate::failure::reason;
use crate::interrupt::Interrupt;
use crate::syscall;
use crate::system::children::Spawned;
use crate::transport::{Unreachable, find};

/// What the script says first: whoever it runs as has been let in.
const BEGUN: &str = "refrain: begun";

/// The shell's words for that. The agent does not hear of the terminal's end: what counts is that of its stream.
const BEGIN: &str = "echo; echo \"refrain: begun\"; trap \"\" HUP";

/// How often a program is looked at that says nothing: it may have ended, or have hidden what is typed after it has asked.
const LOOK: Duration = Duration::from_millis(50);

/// How long a program may take to end whose terminal and pipes are gone.
const GRACE: Duration = Duration::from_secs(2);

/// So much may be said before the script's first word.
const MOST_NOISE: usize = 64 * 1024;

/// A program that runs a script.
pub(super) struct Running {
    child: Spawned,
    /// Where the script reads, until no more is to come.
    pub(super) input: Option<Input>,
    /// What the script writes.
    pub(super) output: File,
    /// What it and the program complain.
    pub(super) complaints: File,
    /// The terminal of the program, where the system gives one. It has to be kept as long as the program runs.
    pub(super) terminal: Option<Terminal>,
    /// It did not end when it should have.
    left: bool,
}

/// The near end of what a script reads.
pub(super) enum Input {
    Pipe(File),
    Socket(UnixStream),
}

impl Input {
    /// Writes all of this.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => pipe.write_all(bytes),
            Self::Socket(socket) => socket.write_all(bytes),
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // The other end of a pipe sees it by itself. A socket is kept open by whoever reads from it.
        if let Self::Socket(socket) = self {
            let _ = socket.shutdown(Shutdown::Write);
        }
    }
}

impl Running {
    fn spawn(mut command: Command, wiring: Wiring) -> Result<Self, Refusal> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => Refusal::NoProgram,
            _ => Refusal::Failed(reason(&error)),
        };
        let terminal = Terminal::open().ok();
        let far = || terminal.as_ref().map(Terminal::far).transpose().map_err(failed);
        let (input, output) = match wiring {
            Wiring::Pipes => {
                let (script_reads, input) = io::pipe().map_err(failed)?;
                let (output, script_writes) = io::pipe().map_err(failed)?;
                command.stdin(script_reads).stdout(script_writes);
                (Input::Pipe(OwnedFd::from(input).into()), OwnedFd::from(output))
            }
            Wiring::Socket => {
                let (near, script) = UnixStream::pair().map_err(failed)?;
                command.stdin(far()?.map_or_else(Stdio::null, Stdio::from)).stdout(OwnedFd::from(script));
                (Input::Socket(near.try_clone().map_err(failed)?), OwnedFd::from(near))
            }
        };
        let (complaints, complains) = io::pipe().map_err(failed)?;
        command.stderr(complains);
        syscall::seat(&mut command, far()?);
        let child = Spawned::by(&mut command).map_err(failed)?;
        let (output, complaints) = (output.into(), OwnedFd::from(complaints).into());
        Ok(Self { child, input: Some(input), output, complaints, terminal, left: false })
    }

    /// Takes everything away from the program and waits for it to end, but not for ever.
    pub(super) fn ending(&mut self) -> Option<ExitStatus> {
        if self.left {
            return None;
        }
        drop(self.input.take());
        drop(self.terminal.take());
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                ended => return ended.ok().flatten(),
            }
        }
        // A program that is root's can't be ended by another user, only be left alone.
        let _ = self.child.kill();
        self.left = true;
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ending();
    }
}

/// How a program ended, in words.
pub(super) fn words(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("it exited with status {code}"),
        Some((None, signal)) => format!("it was ended by the signal {}", signal.unwrap_or_default()),
        None => "it did not end".to_owned(),
    }
}

/// A program that runs a script, listened to and answered in one thread.
pub(super) struct Conversation<'a> {
    running: Running,
    escalation: &'a Escalation,
    /// Whether it is still wanted.
    interrupt: &'a Interrupt,
    /// What came out so far.
    output: Vec<u8>,
    /// What was said so far, at the terminal and as complaints.
    said: Vec<u8>,
    /// How much of it had been said when the password was typed.
    answered: Option<usize>,
    /// Whether more output may come.
    printing: bool,
    /// Whether more complaints may come.
    complaining: bool,
}

impl<'a> Conversation<'a> {
    /// Starts a script as another user, and answers the program that does it until the script has begun.
    ///
    /// # Errors
    /// The program did not let us in.
    pub(super) fn start(
        escalation: &'a Escalation,
        script: &str,
        patience: Duration,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Unreachable> {
        let command = invocation::command(escalation, &format!("{BEGIN}; {script}"));
        let running = Running::spawn(command, escalation.method.wiring());
        let running = running.map_err(|refusal| refusal.unreachable(escalation, &[]))?;
        Self::with(running, escalation, interrupt)
            .begin(patience)
            .map_err(|(refusal, said)| refusal.unreachable(escalation, &said))
    }

    fn with(running: Running, escalation: &'a Escalation, interrupt: &'a Interrupt) -> Self {
        Self {
            running,
            interrupt,
            escalation,
            output: Vec::new(),
            said: Vec::new(),
            answered: None,
            printing: true,
            complaining: true,
        }
    }

    /// Answers the program until the script has begun. Else gives the reason, and what was said.
    fn begin(mut self, patience: Duration) -> Result<Self, (Refusal, Vec<u8>)> {
        let deadline = Instant::now() + patience;
        let mut open = true;
        loop {
            if let Some(begun) = self.begun() {
                self.output.drain(..begun);
                return Ok(self);
            }
            let refusal = if !open {
                return Err(self.refused());
            } else if self.interrupt.is_set() {
                Some(Refusal::Interrupted)
            } else if Instant::now() >= deadline {
                Some(Refusal::Late(patience))
            } else if self.said.len() + self.output.len() > MOST_NOISE {
                Some(Refusal::Endless)
            } else {
                self.answer()
            };
            if let Some(refusal) = refusal {
                // The question that was not answered says nothing, and may not be whole.
                let whole = self.said.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                self.said.truncate(whole);
                return Err((refusal, self.said));
            }
            open = self.read(LOOK);
        }
    }

    /// Why a program has ended before the script has begun.
    fn refused(self) -> (Refusal, Vec<u8>) {
        let method = self.escalation.method;
        let asked_in_vain = self.answered.is_none();
        let seated = self.running.terminal.is_some();
        let (mut said, output, ending) = self.ending();
        said.extend(output);
        let refusal = match Refusal::of(&said, ending) {
            // It has read the end of its input for the password.
            Refusal::WrongPassword if asked_in_vain && !seated => Refusal::NoTerminal,
            Refusal::Ended(_) if method == Method::Su && !seated => Refusal::NoTerminal,
            Refusal::WrongPassword if asked_in_vain => Refusal::PasswordNeeded,
            refusal => refusal,
        };
        (refusal, said)
    }

    /// Listens until the script has said enough, everything, or nothing more for so long.
    pub(super) fn listen(&mut self, patience: Duration, enough: impl Fn(&[u8]) -> bool) {
        let mut deadline = Instant::now() + patience;
        while !enough(&self.output) && self.output.len() < MOST_NOISE && !self.interrupt.is_set() {
            if Instant::now() >= deadline {
                break;
            }
            let before = self.output.len();
            if !self.read(LOOK) {
                break;
            }
            if self.output.len() > before {
                deadline = Instant::now() + patience;
            }
        }
    }

    /// Lets the script read this and nothing more.
    pub(super) fn feed(&mut self, content: Vec<u8>) {
        if let Some(mut input) = self.running.input.take() {
            // A script that does not read to the end says why, or ends without a word.
            std::thread::spawn(move || input.write_all(&content));
        }
    }

    /// What the script has said so far.
    pub(super) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Leaves the script to somebody else, with what it said behind the first `count` bytes.
    pub(super) fn leave(mut self, count: usize) -> (Running, Vec<u8>) {
        (self.running, self.output.split_off(count))
    }

    /// Waits for the end. Gives the complaints, what the script has said, and in words how it ended.
    pub(super) fn ending(mut self) -> (Vec<u8>, Vec<u8>, String) {
        let ending = words(self.running.ending());
        (self.said, self.output, ending)
    }

    /// Reads what comes in a while. `false` when all has been said: the program has closed its output.
    fn read(&mut self, patience: Duration) -> bool {
        let [output, complaints, terminal] = self.ready(patience);
        if terminal && let Some(terminal) = &self.running.terminal {
            take(terminal.reader(), &mut self.said);
        }
        if complaints {
            self.complaining = take(&self.running.complaints, &mut self.said);
        }
        if output {
            self.printing = take(&self.running.output, &mut self.output);
        }
        self.printing || self.complaining
    }

    /// Waits until something can be read: output, complaints, what the terminal shows.
    fn ready(&self, patience: Duration) -> [bool; 3] {
        let Running { output, complaints, terminal, .. } = &self.running;
        let mut streams = Vec::with_capacity(3);
        streams.extend(self.printing.then(|| (0, output.as_fd())));
        streams.extend(self.complaining.then(|| (1, complaints.as_fd())));
        streams.extend(terminal.as_ref().map(|terminal| (2, terminal.as_fd())));
        let mut waited: Vec<_> =
            streams.iter().map(|(_, stream)| PollFd::from_borrowed_fd(*stream, PollFlags::IN)).collect();
        // A signal only makes the caller look again.
        let _ = poll(&mut waited, Timespec::try_from(patience).ok().as_ref());
        let mut ready = [false; 3];
        for ((which, _), waited) in streams.iter().zip(&waited) {
            ready[*which] = !waited.revents().is_empty();
        }
        ready
    }

    /// Where the script's own words begin in what came out, if it has begun.
    fn begun(&self) -> Option<usize> {
        let begun = find(&self.output, format!("\n{BEGUN}\n").as_bytes())?;
        Some(begun + BEGUN.len() + 2)
    }

    /// Types the password when it is asked for. Gives a refusal when there is none, or when it was not enough.
    fn answer(&mut self) -> Option<Refusal> {
        if !self.asked() {
            return None;
        }
        let terminal = self.running.terminal.as_mut()?;
        match (&self.escalation.password, self.answered) {
            (None, _) => Some(Refusal::PasswordNeeded),
            (Some(_), Some(_)) => Some(Refusal::WrongPassword),
            (Some(password), None) => {
                self.answered = Some(self.said.len());
                terminal.type_line(password.expose()).err().map(|error| Refusal::Failed(reason(&error)))
            }
        }
    }

    /// Whether a question waits for an answer: its line has no end, and what is typed would not be shown.
    ///
    /// In whose words it is does not matter. The newline that ends an answer nobody has seen is no question, nor are the
    /// asterisks in its place.
    fn asked(&self) -> bool {
        let news = &self.said[self.answered.unwrap_or(0)..];
        let mut lines = news.rsplit(|byte| *byte == b'\n');
        let last = lines.next().unwrap_or_default();
        let is_question = last.iter().any(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
        let is_new = self.answered.is_none() || lines.next().is_some();
        is_question && is_new && self.running.terminal.as_ref().is_some_and(Terminal::is_hiding)
    }
}

/// Reads once. `false` at the end.
fn take(mut from: &File, into: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 16 * 1024];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => {
            into.extend_from_slice(&buffer[..count]);
            true
        }
        Err(error) => error.kind() == ErrorKind::Interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretText;

    /// What a program does that asks at its terminal, in the shell's words.
    const ASK: &str = "ask() { stty -echo; printf \"$1\" >/dev/tty; read answer </dev/tty; stty echo; echo >/dev/tty; }; \
                       begin() { echo; echo \"refrain: begun\"; cat; }; exec 3<&0 </dev/tty; ";

    fn escalation(password: Option<&str>) -> Escalation {
        Escalation { method: Method::Sudo, user: "app".to_owned(), password: password.map(SecretText::new) }
    }

    /// Speaks with such a program.
    fn speak(program: &str, password: Option<&str>, patience: Duration) -> Result<String, Refusal> {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{ASK}{program}")]);
        let running = Running::spawn(command, Wiring::Pipes).unwrap();
        let (escalation, interrupt) = (escalation(password), Interrupt::default());
        let mut conversation = Conversation::with(running, &escalation, &interrupt)
            .begin(patience)
            .map_err(|(refusal, _)| refusal)?;
        conversation.feed(b"fed\n".to_vec());
        conversation.listen(LONG, |said| said.ends_with(b"fed\n"));
        Ok(String::from_utf8(conversation.output().to_vec()).unwrap())
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_question_is_answered_in_whatever_words_it_is() {
        for question in
            ["Password: ", "[sudo] Passwort für tester: ", "暗証番号：", "noise\\nmore noise\\n? "]
        {
            let program = format!("ask '{question}'; [ \"$answer\" = hunter2 ] && begin <&3");
            assert_eq!(speak(&program, Some("hunter2"), LONG).as_deref(), Ok("fed\n"), "{question}");
        }
        assert_eq!(speak("begin <&3", Some("hunter2"), LONG).as_deref(), Ok("fed\n"), "nobody has asked");
        assert_eq!(speak("begin <&3", None, LONG).as_deref(), Ok("fed\n"));
    }

    #[test]
    fn asterisks_are_no_second_question() {
        let program = "stty -echo; printf 'Password: ' >/dev/tty; read answer </dev/tty; printf '*******' >/dev/tty; \
                       sleep 0.2; echo >/dev/tty; sleep 0.2; stty echo; begin <&3";
        assert_eq!(speak(program, Some("hunter2"), LONG).as_deref(), Ok("fed\n"));
    }

    #[test]
    fn it_is_asked_once() {
        let program = "ask 'Password: '; echo 'Nein.' >/dev/tty; ask 'Password: '; begin <&3";
        assert_eq!(speak(program, Some("wrong"), LONG), Err(Refusal::WrongPassword));
        assert_eq!(speak(program, None, LONG), Err(Refusal::PasswordNeeded));
    }

    #[test]
    fn whatever_it_does_it_is_left_in_the_end() {
        let short = Duration::from_millis(300);
        let token = "printf 'Token: ' >/dev/tty; read answer </dev/tty; begin <&3";
        assert_eq!(speak(token, Some("hunter2"), short), Err(Refusal::Late(short)));
        assert_eq!(speak("sleep 60", None, short), Err(Refusal::Late(short)));
        assert_eq!(speak("yes", None, LONG), Err(Refusal::Endless));
        assert_eq!(speak("yes >&2", None, LONG), Err(Refusal::Endless));
        let ended = Refusal::Ended("it exited with status 3".to_owned());
        assert_eq!(speak("echo 'Das darfst du nicht.' >&2; exit 3", None, LONG), Err(ended));
        let killed = Refusal::Ended("it was ended by the signal 9".to_owned());
        assert_eq!(speak("kill -9 $$", None, LONG), Err(killed));
    }

    #[test]
    fn a_program_that_is_not_there_is_told_apart() {
        let refusal = Running::spawn(Command::new("no-such-program"), Wiring::Pipes).err();
        assert_eq!(refusal, Some(Refusal::NoProgram));
    }
}
