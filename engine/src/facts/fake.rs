//! A host for tests, made of texts.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::network::Network;
use super::source::{FactSource, Identity, Space, Uname};
use crate::system::RootKind;

/// Files and links by their path. Those below `/proc` and `/sys` are the kernel's.
#[derive(Default)]
pub(super) struct Fake {
    files: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, String>,
    kind: RootKind,
    foreign_process: bool,
    nodename: Option<String>,
    entered_nodename: Option<String>,
    network: Option<Network>,
    entered_network: Option<Network>,
    hypervisor: Option<String>,
}

impl Fake {
    pub(super) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), content.as_ref().to_vec());
        self
    }

    pub(super) fn link(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.to_owned(), target.to_owned());
        self
    }

    pub(super) fn kind(mut self, kind: RootKind) -> Self {
        self.kind = kind;
        self
    }

    /// What is in `/proc/1` belongs to another system.
    pub(super) fn without_first_process(mut self) -> Self {
        self.foreign_process = true;
        self
    }

    pub(super) fn nodename(mut self, name: &str) -> Self {
        self.nodename = Some(name.to_owned());
        self
    }

    pub(super) fn entered_nodename(mut self, name: &str) -> Self {
        self.entered_nodename = Some(name.to_owned());
        self
    }

    pub(super) fn network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    pub(super) fn entered_network(mut self, network: Network) -> Self {
        self.entered_network = Some(network);
        self
    }

    pub(super) fn hypervisor(mut self, signature: &str) -> Self {
        self.hypervisor = Some(signature.to_owned());
        self
    }

    /// Where a path leads; links are followed at its end only.
    fn target(&self, path: &str) -> String {
        match self.links.get(path) {
            Some(target) if target.starts_with('/') => target.clone(),
            Some(target) => format!("{}/{target}", path.rsplit_once('/').map_or("", |(parent, _)| parent)),
            None => path.to_owned(),
        }
    }
}

impl FactSource for Fake {
    fn read_start(&self, path: &str, length: u64) -> Option<Vec<u8>> {
        let content = self.files.get(&self.target(path))?;
        Some(content[..content.len().min(usize::try_from(length).unwrap())].to_vec())
    }

    fn list(&self, path: &str) -> Vec<String> {
        let start = format!("{path}/");
        let names = self.files.keys().chain(self.links.keys()).filter_map(|file| file.strip_prefix(&start));
        let mut names: Vec<String> = names.map(|rest| rest.split('/').next().unwrap().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn link(&self, path: &str) -> Option<String> {
        self.links.get(path).cloned()
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(&self.target(path)) || !self.list(path).is_empty()
    }

    fn kind(&self) -> RootKind {
        self.kind
    }

    fn owns_first_process(&self) -> bool {
        self.live() && !self.foreign_process
    }

    fn kernel_read(&self, path: &str) -> Option<Vec<u8>> {
        self.read(path)
    }

    fn kernel_list(&self, path: &str) -> Vec<String> {
        self.list(path)
    }

    fn kernel_link(&self, path: &str) -> Option<String> {
        self.link(path)
    }

    fn uname(&self) -> Option<Uname> {
        Some(Uname {
            sysname: "Linux".to_owned(),
            nodename: self.nodename.clone()?,
            release: "6.12.9_1".to_owned(),
            version: "#1 SMP".to_owned(),
            machine: "x86_64".to_owned(),
        })
    }

    fn entered_nodename(&self) -> Option<String> {
        self.entered_nodename.clone()
    }

    fn network(&self) -> Option<Network> {
        self.network.clone()
    }

    fn entered_network(&self) -> Option<Network> {
        self.entered_network.clone()
    }

    fn hypervisor(&self) -> Option<String> {
        self.hypervisor.clone()
    }

    /// Every local file system has 1000 blocks of 4096 bytes; servers don't answer.
    fn space(&self, _mount: &str, patience: Option<Duration>) -> Option<Space> {
        let space = Space {
            block_size: 4096,
            blocks: 1000,
            blocks_available: 400,
            inodes: 100,
            inodes_available: 90,
        };
        patience.is_none().then_some(space)
    }

    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("LANG".to_owned(), "C".to_owned())]
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_735_689_599)
    }
}
