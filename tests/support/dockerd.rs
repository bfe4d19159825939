//! A Docker daemon of its own.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{have, is_root};

/// So long may it take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that nothing on this machine shares. It ends with this, and with it its containers.
pub struct Dockerd {
    directory: TempDir,
    daemon: Child,
}

impl Dockerd {
    /// One that has no images. `None` where the test is to be skipped: a program is missing, or the kernel does not give the daemon
    /// what it needs.
    pub fn new() -> Option<Self> {
        if ![is_root(), have("docker"), have("dockerd"), have("containerd")].into_iter().all(|has| has) {
            return None;
        }
        let directory = TempDir::with_prefix("refrain-dockerd-").expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let mut command = Command::new("dockerd");
        command.arg("--data-root").arg(path("data")).arg("--exec-root").arg(path("exec"));
        command
            .arg("--pidfile")
            .arg(path("pid"))
            .arg("--host")
            .arg(format!("unix://{}", path("socket").display()));
        // The machine's own network is left alone.
        command.args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(path("log")).expect("a file"));
        let daemon = command.spawn().expect("dockerd starts");
        let mut this = Self { directory, daemon };
        let start = Instant::now();
        while this.daemon.try_wait().expect("its state").is_none() && start.elapsed() < PATIENCE {
            let (name, socket) = this.environment();
            if Command::new("docker")
                .arg("version")
                .env(name, socket)
                .output()
                .is_ok_and(|said| said.status.success())
            {
                return Some(this);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(this.directory.path().join("log")).unwrap_or_default();
        eprintln!("skipped: dockerd can't run here: {}", log.lines().last().unwrap_or_default());
        None
    }

    /// What the environment has to be for `docker` to speak to this one.
    pub fn environment(&self) -> (&'static str, PathBuf) {
        ("DOCKER_HOST", format!("unix://{}/socket", self.directory.path().display()).into())
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        let (name, socket) = self.environment();
        let containers = Command::new("docker").args(["ps", "--all", "--quiet"]).env(name, &socket).output();
        let containers =
            containers.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default();
        if !containers.is_empty() {
            // It fails only where the daemon is gone already.
            let _ = Command::new("docker")
                .args(["rm", "--force"])
                .args(containers.lines())
                .env(name, &socket)
                .output();
        }
        let _ = kill_process(Pid::from_child(&self.daemon), Signal::TERM);
        let start = Instant::now();
        while self.daemon.try_wait().is_ok_and(|ended| ended.is_none()) {
            if start.elapsed() > PATIENCE {
                let _ = self.daemon.kill();
                let _ = self.daemon.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
