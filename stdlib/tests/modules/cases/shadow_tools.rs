//! Accounts as the shadow tools make them and as the modules do: the same files and homes come out.
//!
//! Not compared is what the modules leave alone: the copies `passwd-`, `/etc/subuid`, mail spools.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode};
use refrain_engine::syscall::enter_root;
use refrain_engine::system::RootKind;
use refrain_engine::system::account_files::{AccountFile, Lock};
use refrain_engine::system::native::Native;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;

const HASH: &str = "$5$saltsalt$tYCmAcqS7QfOLFbpVtDBSuzxSgJl2SpUKJkLsSVLNo9";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\n\
    old:x:998:998::/nonexistent:/usr/sbin/nologin\nada:x:1000:1000:Ada,,,:/home/ada:/bin/sh\n\
    grace:x:1004:100::/home/grace:/bin/sh\n";
const SHADOW: &str = "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nold:!:20000::::::\n\
    ada:$6$salt$abc:20000:0:99999:7:::\ngrace:!$6$salt$abc:20000:0:99999:7:::\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nwheel:x:10:root,ada\naudio:x:63:grace,ada\nusers:x:100:\nold:x:998:\n\
    ada:x:1000:\nteam:x:1001:ada\n";
const GSHADOW: &str = "root:*::\ndaemon:*::\nwheel:!:ada:root,ada\naudio:!::grace,ada\nusers:*::\nold:!::\nada:!::\n\
    team:!::ada\n";
const LOGIN: &str = "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUMASK 027\nUSERGROUPS_ENAB yes\n\
    PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nENCRYPT_METHOD SHA512\n";

/// Whether the tools are there and may be used. Missing ones are a failure where tests have to be complete.
fn equipped() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let tools = ["useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd"];
    let has = |tool: &&str| {
        ["/usr/sbin", "/sbin", "/usr/bin"].iter().any(|place| Path::new(place).join(tool).exists())
    };
    let missing = tools.iter().find(|tool| !has(tool));
    if root && missing.is_none() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "needs root and {missing:?}");
    eprintln!("skipped: needs root and the shadow tools");
    false
}

/// A root with accounts in it. Its skeleton has no directories: useradd copies those only where there is a `/proc`.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let place = |path: &str| root.path().join(path);
    for directory in ["etc/default", "etc/skel", "home/ada/work"] {
        fs::create_dir_all(place(directory)).unwrap();
    }
    let files = [
        ("etc/passwd", PASSWD, 0o644),
        ("etc/shadow", SHADOW, 0o640),
        ("etc/group", GROUP, 0o644),
        ("etc/gshadow", GSHADOW, 0o600),
        ("etc/login.defs", LOGIN, 0o644),
        ("etc/default/useradd", "SHELL=/bin/bash\nGROUP=100\n", 0o644),
        ("etc/skel/.profile", "umask 022\n", 0o640),
        ("home/ada/work/file", "", 0o644),
    ];
    for (path, text, mode) in files {
        fs::write(place(path), text).unwrap();
        fs::set_permissions(place(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    lchown(place("etc/shadow"), Some(0), Some(42)).unwrap();
    symlink(".profile", place("etc/skel/.login")).unwrap();
    for path in ["home/ada", "home/ada/work", "home/ada/work/file"] {
        lchown(place(path), Some(1000), Some(1000)).unwrap();
    }
    root
}

fn run_tools(root: &Path, commands: &[&str]) {
    for command in commands {
        let mut words = command.split(' ');
        let mut tool = Command::new(words.next().unwrap());
        // A blank in an argument is written as `~`.
        let words: Vec<String> = words.map(|word| word.replace('~', " ")).collect();
        let output = tool.arg("--root").arg(root).args(words).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Does `work` in a thread that has `root` as its root directory.
fn inside<T: Send>(root: &Path, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter_root(root).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}

fn run_modules(root: &Path, calls: &[(&str, Value)]) {
    inside(root, || {
        let registry = refrain_stdlib::registry();
        let system = placed(|| Native::new(RootKind::Offline), RootKind::Offline);
        for (name, arguments) in calls {
            let calls = Calls::default();
            let call = Call::new(Mode::Change(&*system), &NoMaterials, &calls);
            let call = || registry.get(name).unwrap().call(arguments.clone(), &call);
            let report = call();
            assert_eq!(report.status, Status::Changed, "{name} {arguments}: {:?}", report.failure);
            assert_eq!(call().status, Status::Ok, "{name} {arguments}: the second time");
        }
    });
}

/// The accounts and homes in words.
fn picture(root: &Path) -> String {
    let mut picture = String::new();
    for name in ["passwd", "shadow", "group", "gshadow"] {
        let path = root.join("etc").join(name);
        let metadata = fs::metadata(&path).unwrap();
        picture += &format!("{name} {:o} {}:{}\n", metadata.mode(), metadata.uid(), metadata.gid());
        picture += &fs::read_to_string(&path).unwrap();
    }
    let mut todo = vec![root.join("home"), root.join("srv")];
    while let Some(path) = todo.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let name = path.strip_prefix(root).unwrap().display();
        picture += &format!("{name} {:o} {}:{}\n", metadata.mode(), metadata.uid(), metadata.gid());
        if metadata.is_dir() {
            let mut names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            names.sort();
            todo.extend(names);
        }
    }
    picture
}

fn day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// Both ways lead to the same accounts.
fn same(commands: &[&str], calls: &[(&str, Value)]) {
    if !equipped() {
        return;
    }
    loop {
        let (theirs, ours, today) = (root(), root(), day());
        run_tools(theirs.path(), commands);
        run_modules(ours.path(), calls);
        // Both write down the day.
        if day() == today {
            pretty_diff(&picture(theirs.path()), &picture(ours.path()), commands);
            break;
        }
    }
}

fn pretty_diff(theirs: &str, ours: &str, commands: &[&str]) {
    let only = |a: &str, b: &str| {
        a.lines()
            .filter(|line| !b.lines().any(|other| other == *line))
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    };
    assert!(
        theirs == ours,
        "{commands:?}\n  only theirs:\n{}  only ours:\n{}",
        only(theirs, ours),
        only(ours, theirs)
    );
}

#[test]
fn new_accounts() {
    same(&["useradd -m new"], &[("user::present", json!({ "name": "new" }))]);
    same(
        &["useradd -m a", "useradd -M b", "useradd -r c", "useradd -r d", "useradd -m e"],
        &[
            ("user::present", json!({ "name": "a" })),
            ("user::present", json!({ "name": "b", "create_home": false })),
            ("user::present", json!({ "name": "c", "system": true })),
            ("user::present", json!({ "name": "d", "system": true })),
            ("user::present", json!({ "name": "e" })),
        ],
    );
    same(
        &[&format!(
            "useradd -m -u 1500 -g team -G wheel,audio -c A~B -d /srv/a/b -s /bin/zsh -p {HASH} -e 2030-02-28 -f 10 new"
        )],
        &[(
            "user::present",
            json!({
                "name": "new", "uid": 1500, "group": "team", "groups": ["wheel", "audio"], "comment": "A B",
                "home": "/srv/a/b", "shell": "/bin/zsh", "password": HASH, "expires": "2030-02-28",
                "password_inactive_days": 10,
            }),
        )],
    );
    same(
        &["useradd -M -u 1000 -o -g 100 twin"],
        &[(
            "user::present",
            json!({ "name": "twin", "uid": 1000, "non_unique": true, "group": 100, "create_home": false }),
        )],
    );
    same(
        &["useradd -r -m -d /srv/web web"],
        &[(
            "user::present",
            json!({ "name": "web", "system": true, "create_home": true, "home": "/srv/web" }),
        )],
    );
}

#[test]
fn numbers_at_the_ends_of_their_ranges() {
    same(
        &["useradd -M -u 60000 last", "useradd -M next", "useradd -M more"],
        &[
            ("user::present", json!({ "name": "last", "uid": 60000, "create_home": false })),
            ("user::present", json!({ "name": "next", "create_home": false })),
            ("user::present", json!({ "name": "more", "create_home": false })),
        ],
    );
    same(
        &[
            "useradd -r -u 101 low",
            "useradd -r next",
            "useradd -r more",
            "groupadd -r lone",
            "groupadd plain",
        ],
        &[
            ("user::present", json!({ "name": "low", "uid": 101, "system": true })),
            ("user::present", json!({ "name": "next", "system": true })),
            ("user::present", json!({ "name": "more", "system": true })),
            ("group::present", json!({ "name": "lone", "system": true })),
            ("group::present", json!({ "name": "plain" })),
        ],
    );
}

#[test]
fn changes_of_accounts() {
    let case = |command: &str, mut arguments: Value| {
        arguments["name"] = json!("ada");
        same(&[&format!("usermod {command} ada")], &[("user::present", arguments)]);
    };
    case("-s /bin/zsh", json!({ "shell": "/bin/zsh" }));
    case("-c Ada~Lovelace", json!({ "comment": "Ada Lovelace" }));
    case("-d /srv/ada", json!({ "home": "/srv/ada", "create_home": false }));
    case("-G audio,team", json!({ "groups": ["audio", "team"] }));
    case("-a -G users,team", json!({ "groups": ["users", "team"], "append": true }));
    case("-G users", json!({ "groups": "users" }));
    case("-u 2000", json!({ "uid": 2000 }));
    case("-g team", json!({ "group": "team" }));
    case("-u 2000 -g 100", json!({ "uid": 2000, "group": "100" }));
    case("-L", json!({ "lock": true }));
    case(&format!("-p {HASH}"), json!({ "password": HASH }));
    case("-p *", json!({ "password": "*" }));
    case("-e 2027-01-31 -f 3", json!({ "expires": "2027-01-31", "password_inactive_days": 3 }));
    same(
        &["usermod -U grace"],
        &[("user::present", json!({ "name": "grace", "lock": false, "create_home": false }))],
    );
}

#[test]
fn accounts_that_go() {
    same(&["userdel ada"], &[("user::absent", json!({ "name": "ada" }))]);
    same(&["userdel -r ada"], &[("user::absent", json!({ "name": "ada", "remove": true }))]);
    same(&["userdel grace"], &[("user::absent", json!({ "name": "grace" }))]);
    same(
        &["usermod -a -G ada grace", "userdel ada"],
        &[
            (
                "user::present",
                json!({ "name": "grace", "groups": "ada", "append": true, "create_home": false }),
            ),
            ("user::absent", json!({ "name": "ada" })),
        ],
    );
}

#[test]
fn groups() {
    same(&["groupadd new"], &[("group::present", json!({ "name": "new" }))]);
    same(
        &["groupadd -r -g 555 new"],
        &[("group::present", json!({ "name": "new", "system": true, "gid": 555 }))],
    );
    same(
        &["groupadd -g 63 -o new"],
        &[("group::present", json!({ "name": "new", "gid": 63, "non_unique": true }))],
    );
    same(&["groupmod -g 2000 ada"], &[("group::present", json!({ "name": "ada", "gid": 2000 }))]);
    same(
        &["gpasswd -M ada,daemon wheel"],
        &[("group::present", json!({ "name": "wheel", "members": ["ada", "daemon"] }))],
    );
    same(
        &["gpasswd -a daemon wheel"],
        &[("group::present", json!({ "name": "wheel", "members": "daemon", "append": true }))],
    );
    same(&["groupdel team"], &[("group::absent", json!({ "name": "team" }))]);
}

#[test]
fn both_wait_for_each_other() {
    if !equipped() {
        return;
    }
    let root = root();
    let files = [AccountFile {
        path: "/etc/passwd".into(),
        before: Vec::new(),
        after: Vec::new(),
        attributes: refrain_engine::system::Attributes { mode: 0o644, uid: 0, gid: 0 },
    }];
    let lock = inside(root.path(), || Lock::take(&files).ok().unwrap());
    let mut tool = Command::new("useradd");
    let mut tool = tool.arg("--root").arg(root.path()).args(["-M", "new"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(tool.try_wait().unwrap().is_none(), "it waits");
    // The lock's files have the root's paths, so it ends there.
    inside(root.path(), || drop(lock));
    assert!(tool.wait().unwrap().success());
    assert!(fs::read_to_string(root.path().join("etc/passwd")).unwrap().contains("\nnew:x:1005:"));
    assert!(!root.path().join("etc/passwd.lock").exists());
}
