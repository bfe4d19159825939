//! A root directory in which transcripts are played again: busybox, the simulated tools, packages.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use refrain_simulation::xbps::Definition;
use tempfile::TempDir;

use crate::transcript::Step;

/// Stands between the outputs of commands.
const END: &str = "\x04the end of the command\x04";

/// Where busybox may be.
const BUSYBOX: [&str; 2] = ["/usr/bin/busybox", "/bin/busybox"];

/// Whether transcripts can be played here.
pub fn possible() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let has_busybox = BUSYBOX.iter().any(|place| Path::new(place).exists());
    let missing = match (is_root, has_busybox) {
        (true, true) => return true,
        (false, _) => "the right to enter another root",
        (true, false) => "busybox",
    };
    assert!(std::env::var_os("CI").is_none(), "{missing} is missing");
    eprintln!("skipped: {missing} is missing");
    false
}

/// A root directory without packages, from which stages are copied.
pub struct Template {
    directory: TempDir,
}

impl Template {
    /// Makes one in which `/srv/pkgs` holds these packages, signed.
    pub fn new(packages: &[Definition]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let template = Self { directory };
        template.furnish();
        let place = template.root().join("srv/pkgs");
        for package in packages {
            let archive = package.to_archive("x86_64");
            let architecture = package.architecture.as_deref().unwrap_or("x86_64");
            fs::write(place.join(format!("{}.{architecture}.xbps", package.pkgver)), archive).unwrap();
        }
        let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
        fs::copy(recordings.join("key.pem"), template.root().join("root/key.pem")).unwrap();
        fs::copy(recordings.join("other-key.pem"), template.root().join("root/otherkey.pem")).unwrap();
        Stage::enter(template.root()).run("cd /srv/pkgs; xbps-rindex --privkey /root/key.pem -S *.xbps");
        template
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn furnish(&self) {
        let root = self.root();
        for directory in
            ["bin", "dev", "proc", "etc/xbps.d", "root", "srv/network", "srv/pkgs", "srv/repo", "tmp", "mnt"]
        {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for directory in ["usr/bin", "usr/share/xbps.d", "var/db/xbps/keys", "var/cache/xbps", "var/log"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::write(root.join("etc/xbps.d/00-repository-main.conf"), "repository=/srv/repo\n").unwrap();
        let users = "root:x:0:0:root:/root:/bin/sh\nmaldridge:x:1000:1000::/tmp:/bin/sh\n";
        fs::write(root.join("etc/passwd"), users).unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\nmaldridge:x:1000:\n").unwrap();
        let busybox = BUSYBOX.iter().find(|place| Path::new(place).exists()).unwrap();
        fs::copy(busybox, root.join("bin/busybox")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_simulated"), root.join("usr/bin/simulated")).unwrap();
        for (name, _) in refrain_simulation::PROGRAMS.iter().filter(|(name, _)| name.starts_with("xbps")) {
            symlink("simulated", root.join("usr/bin").join(name)).unwrap();
        }
        let script = "#!/bin/sh\nuser=$2; shift 2; exec su $user -c \"$*\"\n";
        fs::write(root.join("bin/chpst"), script).unwrap();
        fs::set_permissions(root.join("bin/chpst"), fs::Permissions::from_mode(0o755)).unwrap();
        let applets = Command::new(busybox).arg("--list").output().unwrap();
        for applet in String::from_utf8(applets.stdout).unwrap().lines().filter(|applet| *applet != "busybox")
        {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        fs::write(root.join("dev/null"), "").unwrap();
    }

    /// A copy of it, entered.
    pub fn stage(&self) -> Stage {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        let copied = Command::new("cp").arg("-a").arg(self.root()).arg(&root).status().unwrap();
        assert!(copied.success());
        let mut stage = Stage::enter(root);
        stage.directory = Some(directory);
        stage
    }
}

/// A shell in a root directory, in mount points of its own.
pub struct Stage {
    shell: Child,
    stdin: ChildStdin,
    /// Goes when the shell has ended.
    directory: Option<TempDir>,
}

impl Stage {
    fn enter(root: PathBuf) -> Self {
        let enter = "mount --bind \"$1\" \"$1\" && mount --bind /dev/null \"$1/dev/null\" && \
            mount -t proc proc \"$1/proc\" && cd \"$1\" && exec chroot . /bin/sh";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", enter, "enter"]).arg(root);
        command
            .env_clear()
            .env("PATH", "/bin:/usr/bin:/sbin:/usr/sbin")
            .env("HOME", "/root")
            .env("TZ", "UTC");
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut shell = piped.spawn().unwrap();
        let stdin = shell.stdin.take().unwrap();
        Self { shell, stdin, directory: None }
    }

    /// Runs a command; nothing may come of it.
    pub fn run(&mut self, command: &str) {
        let step = self.play(command);
        assert_eq!(step.status, 0, "{command}: {step:?}");
    }

    /// Runs a command from `/`, with nothing to read.
    pub fn play(&mut self, command: &str) -> Step {
        let script = format!("(cd /\n{command}\n) </dev/null; echo \"{END}$?{END}\"; echo \"{END}\" >&2\n");
        self.stdin.write_all(script.as_bytes()).unwrap();
        let stderr = self.shell.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut stderr = stderr;
            (until_end(&mut stderr, 1), stderr)
        });
        let mut stdout = self.shell.stdout.take().unwrap();
        let printed = until_end(&mut stdout, 2);
        self.shell.stdout = Some(stdout);
        let (complained, stderr) = stderr.join().unwrap();
        self.shell.stderr = Some(stderr);
        let mut parts = printed.split(END);
        let (stdout, status) = (parts.next().unwrap(), parts.next().unwrap());
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let stderr = complained.split(END).next().unwrap_or_default();
        let status = status.parse().unwrap();
        Step { command: command.to_owned(), stdout: lines(stdout), stderr: lines(stderr), status }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        drop(self.directory.take());
    }
}

/// Reads until the end of a command was told so many times.
fn until_end(stream: &mut impl Read, times: usize) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 65536];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the shell ended: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&read);
        if text.matches(END).count() >= times && text.ends_with(&format!("{END}\n")) {
            return text.into_owned();
        }
    }
}
