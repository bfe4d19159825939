//! Containers of podman, with a busybox in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::busybox::install_busybox;
use super::{have, is_root};

/// Podman with a storage of its own. Dropping it ends the containers.
pub struct Podman {
    directory: TempDir,
}

impl Podman {
    /// One that has an image and no containers. `None` where the test is to be skipped.
    pub fn new() -> Option<Self> {
        if ![is_root(), have("podman"), have("runc"), have("busybox"), have("tar")].into_iter().all(|has| has)
        {
            return None;
        }
        let podman = Self { directory: tempfile::tempdir().expect("a directory") };
        podman.configure();
        podman.import();
        Some(podman)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Nothing is shared with containers of the machine. The limits are those that a process without further rights may set.
    fn configure(&self) {
        let engine = format!(
            "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n\
             [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\nlock_type = \"file\"\n\
             tmp_dir = \"{0}/engine\"\nstatic_dir = \"{0}/static\"\nvolume_path = \"{0}/volumes\"\n",
            self.directory.path().display()
        );
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/storage\"\nrunroot = \"{0}/run\"\n",
            self.directory.path().display()
        );
        fs::write(self.path("registries.conf"), "").expect("a file");
        fs::write(self.path("containers.conf"), engine).expect("a file");
        fs::write(self.path("storage.conf"), storage).expect("a file");
    }

    fn import(&self) {
        let bin = self.path("image/bin");
        fs::create_dir_all(&bin).expect("a directory");
        install_busybox(&bin, |_| true);
        let (image, archive) = (self.path("image"), self.path("image.tar"));
        let packed = Command::new("tar").arg("-C").arg(image).arg("-cf").arg(&archive).arg(".").status();
        assert!(packed.expect("tar starts").success());
        self.run(&["import", &archive.to_string_lossy(), "busybox"]);
    }

    /// What the environment has to be for podman to be this one.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("CONTAINERS_REGISTRIES_CONF", self.path("registries.conf")),
            ("CONTAINERS_CONF", self.path("containers.conf")),
            ("CONTAINERS_STORAGE_CONF", self.path("storage.conf")),
        ]
    }

    /// Saves the image in a directory, as a registry can serve it, and removes it here.
    #[track_caller]
    pub fn take_out(&self, directory: &Path) {
        let directory = directory.to_string_lossy();
        self.run(&["save", "--format", "docker-dir", "--output", &directory, "localhost/busybox"]);
        self.run(&["image", "rm", "localhost/busybox"]);
    }

    /// Has the registry at a port of this machine asked without TLS.
    pub fn trust(&self, port: u16) {
        let registry = format!("[[registry]]\nlocation = \"127.0.0.1:{port}\"\ninsecure = true\n");
        fs::write(self.path("registries.conf"), registry).expect("a file");
    }

    /// Starts a container in which the directory `shared` is at the same place.
    #[track_caller]
    pub fn start(&self, name: &str, shared: &Path) {
        let volume = format!("{0}:{0}", shared.display());
        let started = ["run", "--detach", "--name", name, "--network", "none", "--volume", &volume];
        self.run(&[&started[..], &["localhost/busybox", "sleep", "600"]].concat());
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        let output = Command::new("podman").args(arguments).envs(self.environment()).output();
        let output = output.expect("podman starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // It fails only if there is nothing to remove.
        let _ = Command::new("podman")
            .args(["rm", "--all", "--force", "--time", "0"])
            .envs(self.environment())
            .output();
    }
}
