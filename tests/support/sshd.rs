//! A real sshd on a free port of 127.0.0.1.
//!
//! As root it lives in a mount namespace of its own, with its own `/etc/passwd`, `/run`, `/var/tmp`, `/var/lib` and `/dev/shm`: its users
//! have their homes in a temporary directory, there are a `tester` who can log in with a password and an `app` whom others may
//! become, and nothing on the machine is changed.
//! Otherwise, whoever runs the tests logs in as themselves.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::project::Project;
use super::{have, is_root};

/// The user and group of `tester`.
pub const TESTER: u32 = 4242;

/// The password of `tester`, and what `/etc/shadow` has of it.
pub const PASSWORD: &str = "correct horse";
const SHADOW: &str =
    "$6$refrain$9QjUIvdGu358pe7jCHMCUlxHtY4gOpW4hz7KmKjJDzkGHygVaHkBFd9VmHSvX.spqtb.f6O5Wl51Yu59P2ze40";

/// The user and group of `app`.
pub const APP: u32 = 4343;

/// The password of `root` and `app`, and what `/etc/shadow` has of it.
pub const OTHER_PASSWORD: &str = "battery staple";
const OTHER_SHADOW: &str =
    "$6$refrain$o5Dte0VLBa7/cxVjryGK0Qk3c0T3QCULBTdHd3m.H9wVrDFufdh3BAcetTyYTahc7m30iE.5XqA1WKRWKEOHL0";

/// What PAM does at a login.
const PAM: &str =
    "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n";

/// How an sshd shall be.
#[derive(Clone)]
pub struct Setup {
    user: Option<&'static str>,
    shell: &'static str,
    options: Vec<String>,
    host_key: &'static str,
    noexec: Vec<String>,
    path: Option<String>,
    pam: bool,
    boots: bool,
    files: Vec<(&'static str, String)>,
    before: Vec<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            user: None,
            shell: "/bin/bash",
            options: Vec::new(),
            host_key: "ed25519",
            noexec: Vec::new(),
            path: None,
            pam: false,
            boots: false,
            files: Vec::new(),
            before: Vec::new(),
        }
    }
}

impl Setup {
    /// The user is `tester`, who is not root. Only root can have that.
    pub fn tester(self) -> Self {
        Self { user: Some("tester"), ..self }
    }

    /// The login shell of the users. Only root can have that.
    pub fn shell(self, shell: &'static str) -> Self {
        Self { shell, ..self }
    }

    /// A line of `sshd_config`; the first of a kind counts.
    pub fn option(mut self, line: &str) -> Self {
        self.options.push(line.to_owned());
        self
    }

    /// The type of the host key, as `ssh-keygen` calls it.
    pub fn host_key(self, host_key: &'static str) -> Self {
        Self { host_key, ..self }
    }

    /// A directory, below the user's home unless absolute, where programs can't run. Only root can have that.
    pub fn noexec(mut self, directory: &str) -> Self {
        self.noexec.push(directory.to_owned());
        self
    }

    /// Passwords are checked by PAM, which may ask for them in its own words. Only root can have that.
    pub fn pam(self) -> Self {
        Self { pam: true, ..self }
    }

    /// Its machine can be said to have booted again ([`Sshd::boot_id`]). Only root can have that.
    pub fn boots(self) -> Self {
        Self { boots: true, ..self }
    }

    /// A file of `/etc`, by its path below that, which only root may read. Only root can have that.
    pub fn etc(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.push((path, text.into()));
        self
    }

    /// A line of shell that is run where sshd will live, before it does. Only root can have that.
    pub fn before(mut self, line: &'static str) -> Self {
        self.before.push(line);
        self
    }

    /// The programs that commands find.
    pub fn path(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    /// Starts it; `None` where that can't be done, with the reason said.
    pub fn start(self) -> Option<Sshd> {
        let special = self.user.is_some()
            || self.shell != "/bin/bash"
            || !self.noexec.is_empty()
            || self.pam
            || self.boots
            || !self.files.is_empty()
            || !self.before.is_empty();
        if !have("sshd") || !have("ssh-keygen") || (special && !is_root()) {
            return None;
        }
        // Another process may take the port before sshd does.
        for _ in 0..5 {
            if let Some(sshd) = Sshd::try_start(&self) {
                return Some(sshd);
            }
        }
        panic!("sshd does not start");
    }
}

/// A running sshd. Dropping it ends it.
pub struct Sshd {
    directory: TempDir,
    child: Child,
    pub port: u16,
    /// Who logs in.
    pub user: String,
}

impl Sshd {
    /// Starts one with nothing special about it.
    pub fn start() -> Option<Self> {
        Setup::default().start()
    }

    fn try_start(setup: &Setup) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let path = |name: &str| directory.path().join(name);
        keygen(&path("host_key"), setup.host_key, "");
        fs::write(path("authorized_keys"), "").unwrap();
        for home in ["home", "root", "app"] {
            fs::create_dir(path(home)).unwrap();
        }
        let port = free_port();
        let root = rustix::process::getuid().is_root();
        let user = match setup.user {
            Some(user) => user.to_owned(),
            None if root => "root".to_owned(),
            None => std::env::var("USER").unwrap(),
        };
        if user == "tester" {
            chown(path("home"), Some(TESTER), Some(TESTER)).unwrap();
        }
        fs::write(path("sshd_config"), config(setup, directory.path(), port, root)).unwrap();
        let mut command = if root {
            chown(path("app"), Some(APP), Some(APP)).unwrap();
            fs::write(path("passwd"), passwd(directory.path(), &user, setup.shell)).unwrap();
            fs::write(path("shadow"), shadow()).unwrap();
            fs::write(path("start"), private_start(setup, directory.path())).unwrap();
            let mut command = Command::new("unshare");
            command.args(["--mount", "--propagation", "private", "/bin/sh"]).arg(path("start"));
            command
        } else {
            let mut command = Command::new("/usr/sbin/sshd");
            command.args(["-D", "-f"]).arg(path("sshd_config")).arg("-E").arg(path("log"));
            command
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let mut sshd = Self { directory, child, port, user };
        sshd.listens().then_some(sshd)
    }

    /// Waits until it listens; `false` when it ends before that.
    fn listens(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("sshd does not listen: {}", self.log());
    }

    /// A path in the home of the user who logs in.
    pub fn home(&self, path: &str) -> PathBuf {
        self.directory.path().join("home").join(path)
    }

    /// Writes a file in that home, as the user's own.
    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.home(path), text).unwrap();
        if self.user == "tester" {
            chown(self.home(path), Some(TESTER), Some(TESTER)).unwrap();
        }
    }

    /// The file that says which boot of its machine this is.
    pub fn boot_id(&self) -> PathBuf {
        self.directory.path().join("boot_id")
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The file with its host key.
    pub fn host_key(&self) -> PathBuf {
        self.directory.path().join("host_key")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Lets in who has the private key that belongs to this public one.
    pub fn authorize(&self, public: &Path) {
        let line = fs::read_to_string(public).unwrap();
        let file = self.directory.path().join("authorized_keys");
        let before = fs::read_to_string(&file).unwrap();
        fs::write(&file, [before, line].concat()).unwrap();
    }

    /// The line of its host key for `known_hosts`, under a name.
    pub fn known_as(&self, name: &str) -> String {
        let key = fs::read_to_string(self.directory.path().join("host_key.pub")).unwrap();
        format!("{name} {key}")
    }

    /// The name under which `known_hosts` has it.
    pub fn name_in_file(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }

    /// The line of the inventory for it, as host `web1`.
    pub fn inventory(&self) -> String {
        self.inventory_at(self.port)
    }

    /// The same, reached at another port.
    pub fn inventory_at(&self, port: u16) -> String {
        format!("web1 ansible_host=127.0.0.1 ansible_port={port} ansible_user={}\n", self.user)
    }

    /// Makes a project reach it: in its inventory and known hosts, with a key that is accepted.
    pub fn open_to(&self, project: &Project) {
        project.file("inventory", self.inventory());
        project.file(".ssh/known_hosts", self.known_as(&self.name_in_file()));
        let key = project.path(".ssh/id_ed25519");
        if !key.exists() {
            keygen(&key, "ed25519", "");
        }
        self.authorize(&key.with_extension("pub"));
    }

    /// What differs from run to run in texts about it.
    pub fn masked(&self, project: &Project, text: &str) -> String {
        let port = self.port.to_string();
        let home = project.path("").display().to_string();
        let own = self.directory.path().display().to_string();
        let user = format!("`{}`", self.user);
        super::masked(text, &[(&home, "[project]/"), (&own, "SSHD"), (&port, "PORT"), (&user, "`USER`")])
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("sshd said:\n{}", self.log());
        }
    }
}

fn config(setup: &Setup, directory: &Path, port: u16, root: bool) -> String {
    let own = directory.display();
    let mut lines = setup.options.clone();
    let mut environment = Vec::new();
    if !root {
        environment.push(format!("HOME={own}/home"));
    }
    environment.extend(setup.path.iter().map(|path| format!("PATH={path}")));
    if !environment.is_empty() {
        lines.push(format!("SetEnv {}", environment.join(" ")));
    }
    lines.push(format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {own}/host_key\nPidFile none\nLogLevel VERBOSE\n\
         AuthorizedKeysFile {own}/authorized_keys\nStrictModes no\nPermitRootLogin yes\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM {}\nUseDNS no\nPrintMotd no\n\
         MaxStartups 100\n",
        if setup.pam { "yes" } else { "no" }
    ));
    lines.join("\n")
}

/// The users: those of the machine, with root elsewhere, and `tester` and `app`. Who logs in is at home in `home`.
fn passwd(directory: &Path, user: &str, shell: &str) -> String {
    let real = fs::read_to_string("/etc/passwd").unwrap();
    let others: String =
        real.lines().filter(|line| !line.starts_with("root:")).map(|line| format!("{line}\n")).collect();
    let own = directory.display();
    let roots = if user == "root" { "home" } else { "root" };
    format!(
        "root:x:0:0:root:{own}/{roots}:{shell}\n{others}tester:x:{TESTER}:{TESTER}::{own}/home:{shell}\n\
         app:x:{APP}:{APP}::{own}/app:/bin/sh\nlocked:x:4444:4444::/nonexistent:/usr/sbin/nologin\n"
    )
}

/// Their passwords.
fn shadow() -> String {
    let of = |user: &str, hash: &str| format!("{user}:{hash}:1:0:99999:7:::\n");
    [("root", OTHER_SHADOW), ("tester", SHADOW), ("app", OTHER_SHADOW), ("locked", OTHER_SHADOW)]
        .map(|(user, hash)| of(user, hash))
        .concat()
}

/// The script that starts sshd where its own users are.
fn private_start(setup: &Setup, directory: &Path) -> String {
    let own = directory.display();
    let mut script = String::from(
        "set -e\nfor place in /run /var/tmp /var/lib /dev/shm; do mount -t tmpfs tmpfs $place; done\n\
         mkdir -p /run/sshd\nchmod 755 /run\n",
    );
    if !setup.files.is_empty() {
        script.push_str(&format!("cp -a /etc {own}/etc\n"));
        for (number, (path, text)) in setup.files.iter().enumerate() {
            fs::write(directory.join(format!("etc-{number}")), text).unwrap();
            script.push_str(&format!("install -m 0440 {own}/etc-{number} {own}/etc/{path}\n"));
        }
        // Programs that look for the machine's own name must find it.
        script.push_str(&format!("echo \"127.0.1.1 $(uname -n)\" >>{own}/etc/hosts\n"));
        script.push_str(&format!("mount --bind {own}/etc /etc\n"));
    }
    script
        .push_str(&format!("mount --bind {own}/passwd /etc/passwd\nmount --bind {own}/shadow /etc/shadow\n"));
    for line in &setup.before {
        script.push_str(&format!("{line}\n"));
    }
    if setup.pam {
        fs::write(directory.join("pam"), PAM).unwrap();
        script.push_str(&format!("mount --bind {own}/pam /etc/pam.d/sshd\n"));
    }
    if setup.boots {
        fs::write(directory.join("boot_id"), "first\n").unwrap();
        script.push_str(&format!("mount --bind {own}/boot_id /proc/sys/kernel/random/boot_id\n"));
    }
    for place in &setup.noexec {
        let place = if place.starts_with('/') { place.clone() } else { format!("{own}/home/{place}") };
        script.push_str(&format!(
            "mkdir -p {place}\nmount --bind {place} {place}\nmount -o remount,bind,noexec {place}\n"
        ));
    }
    script.push_str(&format!("exec /usr/sbin/sshd -D -f {own}/sshd_config -E {own}/log\n"));
    script
}

/// Makes a key pair.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-C", "test key", "-N", passphrase, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
