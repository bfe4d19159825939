//! From what inventory and command line say of a host, and what the ssh configuration knows of it, to how it is reached.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::config::{Config, HostKeyChecking, HostOptions, Jump, Proxy, Question, SshArguments};
use super::expand::Tokens;
use super::known_hosts::DEFAULT_PORT;
use super::target::{Algorithms, KeyAgent, KnownHostsFiles, LoginMethod, Route, Target};
use crate::diagnostic::Diagnostic;

/// So many hosts may lie on the way to another.
const MOST_HOPS: usize = 8;

/// What is said of a host by the command line and the inventory. What is absent is looked up in the ssh configuration.
#[derive(Clone, Default)]
pub struct Wanted {
    /// The host as the ssh configuration may know it.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
    /// The user to log in as.
    pub user: Option<String>,
    /// Key files to log in with.
    pub keys: Vec<PathBuf>,
    /// The password to log in with.
    pub password: Option<String>,
    /// Whether the host has to show a key that is known.
    pub check_host_key: Option<bool>,
    /// How long connecting and agreeing on keys may take, each.
    pub timeout: Option<Duration>,
    /// Arguments of the program ssh; what comes first counts.
    pub arguments: Vec<String>,
}

impl Client {
    /// How a host is reached. Warnings about what is not honoured are kept for [`take_warnings`](Self::take_warnings).
    ///
    /// # Errors
    /// The ssh configuration makes no sense, or asks for something that can't be had here.
    pub fn target(&self, wanted: Wanted) -> Result<Target, Diagnostic> {
        let (config, said) = self.configuration(&wanted)?;
        let mut lookup = Lookup { client: self, config: &config, hops: 0 };
        let mut target = lookup.host(&wanted.host, said)?;
        // What was given goes before what the configuration adds.
        target.keys.splice(0..0, wanted.keys);
        target.password = wanted.password;
        match wanted.check_host_key {
            Some(true) if target.host_key_checking == HostKeyChecking::Off => {
                target.host_key_checking = HostKeyChecking::Strict;
            }
            Some(false) => target.host_key_checking = HostKeyChecking::Off,
            _ => {}
        }
        target.timeout = wanted.timeout.unwrap_or(target.timeout);
        Ok(target)
    }

    /// What the ssh configuration says of a host.
    ///
    /// # Errors
    /// It makes no sense.
    pub(in crate::transport) fn options_of(&self, wanted: &Wanted) -> Result<HostOptions, Diagnostic> {
        let (config, said) = self.configuration(wanted)?;
        Ok(config.of(Question { host: &wanted.host, local_user: &self.user.name, said }))
    }

    /// The configuration that holds for a host, and what goes before it.
    fn configuration(&self, wanted: &Wanted) -> Result<(Arc<Config>, HostOptions), Diagnostic> {
        let mut arguments = SshArguments::default();
        for text in &wanted.arguments {
            arguments.add(text)?;
        }
        let file = arguments.file.as_deref().map(|file| self.user.expand(file));
        let config = self.configurations.of(file.as_deref(), &self.user)?;
        let said = HostOptions { user: wanted.user.clone(), port: wanted.port, ..HostOptions::default() };
        Ok((config, arguments.options(said)?))
    }
}

struct Lookup<'a> {
    client: &'a Client,
    config: &'a Config,
    hops: usize,
}

impl Lookup<'_> {
    /// How the host is reached that is named so.
    fn host(&mut self, named: &str, said: HostOptions) -> Result<Target, Diagnostic> {
        let local_user = &self.client.user;
        let question = Question { host: named, local_user: &local_user.name, said };
        let options = self.config.of(question);
        self.client.warn(&options.unheeded);
        if let Some((keyword, place)) = &options.refused {
            return Err(Diagnostic::new(format!("`{keyword}` can't be honoured, and is not safe to ignore"))
                .at(place.clone())
                .hint("the connection `openssh` honours all that ssh does"));
        }
        let host = options.host_name.clone().unwrap_or_else(|| named.to_owned());
        let mut target = Target::new(host);
        target.port = options.port.unwrap_or(DEFAULT_PORT);
        target.user = options.user.clone().unwrap_or_else(|| local_user.name.clone());
        target.host_key_alias.clone_from(&options.host_key_alias);
        target.host_key_checking = options.host_key_checking.unwrap_or(HostKeyChecking::Strict);
        target.identities_only = options.identities_only.unwrap_or(false);
        target.address_family = options.address_family.unwrap_or(target.address_family);
        target.bind_address.clone_from(&options.bind_address);
        target.methods = methods(&options);
        if let Some(seconds) = options.connect_timeout.filter(|seconds| *seconds > 0) {
            target.timeout = Duration::from_secs(u64::from(seconds));
        }
        if let Some(seconds) = options.alive_interval.filter(|seconds| *seconds > 0) {
            let count = options.alive_count.unwrap_or(3).max(1);
            target.keepalive = Some((Duration::from_secs(u64::from(seconds)), count));
        }
        target.algorithms = Algorithms {
            key_exchanges: options.key_exchanges.clone(),
            ciphers: options.ciphers.clone(),
            macs: options.macs.clone(),
            host_keys: options.host_key_algorithms.clone(),
        };
        self.paths(named, &options, &mut target)?;
        target.route = self.route(named, options, &target)?;
        Ok(target)
    }

    /// Takes in what the options say of files, with all tokens replaced.
    fn paths(&self, named: &str, options: &HostOptions, target: &mut Target) -> Result<(), Diagnostic> {
        let tokens = self.tokens(named, target);
        let path = |keyword: &str, text: &str| -> Result<PathBuf, Diagnostic> {
            let expanded = tokens.path(text).map_err(|reason| unexpanded(keyword, text, &reason))?;
            Ok(self.client.user.expand(Path::new(&expanded)))
        };
        let paths = |keyword: &str, texts: &[String]| -> Result<Vec<PathBuf>, Diagnostic> {
            let texts = texts.iter().filter(|text| !text.eq_ignore_ascii_case("none"));
            texts.map(|text| path(keyword, text)).collect()
        };
        let files = |keyword: &str, texts: &Option<Vec<String>>| {
            texts.as_ref().map(|texts| paths(keyword, texts)).transpose()
        };
        let keys = paths("IdentityFile", &options.identity_files)?;
        let certificates = paths("CertificateFile", &options.certificate_files)?;
        let known_hosts = KnownHostsFiles {
            user: files("UserKnownHostsFile", &options.user_known_hosts)?,
            global: files("GlobalKnownHostsFile", &options.global_known_hosts)?,
            hashed: options.hash_known_hosts.unwrap_or(false),
        };
        let key_agent = match options.identity_agent.as_deref() {
            None | Some("SSH_AUTH_SOCK") => KeyAgent::Usual,
            Some("none") => KeyAgent::Nobody,
            Some(text) => {
                let text = match text.strip_prefix('$') {
                    Some(name) if !name.starts_with('{') => format!("${{{name}}}"),
                    _ => text.to_owned(),
                };
                KeyAgent::At(path("IdentityAgent", &text)?)
            }
        };
        (target.keys, target.certificates, target.known_hosts, target.key_agent) =
            (keys, certificates, known_hosts, key_agent);
        Ok(())
    }

    fn tokens<'a>(&'a self, named: &'a str, target: &'a Target) -> Tokens<'a> {
        let user = &self.client.user;
        Tokens {
            named,
            host: &target.host,
            key_name: target.host_key_alias.as_deref().unwrap_or(&target.host),
            port: target.port,
            user: &target.user,
            local_user: &user.name,
            home: user.home.as_ref().map(|home| home.display().to_string()).unwrap_or_default(),
        }
    }

    fn route(&mut self, named: &str, options: HostOptions, target: &Target) -> Result<Route, Diagnostic> {
        match options.proxy {
            None => Ok(Route::Direct),
            Some(Proxy::Command(command)) if command.eq_ignore_ascii_case("none") => Ok(Route::Direct),
            Some(Proxy::Command(command)) => {
                let expanded = self.tokens(named, target).text(&command);
                let expanded = expanded.map_err(|reason| unexpanded("ProxyCommand", &command, &reason))?;
                Ok(Route::Command(expanded))
            }
            Some(Proxy::Jump(hops)) => self.through(&hops, target),
        }
    }

    /// The way through some hosts. What the configuration says of the first one's own way holds, as with ssh.
    fn through(&mut self, hops: &[Jump], target: &Target) -> Result<Route, Diagnostic> {
        let mut route = None;
        for hop in hops {
            self.hops += 1;
            if self.hops > MOST_HOPS {
                let error = format!("more than {MOST_HOPS} hosts lie on the way to `{}`", target.host);
                return Err(Diagnostic::new(error)
                    .hint("a jump host of `Host *` is on the way to itself, too: `Host * !gate`"));
            }
            let mut said = HostOptions { user: hop.user.clone(), port: hop.port, ..HostOptions::default() };
            if route.is_some() {
                said.proxy = Some(Proxy::Jump(Vec::new()));
            }
            let mut jump = self.host(&hop.host, said)?;
            if let Some(before) = route.take() {
                jump.route = before;
            }
            route = Some(Route::Through(Arc::new(jump)));
        }
        Ok(route.unwrap_or_default())
    }
}

/// The ways to log in that the options leave, in their order.
fn methods(options: &HostOptions) -> Vec<LoginMethod> {
    let allowed = |method: &LoginMethod| match method {
        LoginMethod::Key => options.by_key.unwrap_or(true),
        LoginMethod::Password => options.by_password.unwrap_or(true),
        LoginMethod::Keyboard => options.by_keyboard.unwrap_or(true),
    };
    let named = |name: &str| match name.trim() {
        "publickey" => Some(LoginMethod::Key),
        "password" => Some(LoginMethod::Password),
        "keyboard-interactive" => Some(LoginMethod::Keyboard),
        _ => None,
    };
    let preferred = options.preferred_authentications.as_deref();
    preferred
        .unwrap_or("publickey,password,keyboard-interactive")
        .split(',')
        .filter_map(named)
        .filter(allowed)
        .collect()
}

fn unexpanded(keyword: &str, text: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(format!("`{keyword} {text}` of the ssh configuration makes no sense: {reason}"))
}
