//! What the simulated programs say of configurations, held against what the real ones say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refrain_engine::system::View;
use refrain_engine::system::sandbox::Sandbox;
use refrain_simulation::Simulation;

/// Where tools of this machine are. A missing one is a failure where tests have to be complete.
fn tool(name: &str) -> Option<PathBuf> {
    let places = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "needs `{name}`");
        eprintln!("skipped: needs `{name}`");
    }
    found
}

/// Exit status and both streams, without times of day.
type Said = (i32, String, String);

fn text(stream: &[u8]) -> String {
    let text = String::from_utf8_lossy(stream);
    let untimed = text.lines().map(|line| line.split_once("Z Fatal error").map_or(line, |(_, rest)| rest));
    untimed.map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Starts the program where `/run/sshd` is, which sshd wants and who starts it as a service makes. No file of this machine is
/// touched for it.
fn with_privilege_separation(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command
        .arg("mount -t tmpfs -o mode=0755 tmpfs /run && mkdir /run/sshd && exec \"$@\"")
        .arg("sh")
        .arg(program);
    command
}

/// What both say of a file, the real program first.
fn both(program: &Path, options: &[&str], content: &str) -> (Said, Said) {
    let directory = tempfile::tempdir().unwrap();
    let host = Sandbox::open(directory.path(), Box::new(Simulation)).unwrap();
    fs::create_dir(directory.path().join("root/etc/ssh")).unwrap();
    // This machine may have keys, or not; in the sandbox it is like here.
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let name = format!("etc/ssh/ssh_host_{kind}_key");
        if Path::new("/").join(&name).exists() {
            fs::write(directory.path().join("root").join(name), "").unwrap();
        }
    }
    fs::write(directory.path().join("root/etc/file"), content).unwrap();
    let real = with_privilege_separation(program)
        .args(options)
        .arg(directory.path().join("root/etc/file"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let root = directory.path().join("root").to_string_lossy().into_owned();
    let inside = |stream: &[u8]| text(stream).replace(&root, "");
    let name = program.file_name().unwrap().to_str().unwrap();
    let words = [&[name][..], options, &["/etc/file"]].concat();
    let simulated = host.probe(&refrain_engine::system::Command::new(words)).unwrap();
    (
        (real.status.code().unwrap(), inside(&real.stdout), inside(&real.stderr)),
        (simulated.status, text(&simulated.stdout), text(&simulated.stderr)),
    )
}

fn compare(name: &str, options: &[&str], contents: &[&str]) {
    let Some(program) = tool(name) else { return };
    for content in contents {
        let (real, simulated) = both(&program, options, content);
        assert_eq!(simulated, real, "{name}: {content}");
    }
}

#[test]
fn chronyd_reads_its_configuration() {
    compare(
        "chronyd",
        &["-p", "-f"],
        &[
            "",
            "! a\n; b\n% c\n# d\n  server a   minpoll 3 \nPOOL b iburst maxsources 2\n",
            "server a iburst prefer minpoll 4 maxpoll 6 key 1\npeer b xleave\nrtcsync\nmakestep 1.0 -1\nlocal stratum 10 orphan\n",
            "driftfile /d\nlogdir /l\nallow\nallow all\ndeny 192.0.2.0/24\nbindaddress 192.0.2.1\nmaxupdateskew 100.0\nminsources 2\n",
            "keyfile /k\nleapsectz right/UTC\nntsdumpdir /n\nlog tracking measurements\nnoclientlog\nmanual\ncmdport 0\n",
            "rtcsync\nfoo 1\n",
            "server\n",
            "pool\n",
            "server a minpoll x\n",
            "server a # x\n",
            "driftfile\n",
            "logdir /a b\n",
            "makestep 1\n",
            "makestep 1 2 3\n",
            "makestep x 3\n",
            "rtcsync 1\n",
            "local stratum x\n",
            "local stratum 16\n",
            "maxupdateskew x\n",
        ],
    );
}

#[test]
fn sshd_reads_its_configuration() {
    compare(
        "sshd",
        &["-t", "-f"],
        &[
            "Port 22\nPort 2222\nListenAddress 127.0.0.1\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n",
            "# x\nAllowUsers ada grace\nAllowGroups wheel\nMaxAuthTries=3\nClientAliveInterval 60\nX11Forwarding no # why\n",
            "Subsystem sftp internal-sftp\nAcceptEnv LANG LC_*\nMaxStartups 10:30:60\nUsePAM yes\nUseDNS no\n",
            "Match User ada\n  PasswordAuthentication yes\n  ForceCommand /bin/a\nMatch all\n  X11Forwarding no\n",
            "Foo bar\n",
            "A 1\nPort 22\nB 2\n",
            "Port\n",
            "AllowUsers\n",
            "Port abc\n",
            "Port 22 23\n",
            "PasswordAuthentication maybe\nA 1\n",
            "PasswordAuthentication no yes\n",
            "PermitRootLogin maybe\n",
            "MaxAuthTries x\n",
            "Match User x\nPort 22\n",
            "Match Foo x\n",
        ],
    );
}

#[test]
fn visudo_reads_rules() {
    compare(
        "visudo",
        &["-c", "-f"],
        &[
            "",
            "# x\nroot ALL=(ALL:ALL) ALL\n%wheel ALL=(ALL) NOPASSWD: ALL\n",
            "ada, #1000, %ops web1, web2=(www:www) NOPASSWD: /bin/a --x\\=1\\,2 a\\:b, !/bin/c \"\", /bin/d\n",
            "ada ALL=(ALL) NOPASSWD:SETENV: /bin/a, PASSWD: /bin/b : web2 = /bin/c\n",
            "ada ALL=(:x) \\\n  ALL\n",
            "ada ALL = sudoedit /etc/a\nDefaults env_reset\nDefaults:ada !requiretty\n",
            "@includedir /none\n",
            "ada\n",
            "ada ALL ALL\n",
            "ada ALL=sv\n",
            "ada ALL=(ALL NOPASSWD: /usr/bin/x\n",
            "\n# x\nada ALL=(ALL\n",
            "ada ALL=(ALL) NOPASS: ALL\n",
            "ada ALL=ALL, /bin/a:\n",
            "ada ALL=/bin/a, \n",
            "@includedir\n",
            "User_Alias a = b\n",
        ],
    );
}
