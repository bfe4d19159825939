//! What the configuration says about one host, as far as it is honoured here.

use crate::diagnostic::Location;

use super::setting::{AddressFamily, HostKeyChecking, Setting};

/// What the configuration says about one host. Nothing is expanded but `HostName`; what is absent was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostOptions {
    /// The name or address to connect to. Always there once the configuration was asked.
    pub host_name: Option<String>,
    pub user: Option<String>,
    pub port: Option<u16>,
    /// In their order, each once. `none` stands for no file.
    pub identity_files: Vec<String>,
    /// As the identity files.
    pub certificate_files: Vec<String>,
    pub identities_only: Option<bool>,
    /// A path, `none`, `SSH_AUTH_SOCK`, or a variable with `$` in front.
    pub identity_agent: Option<String>,
    /// The hops of `ProxyJump`, or `ProxyCommand`: whichever was said first.
    pub proxy: Option<Proxy>,
    pub user_known_hosts: Option<Vec<String>>,
    pub global_known_hosts: Option<Vec<String>>,
    pub host_key_checking: Option<HostKeyChecking>,
    pub host_key_alias: Option<String>,
    /// In seconds; 0 stands for the system's own patience.
    pub connect_timeout: Option<u32>,
    /// In seconds; 0 stands for never.
    pub alive_interval: Option<u32>,
    pub alive_count: Option<u32>,
    /// With commas between.
    pub preferred_authentications: Option<String>,
    pub by_key: Option<bool>,
    pub by_password: Option<bool>,
    pub by_keyboard: Option<bool>,
    pub ciphers: Option<String>,
    pub key_exchanges: Option<String>,
    pub macs: Option<String>,
    pub host_key_algorithms: Option<String>,
    pub address_family: Option<AddressFamily>,
    pub bind_address: Option<String>,
    pub hash_known_hosts: Option<bool>,
    /// What was said and is not honoured, by the keyword: each once.
    pub unheeded: Vec<(&'static str, Location)>,
    /// What was said and must not be ignored: by the keyword.
    pub refused: Option<(&'static str, Location)>,
}

/// How a host is reached that is not connected to directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// Through these hosts, in this order. None of them: directly.
    Jump(Vec<Jump>),
    /// Through what a command line for a shell reads and writes. `none`: directly.
    Command(String),
}

/// One hop of a `ProxyJump`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jump {
    pub user: Option<String>,
    /// A name that the configuration may know.
    pub host: String,
    pub port: Option<u16>,
}

impl HostOptions {
    /// Takes in a setting. What was said before stays.
    pub(super) fn take(&mut self, setting: &Setting) {
        fn keep<T: Clone>(place: &mut Option<T>, value: &T) {
            place.get_or_insert_with(|| value.clone());
        }
        fn keep_any(place: &mut Option<u32>, value: Option<u32>) {
            *place = place.or(value);
        }
        fn add(list: &mut Vec<String>, value: &String) {
            if !list.contains(value) {
                list.push(value.clone());
            }
        }
        match setting {
            Setting::HostName(name) => keep(&mut self.host_name, name),
            Setting::User(user) => keep(&mut self.user, user),
            Setting::Port(port) => keep(&mut self.port, port),
            Setting::IdentityFile(file) => add(&mut self.identity_files, file),
            Setting::CertificateFile(file) => add(&mut self.certificate_files, file),
            Setting::IdentitiesOnly(only) => keep(&mut self.identities_only, only),
            Setting::IdentityAgent(agent) => keep(&mut self.identity_agent, agent),
            // As with ssh: a command goes past a jump through nobody.
            Setting::Proxy(proxy @ Proxy::Command(_)) if self.jumps_nowhere() => {
                self.proxy = Some(proxy.clone())
            }
            Setting::Proxy(proxy) => keep(&mut self.proxy, proxy),
            Setting::UserKnownHosts(files) => keep(&mut self.user_known_hosts, files),
            Setting::GlobalKnownHosts(files) => keep(&mut self.global_known_hosts, files),
            Setting::HostKeyChecking(checking) => keep(&mut self.host_key_checking, checking),
            Setting::HostKeyAlias(alias) => keep(&mut self.host_key_alias, alias),
            Setting::ConnectTimeout(seconds) => keep_any(&mut self.connect_timeout, *seconds),
            Setting::AliveInterval(seconds) => keep_any(&mut self.alive_interval, *seconds),
            Setting::AliveCount(count) => keep(&mut self.alive_count, count),
            Setting::PreferredAuthentications(methods) => keep(&mut self.preferred_authentications, methods),
            Setting::ByKey(yes) => keep(&mut self.by_key, yes),
            Setting::ByPassword(yes) => keep(&mut self.by_password, yes),
            Setting::ByKeyboard(yes) => keep(&mut self.by_keyboard, yes),
            Setting::Ciphers(list) => keep(&mut self.ciphers, list),
            Setting::KeyExchanges(list) => keep(&mut self.key_exchanges, list),
            Setting::Macs(list) => keep(&mut self.macs, list),
            Setting::HostKeyAlgorithms(list) => keep(&mut self.host_key_algorithms, list),
            Setting::AddressFamily(family) => keep(&mut self.address_family, family),
            Setting::BindAddress(address) => keep(&mut self.bind_address, address),
            Setting::HashKnownHosts(yes) => keep(&mut self.hash_known_hosts, yes),
        }
    }

    fn jumps_nowhere(&self) -> bool {
        matches!(&self.proxy, Some(Proxy::Jump(hops)) if hops.is_empty())
    }

    /// Notes that something is not honoured.
    pub(super) fn pass_over(&mut self, keyword: &'static str, place: &Location) {
        if !self.unheeded.iter().any(|(known, _)| *known == keyword) {
            self.unheeded.push((keyword, place.clone()));
        }
    }
}
