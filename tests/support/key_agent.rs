//! A real ssh-agent.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::have;

/// A running ssh-agent. Dropping it ends it.
pub struct KeyAgent {
    directory: TempDir,
    child: Child,
}

impl KeyAgent {
    /// Starts one without keys; `None` where there is none.
    pub fn start() -> Option<Self> {
        if !have("ssh-agent") || !have("ssh-add") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("agent");
        let child =
            Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        while !socket.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Some(Self { directory, child })
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("agent")
    }

    /// Gives it a key that needs no passphrase.
    pub fn add(&self, key: &Path) {
        let status = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", self.socket())
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for KeyAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
