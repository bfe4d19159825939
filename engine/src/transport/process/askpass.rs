//! Answers to what the system's ssh asks: a password travels through a socket, never through arguments or the environment.
//!
//! ssh runs the program that `SSH_ASKPASS` names, which is this one. It finds the way back by a variable that holds nothing but
//! the name of a socket, which only processes of the same user are answered on, and only as long as the connection is made.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;

use crate::transport::printable;
use crate::transport::ssh::AskSecret;

/// Names the socket.
const VARIABLE: &str = "REFRAIN_ASKPASS";

/// No question is that long.
const LONGEST: u64 = 4096;

/// How long whoever asks may take to do it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is answered.
#[derive(Clone)]
pub(super) struct Answers {
    /// The password to log in with.
    pub password: String,
    /// The names of the host in ssh's questions. The password is for nobody else.
    pub hosts: Vec<String>,
    /// Answers what else is asked.
    pub ask: Option<AskSecret>,
}

/// Answers questions until it is dropped.
pub(super) struct Askpass {
    name: String,
    over: Arc<AtomicBool>,
    refused: Arc<Mutex<Option<String>>>,
}

impl Askpass {
    /// Listens for questions, in a thread of its own.
    ///
    /// # Errors
    /// There is no socket or thread to be had.
    pub(super) fn start(answers: Answers) -> io::Result<Self> {
        let mut random = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("refrain-askpass-{name}");
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        let own = Self { name, over: Arc::new(AtomicBool::new(false)), refused: Arc::new(Mutex::new(None)) };
        let (over, refused) = (Arc::clone(&own.over), Arc::clone(&own.refused));
        thread::Builder::new().spawn(move || {
            for asking in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // Who breaks off has no answer, and nothing else happens.
                if let Ok(Err(reason)) = answers.answer(asking) {
                    *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                }
            }
        })?;
        Ok(own)
    }

    /// Lets a program ask.
    pub(super) fn let_ask(&self, command: &mut Command) {
        // ssh changes its own `/proc/self`; this process stays as long as it is needed.
        command.env("SSH_ASKPASS", format!("/proc/{}/exe", std::process::id()));
        command.env("SSH_ASKPASS_REQUIRE", "force");
        command.env(VARIABLE, &self.name);
    }

    /// The last question that was not answered.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Askpass {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread up. If nobody listens, it has ended.
        let _ = SocketAddr::from_abstract_name(&self.name).and_then(|name| UnixStream::connect_addr(&name));
    }
}

impl Answers {
    /// Answers one question. The inner error says why there is no answer.
    fn answer(&self, mut asking: UnixStream) -> io::Result<Result<(), String>> {
        let peer = socket_peercred(&asking)?;
        if peer.uid != rustix::process::getuid() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        asking.set_read_timeout(Some(PATIENCE))?;
        let mut question = Vec::new();
        (&asking).take(LONGEST).read_to_end(&mut question)?;
        let question = printable(&question);
        match self.to(&question) {
            Ok(answer) => {
                asking.write_all(answer.as_bytes())?;
                asking.write_all(b"\n")?;
                Ok(Ok(()))
            }
            Err(reason) => Ok(Err(format!("ssh asked `{}`: {reason}", question.trim()))),
        }
    }

    fn to(&self, question: &str) -> Result<String, String> {
        let of = |host: &String| {
            let host = host.to_lowercase();
            let question = question.to_lowercase();
            question.contains(&format!("@{host}'s password"))
                || question.contains(&format!("@{host}) password"))
        };
        if self.hosts.iter().any(of) {
            return Ok(self.password.clone());
        }
        let lower = question.to_lowercase();
        if lower.contains("(yes/no") {
            return Err("the host key is not known".to_owned());
        }
        if lower.contains("password") {
            return Err("the password is for another host".to_owned());
        }
        let ask = self.ask.as_ref().ok_or("nobody to ask")?;
        ask(question.trim().trim_end_matches(':'))
    }
}

/// When ssh has started this program to ask something: asks it, and returns the exit code.
pub fn answer() -> Option<u8> {
    let name = std::env::var(VARIABLE).ok()?;
    let question = std::env::args().nth(1).unwrap_or_default();
    let asked = ask(&name, &question);
    // ssh takes what is printed for the answer.
    let answered = asked.and_then(|answer| {
        if answer.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { io::stdout().write_all(&answer) }
    });
    Some(u8::from(answered.is_err()))
}

fn ask(name: &str, question: &str) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
    stream.write_all(question.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let ask: AskSecret = Arc::new(|question| Ok(format!("answer to {question}")));
        Answers {
            password: "secret".to_owned(),
            hosts: vec!["web1".to_owned(), "192.0.2.1".to_owned()],
            ask: Some(ask),
        }
    }

    #[test]
    fn the_password_is_for_its_host_only() {
        for (question, answer) in [
            ("ada@web1's password: ", Ok("secret")),
            ("ada@192.0.2.1's password: ", Ok("secret")),
            ("(ada@web1) Password: ", Ok("secret")),
            ("ada@gate's password: ", Err("the password is for another host")),
            ("ada@web10's password: ", Err("the password is for another host")),
            (
                "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
                Err("the host key is not known"),
            ),
            ("Enter PIN for ECDSA-SK key: ", Ok("answer to Enter PIN for ECDSA-SK key")),
        ] {
            assert_eq!(answers().to(question).as_deref().map_err(String::as_str), answer, "{question}");
        }
    }

    #[test]
    fn questions_travel_through_the_socket() {
        let askpass = Askpass::start(answers()).unwrap();
        assert_eq!(ask(&askpass.name, "ada@web1's password: ").unwrap(), b"secret\n");
        assert_eq!(ask(&askpass.name, "ada@gate's password: ").unwrap(), b"");
        while askpass.refusal().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(
            askpass.refusal().unwrap(),
            "ssh asked `ada@gate's password:`: the password is for another host"
        );
        let name = askpass.name.clone();
        drop(askpass);
        while ask(&name, "ada@web1's password: ").is_ok_and(|answer| !answer.is_empty()) {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
