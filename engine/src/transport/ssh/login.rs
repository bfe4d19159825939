//! Logging in: keys of ssh-agent, key files, the password.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ssh2::{KeyboardInteractivePrompt, Prompt, PublicKey};

use super::host_key::name;
use super::key_file::KeyFile;
use super::known_hosts::key_type;
use super::passphrases::AskSecret;
use super::target::{KeyAgent, LoginMethod};
use super::wire::{Trouble, Wire};
use super::{Client, Target};
use crate::diagnostic::Diagnostic;
use crate::printable;
use crate::transport::{Stage, Unreachable};

/// The key files that are tried when none is given, in `~/.ssh`.
const DEFAULT_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// How long one attempt may take: hosts make wrong passwords slow, and some look up the caller's name first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hosts let one try so many times, by default.
const TRIES_BY_DEFAULT: usize = 6;

/// Logs in as the target's user.
///
/// The order is that of ssh, except that a key file which was given goes before the keys of ssh-agent that have nothing to
/// do with it: of those there may be more than the host lets one try.
///
/// # Errors
/// Nothing that was tried was accepted. The causes say what was tried.
pub(super) fn log_in(
    wire: &mut Wire,
    target: &Target,
    client: &Client,
    may_send_password: bool,
) -> Result<(), Unreachable> {
    let password = target.password.as_deref().filter(|_| may_send_password);
    let mut login =
        Login { wire, user: &target.user, target, client, password, offered: Vec::new(), tried: Vec::new() };
    if target.password.is_some() && password.is_none() {
        login.tried.push("the password was not sent, since the host key has changed".to_owned());
    }
    let methods = login.enter();
    let hint = match methods {
        Ok(_) if login.wire.session.authenticated() => return Ok(()),
        Ok(methods) => hint(&methods, target),
        Err(trouble) => {
            let too_many = trouble.is_lost() && login.offered.len() + 1 >= TRIES_BY_DEFAULT;
            login.tried.push(trouble.words());
            too_many.then(|| {
                "a host takes only so many keys in one connection: name the right one with `--private-key`"
                    .to_owned()
            })
        }
    };
    let error = Diagnostic::new(format!("could not log in as `{}`", target.user));
    let mut error = login.tried.into_iter().fold(error, Diagnostic::because);
    error.hint = hint;
    Err(Unreachable { stage: Stage::Login, error })
}

/// What else the host would take.
fn hint(methods: &[String], target: &Target) -> Option<String> {
    let by_password = methods.iter().any(|method| is_password(method));
    if by_password && target.password.is_none() {
        Some("the host would take a password: `-k` asks for it".to_owned())
    } else if !by_password && methods.iter().any(|method| method == "publickey") {
        Some("the host takes keys only: those in `.ssh/authorized_keys` of that user there".to_owned())
    } else if !methods.is_empty() {
        Some(format!("the host takes: {}", methods.join(", ")))
    } else {
        None
    }
}

fn is_password(method: &str) -> bool {
    matches!(method, "password" | "keyboard-interactive")
}

struct Login<'a> {
    wire: &'a mut Wire,
    user: &'a str,
    target: &'a Target,
    client: &'a Client,
    password: Option<&'a str>,
    /// The public keys that the host has been asked about.
    offered: Vec<Vec<u8>>,
    /// What did not work, in words.
    tried: Vec<String>,
}

/// Attempts give `true` when they opened the door, `false` when there is more to try, an error when it is over.
impl Login<'_> {
    /// Tries all there is, in the order that is wanted. Returns the ways to log in that the host has, as far as it was asked.
    fn enter(&mut self) -> Result<Vec<String>, Trouble> {
        let password_first =
            self.password.is_some() && self.target.methods.first() != Some(&LoginMethod::Key);
        let mut methods = Vec::new();
        if password_first {
            methods = self.password_or_nothing()?;
        }
        if !self.wire.session.authenticated() && !self.keys()? && !password_first {
            methods = self.password_or_nothing()?;
        }
        Ok(methods)
    }

    fn keys(&mut self) -> Result<bool, Trouble> {
        if !self.target.methods.contains(&LoginMethod::Key) {
            self.tried.push("the ssh configuration allows no keys".to_owned());
            return Ok(false);
        }
        let given = &self.target.keys;
        let files = self.key_files(given);
        let mut key_agent = self.key_agent();
        let identities = key_agent.as_mut().map(|(_, identities)| std::mem::take(identities));
        let is_of_file =
            |key: &PublicKey| files.iter().any(|file| file.public.as_deref() == Some(key.blob()));
        let (own, others): (Vec<_>, Vec<_>) = identities.into_iter().flatten().partition(is_of_file);
        let agent = key_agent.as_ref().map(|(agent, _)| agent);
        let others = if self.target.identities_only { Vec::new() } else { others };
        let (before, after) = if given.is_empty() { (others, Vec::new()) } else { (Vec::new(), others) };
        for key in own.iter().chain(&before) {
            if self.agent_key(agent, key)? {
                return Ok(true);
            }
        }
        for file in &files {
            if self.key_file(file)? {
                return Ok(true);
            }
        }
        for key in &after {
            if self.agent_key(agent, key)? {
                return Ok(true);
            }
        }
        if self.offered.is_empty() && self.tried.is_empty() {
            self.tried.push("there is no key: neither in ssh-agent nor in `~/.ssh`".to_owned());
        }
        Ok(false)
    }

    /// The key files that can be used: those given, else those of the usual names that exist.
    fn key_files(&mut self, given: &[PathBuf]) -> Vec<KeyFile> {
        let user = &self.client.user;
        let paths: Vec<PathBuf> = if given.is_empty() {
            DEFAULT_KEYS.iter().filter_map(|name| user.ssh_file(name)).filter(|path| path.exists()).collect()
        } else {
            given.iter().map(|path| user.expand(path)).collect()
        };
        let mut files = Vec::new();
        for path in paths {
            match KeyFile::read(&path) {
                Ok(file) => {
                    files.extend(file.certified(&self.target.certificates));
                    files.push(file);
                }
                Err(reason) => {
                    self.tried.push(format!("the key `{}` can't be used: {reason}", path.display()));
                }
            }
        }
        files
    }

    /// ssh-agent and the keys that it has.
    fn key_agent(&mut self) -> Option<(ssh2::Agent, Vec<PublicKey>)> {
        let socket = match &self.target.key_agent {
            KeyAgent::Usual => self.client.user.key_agent.as_deref()?,
            KeyAgent::Nobody => return None,
            KeyAgent::At(socket) => socket,
        };
        match keys_of_agent(&self.wire.session, socket) {
            Ok(found) => Some(found),
            Err(error) => {
                let words = error.message().to_lowercase();
                self.tried.push(format!("ssh-agent at `{}` does not answer: {words}", socket.display()));
                None
            }
        }
    }

    fn agent_key(&mut self, agent: Option<&ssh2::Agent>, key: &PublicKey) -> Result<bool, Trouble> {
        let Some(agent) = agent else { return Ok(false) };
        self.offered.push(key.blob().to_owned());
        let user = self.user;
        let result = self.wire.run(PATIENCE, || agent.userauth(user, key));
        let comment = printable::line(key.comment());
        self.judge(result, &format!("the key `{comment}` ({}) of ssh-agent", name(key_type(key.blob()))))
    }

    fn key_file(&mut self, file: &KeyFile) -> Result<bool, Trouble> {
        if file.public.as_ref().is_some_and(|public| self.offered.contains(public)) {
            return Ok(false);
        }
        self.offered.extend(file.public.clone());
        let what = match &file.certificate {
            Some(certificate) => format!("the certificate `{}`", certificate.display()),
            None => format!("the key `{}`", file.path.display()),
        };
        if file.encrypted {
            return self.encrypted_key_file(file, &what);
        }
        let result = self.try_key_file(file, &file.text, None);
        self.judge(result, &what)
    }

    /// Asks for the passphrase only when the host would take the key.
    fn encrypted_key_file(&mut self, file: &KeyFile, what: &str) -> Result<bool, Trouble> {
        if self.password.is_some() {
            self.tried.push(format!("{what} is encrypted, and a password was given"));
            return Ok(false);
        }
        if file.public.is_some() {
            // Without a private key to sign with, this ends where the host has said whether it would take the key.
            let offer = self.try_key_file(file, "", None);
            let would_take = matches!(&offer, Err(trouble)
                if trouble.code() == libssh2_sys::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED);
            if !would_take {
                return self.judge(offer, what);
            }
        }
        let mut passphrase: Option<String> = None;
        loop {
            passphrase = match self.client.passphrases.of(&file.path, passphrase.as_deref()) {
                Ok(passphrase) => Some(passphrase),
                Err(reason) => {
                    self.tried.push(format!("{what} needs a passphrase: {reason}"));
                    return Ok(false);
                }
            };
            let result = self.try_key_file(file, &file.text, passphrase.as_deref());
            let wrong = matches!(&result, Err(trouble) if !trouble.is_lost()
                && trouble.code() != 0
                && trouble.code() != libssh2_sys::LIBSSH2_ERROR_AUTHENTICATION_FAILED);
            if !wrong {
                return self.judge(result, what);
            }
        }
    }

    fn try_key_file(
        &mut self,
        file: &KeyFile,
        private: &str,
        passphrase: Option<&str>,
    ) -> Result<(), Trouble> {
        let session = self.wire.session.clone();
        let (user, public) = (self.user, file.public_line());
        self.wire
            .run(PATIENCE, || session.userauth_pubkey_memory(user, public.as_deref(), private, passphrase))
    }

    /// Sorts out what an attempt with a key came to.
    fn judge(&mut self, result: Result<(), Trouble>, what: &str) -> Result<bool, Trouble> {
        match result {
            Ok(()) => Ok(true),
            Err(trouble) if trouble.is_lost() || trouble.code() == 0 => Err(trouble),
            Err(trouble) if trouble.code() == libssh2_sys::LIBSSH2_ERROR_AUTHENTICATION_FAILED => {
                self.tried.push(format!("the host does not accept {what}"));
                Ok(false)
            }
            Err(trouble) => {
                self.tried.push(format!("{what} can't be used: {}", trouble.words()));
                Ok(false)
            }
        }
    }

    /// Tries the password, if there is one. Returns the ways to log in that the host has.
    fn password_or_nothing(&mut self) -> Result<Vec<String>, Trouble> {
        let session = self.wire.session.clone();
        let user = self.user;
        // The question is an attempt to log in with nothing, and some hosts need no more.
        let methods = self.wire.run(PATIENCE, || session.auth_methods(user).map(ToOwned::to_owned));
        if session.authenticated() {
            return Ok(Vec::new());
        }
        let methods: Vec<String> =
            methods?.split(',').filter(|method| !method.is_empty()).map(ToOwned::to_owned).collect();
        if let Some(password) = self.password {
            self.try_password(password, &methods)?;
        }
        Ok(methods)
    }

    /// Tries the password in one way, since every wrong one may count against the user.
    fn try_password(&mut self, password: &str, methods: &[String]) -> Result<(), Trouble> {
        let session = self.wire.session.clone();
        let user = self.user;
        let has = |name: &str| methods.iter().any(|method| method == name);
        let method = self.target.methods.iter().find(|method| match method {
            LoginMethod::Key => false,
            LoginMethod::Password => has("password"),
            LoginMethod::Keyboard => has("keyboard-interactive"),
        });
        let result = match method {
            Some(LoginMethod::Password) => {
                self.wire.run(PATIENCE, || session.userauth_password(user, password))
            }
            Some(LoginMethod::Keyboard) => {
                let ask = self.client.passphrases.ask();
                let mut answers = Answers { host: &self.target.host, password: Some(password), ask };
                self.wire.run(PATIENCE, || session.userauth_keyboard_interactive(user, &mut answers))
            }
            Some(LoginMethod::Key) | None => {
                self.tried.push("the host takes no passwords".to_owned());
                return Ok(());
            }
        };
        match result {
            Ok(()) => {}
            Err(trouble) if trouble.is_lost() => return Err(trouble),
            Err(trouble) if trouble.code() == libssh2_sys::LIBSSH2_ERROR_AUTHENTICATION_FAILED => {
                self.tried.push("the host does not accept the password".to_owned());
            }
            Err(trouble) if trouble.code() == libssh2_sys::LIBSSH2_ERROR_PASSWORD_EXPIRED => {
                self.tried.push("the password has expired, and the host wants a new one".to_owned());
            }
            Err(trouble) => self.tried.push(format!("the password can't be used: {}", trouble.words())),
        }
        Ok(())
    }
}

fn keys_of_agent(
    session: &ssh2::Session,
    socket: &Path,
) -> Result<(ssh2::Agent, Vec<PublicKey>), ssh2::Error> {
    let mut agent = session.agent()?;
    agent.set_identity_path(socket)?;
    agent.connect()?;
    agent.list_identities()?;
    let keys = agent.identities()?;
    Ok((agent, keys))
}

/// Answers the first hidden question with the password, and has a person answer others.
struct Answers<'a> {
    host: &'a str,
    password: Option<&'a str>,
    ask: Option<&'a AskSecret>,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'b>(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'b>]) -> Vec<String> {
        let answer = |prompt: &Prompt<'b>| {
            let password = if prompt.echo { None } else { self.password.take() };
            if let Some(password) = password {
                return password.to_owned();
            }
            let question = printable::line(prompt.text.trim().trim_end_matches(':'));
            let ask = |ask: &AskSecret| ask(&format!("`{}` asks: {question}", self.host)).ok();
            self.ask.and_then(ask).unwrap_or_default()
        };
        prompts.iter().map(answer).collect()
    }
}
