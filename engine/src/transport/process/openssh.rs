//! The system's ssh: its configuration, its agents and hardware keys, its shared connections.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::askpass::{Answers, Askpass};
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::transport::ssh::{Client, Wanted};
use crate::transport::{Stage, Unreachable, cache};

/// The exit status by which ssh says that the failure is its own.
const OWN_FAILURE: &str = "it exited with status 255";

/// How long connecting may take, unless something else is said anywhere.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host that the program ssh reaches. What is not said is left to its configuration.
#[derive(Clone, PartialEq)]
pub struct OpenSsh {
    /// The program.
    executable: String,
    /// The host as ssh knows it.
    host: String,
    /// The user to log in as.
    pub(crate) user: Option<String>,
    port: Option<u16>,
    keys: Vec<PathBuf>,
    password: Option<String>,
    check_host_key: Option<bool>,
    timeout: Option<Duration>,
    arguments: Vec<String>,
    /// The names of the host when ssh asks for a password.
    names: Vec<String>,
}

impl OpenSsh {
    /// What is wanted, by the program `executable`; `client` knows the ssh configuration.
    ///
    /// # Errors
    /// The arguments make no sense.
    pub fn new(wanted: Wanted, executable: Option<String>, client: &Client) -> Result<Self, Diagnostic> {
        let mut arguments = Vec::new();
        for text in &wanted.arguments {
            let words = crate::shell_words::split(text);
            arguments
                .extend(words.ok_or_else(|| Diagnostic::new(format!("a quote is not closed: `{text}`")))?);
        }
        // What ssh itself reads may be more than is understood here. Then it is left alone.
        let known = client.options_of(&wanted).ok();
        let timeout = match &known {
            Some(known) if known.connect_timeout.is_none() => wanted.timeout.or(Some(PATIENCE)),
            _ => wanted.timeout,
        };
        let mut names = vec![wanted.host.clone()];
        if let Some(known) = known {
            names.extend(known.host_name.into_iter().chain(known.host_key_alias));
        }
        Ok(Self {
            executable: executable.unwrap_or_else(|| "ssh".to_owned()),
            host: wanted.host,
            user: wanted.user,
            port: wanted.port,
            keys: wanted.keys.iter().map(|key| client.local_path(key)).collect(),
            password: wanted.password,
            check_host_key: wanted.check_host_key,
            timeout,
            arguments,
            names,
        })
    }

    /// Whatever ssh asks is answered, if there is a password.
    pub(super) fn askpass(&self, client: &Client) -> Result<Option<Askpass>, Diagnostic> {
        let Some(password) = &self.password else { return Ok(None) };
        let answers = Answers { password: password.clone(), hosts: self.names.clone(), ask: client.ask() };
        Askpass::start(answers).map(Some).map_err(|error| {
            Diagnostic::new("could not prepare to answer ssh's questions").because(failure::reason(&error))
        })
    }

    pub(super) fn program(&self, script: &str) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["-T", "-x", "-e", "none", "-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes"]);
        match self.password {
            Some(_) => command.args(["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]),
            None => command.args(["-o", "BatchMode=yes"]),
        };
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.port {
            command.arg("-p").arg(port.to_string());
        }
        for key in &self.keys {
            command.arg("-i").arg(key);
        }
        match self.check_host_key {
            Some(true) => command.args(["-o", "StrictHostKeyChecking=yes"]),
            Some(false) => command.args(["-o", "StrictHostKeyChecking=no"]),
            None => &mut command,
        };
        if let Some(timeout) = self.timeout {
            command.arg("-o").arg(format!("ConnectTimeout={}", timeout.as_secs().max(1)));
        }
        // What was said first counts for ssh, so whatever the arguments say is below that.
        command.args(&self.arguments).arg("--").arg(&self.host).arg(cache::command(script));
        command
    }

    /// What a failure of ssh's own is, by its words.
    pub(super) fn no_way(&self, ending: &str, said: &str) -> Option<Unreachable> {
        if ending != OWN_FAILURE {
            return None;
        }
        let has = |words: &str| said.contains(words);
        let host = &self.host;
        let (stage, message, hint) = if has("Could not resolve hostname") {
            let hint = "`ansible_host` in the inventory says at which address a host is";
            (Stage::Name, format!("could not resolve the name `{host}`"), Some(hint.to_owned()))
        } else if has("HOST IDENTIFICATION HAS CHANGED") {
            let hint = "someone may be listening in; ssh names the line of the old key, if the host was installed anew";
            (Stage::HostKey, format!("the host key of `{host}` has changed"), Some(hint.to_owned()))
        } else if has("Host key verification failed") || has("host key is known for") {
            let hint = format!("connect once with `ssh {host}` to see its fingerprint, and accept it");
            (Stage::HostKey, format!("the host key of `{host}` is not known"), Some(hint))
        } else if has("Permission denied") || has("Too many authentication failures") {
            let user = self.user.as_ref().map(|user| format!(" as `{user}`")).unwrap_or_default();
            let hint = (self.password.is_none() && (has("password") || has("keyboard-interactive")))
                .then(|| "the host would take a password: `-k` asks for it".to_owned());
            (Stage::Login, format!("could not log in to `{host}`{user}"), hint)
        } else {
            let port = self.port.map(|port| format!(" port {port}")).unwrap_or_default();
            (Stage::Connection, format!("no ssh connection to `{host}`{port}"), None)
        };
        let mut error = Diagnostic::new(message).with_output(said);
        error.hint = hint;
        Some(Unreachable { stage, error })
    }
}

impl fmt::Display for OpenSsh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, " port {port}"))
    }
}

impl fmt::Debug for OpenSsh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        write!(f, "OpenSsh({self})")
    }
}
