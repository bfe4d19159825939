//! What the end-to-end tests share: projects, hosts to reach by ssh, lines that are slow.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod busybox;
pub mod dockerd;
pub mod everything;
pub mod key_agent;
pub mod podman;
pub mod project;
pub mod proxy;
pub mod python;
pub mod registry;
pub mod run;
pub mod sshd;
pub mod started;
pub mod terminal;
pub mod void_root;

use std::path::Path;

use project::possible;

/// Whether a program is installed; if not, the test is to be skipped.
pub fn have(program: &str) -> bool {
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    possible(places.iter().any(|place| Path::new(place).join(program).exists()), program)
}

/// Whether the tests run as root; if not, the test is to be skipped.
pub fn is_root() -> bool {
    possible(rustix::process::getuid().is_root(), "root")
}

/// The text with what differs from run to run replaced: fingerprints, and whatever `volatile` names.
pub fn masked(text: &str, volatile: &[(&str, &str)]) -> String {
    const FINGERPRINT: &str = "SHA256:";
    const LENGTH: usize = 43;
    let mut parts = text.split(FINGERPRINT);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("SHA256:…");
        masked.push_str(part.get(LENGTH..).unwrap_or_default());
    }
    volatile.iter().fold(masked, |text, (value, name)| text.replace(value, name))
}
