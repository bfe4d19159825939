//! A run that is killed at any of the calls by which it changes something: the next run and the rollback find their way.
//!
//! The real binary is killed by strace on entering each of these calls in turn; nothing in it knows of the test.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use crate::support::project::{Outcome, Project, possible};

/// Twenty changes, and three handlers that put what was changed to use.
const PLAY: &str = r##"
play("Twenty changes", #{ hosts: "web", connection: "local" }, || {
    let top = vars.top;
    let web = handler("Reload web", || command::shell(`cat ${top}/etc/web.conf ${top}/etc/sites/* >${top}/used/web`));
    let db = handler("Reload db", || command::shell(`cat ${top}/etc/db.conf >${top}/used/db`));
    handler("Reload dns", || command::shell(`cat ${top}/etc/hosts >${top}/used/dns`));

    file::directory(top + "/etc/sites", #{ mode: "0750" });
    file::content(top + "/etc/web.conf", "port = 80\n", #{ mode: "0600" }).notify(web);
    for site in ["a", "b", "c"] {
        file::content(`${top}/etc/sites/${site}`, `site ${site}\n`).notify(web);
    }
    file::content(top + "/etc/motd", "welcome\n");
    file::link(top + "/current", "etc/sites");
    file::link(top + "/other", "etc/motd");
    file::absent(top + "/old");
    file::absent(top + "/stale");
    let hosts = file::line(top + "/etc/hosts", "10.0.0.1 one");
    let more = file::line(top + "/etc/hosts", "10.0.0.2 two");
    if hosts.changed || more.changed { notify("Reload dns"); }
    file::attributes(top + "/etc/key", #{ mode: "0600" });
    let port = file::ini(top + "/etc/db.conf", "db", "port", "5432");
    port.notify(db);
    file::block(top + "/etc/profile", "export A=1");
    file::replace(top + "/etc/profile", "B=1", "B=2");
    file::json(top + "/etc/app.json", #{ merge: #{ verbose: false, level: 3 } });
    file::directory(top + "/srv/data/deep");
    file::copy("large", top + "/srv/data/large");
    file::content(top + "/srv/data/deep/last", "last\n");
});
"##;

/// The calls by which a run changes something. One that opens a new file is followed by one that writes it.
const CHANGING: [&str; 18] = [
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "chmod",
    "fchmod",
    "fchown",
    "fchownat",
    "utimensat",
];

/// A host, and all that runs leave outside of it.
struct Scene {
    project: Project,
}

impl Scene {
    fn new() -> Self {
        let project = Project::of(PLAY);
        let top = project.path("host");
        project.file("inventory", format!("web top={} ansible_connection=local\n", top.display()));
        project.file("files/large", vec![b'x'; 100 * 1024]);
        project.file("host/etc/hosts", "127.0.0.1 localhost\n").file("host/etc/key", "secret\n");
        project.file("host/etc/db.conf", "[db]\nport = 1\n").file("host/etc/profile", "B=1\n");
        project.file("host/etc/app.json", "{\"verbose\": true}\n").file("host/etc/motd", "go away\n");
        project
            .file("host/old/deep/file", "old\n")
            .file("host/old/other", "other\n")
            .file("host/stale", "stale\n");
        project.file("host/srv/kept", "kept\n");
        symlink("nowhere", top.join("old/dangling")).expect("a link");
        symlink("etc", top.join("current")).expect("a link");
        fs::create_dir(top.join("used")).expect("a directory");
        Self { project }
    }

    /// What is on the host, but for what handlers have made of it.
    fn tree(&self, times: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let top = self.project.path("host");
        let mut todo = vec![top.clone()];
        while let Some(path) = todo.pop() {
            let metadata = fs::symlink_metadata(&path).expect("it is there");
            let what = match fs::read_link(&path) {
                Ok(target) => format!("-> {}", target.display()),
                Err(_) => {
                    let content = fs::read(&path).unwrap_or_default();
                    let time = times.then(|| (metadata.mtime(), metadata.mtime_nsec()));
                    format!("{:o} {time:?} {}", metadata.mode(), String::from_utf8_lossy(&content))
                }
            };
            lines.push(format!("{} {what}", path.strip_prefix(&top).expect("below it").display()));
            if metadata.is_dir() && path != top.join("used") {
                todo.extend(
                    fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
                );
            }
        }
        lines.retain(|line| !line.starts_with("used "));
        lines.sort();
        lines
    }

    /// What handlers have made of it.
    fn used(&self) -> BTreeMap<&'static str, String> {
        let read =
            |name| (name, fs::read_to_string(self.project.path("host/used").join(name)).unwrap_or_default());
        ["web", "db", "dns"].into_iter().map(read).collect()
    }

    /// The play, with `arguments` of strace around it.
    fn traced(&self, arguments: &[&str]) -> Outcome {
        let inner = self.project.command(&["run", "site.rhai"]);
        let mut command = Command::new("strace");
        command.args(["-f", "-qq"]).args(arguments).arg(inner.get_program()).args(inner.get_args());
        command.current_dir(self.project.path("")).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Outcome::of(&command.output().expect("strace starts"), &self.project.path(""))
    }

    /// Copies host and journal to `to`, or back from there.
    fn copy(&self, from: &Path, to: &Path) {
        for part in ["host", ".state"] {
            let _ = fs::remove_dir_all(to.join(part));
            if from.join(part).exists() {
                let copied = Command::new("cp").arg("-a").arg(from.join(part)).arg(to.join(part)).status();
                assert!(copied.expect("cp starts").success());
            }
        }
    }

    /// The run that is in the journal, if it has got so far.
    fn journalled(&self) -> Option<String> {
        let mut runs = fs::read_dir(self.project.path(".state/journal")).ok()?;
        Some(runs.next()?.expect("an entry").file_name().into_string().expect("a name"))
    }
}

/// What is right after a whole run.
struct Expected {
    tree: Vec<String>,
    used: BTreeMap<&'static str, String>,
}

/// How often a whole run makes each of the calls.
fn boundaries() -> (Vec<(&'static str, usize)>, Expected) {
    let scene = Scene::new();
    let log = scene.project.path("calls.log");
    let calls = format!("trace={}", CHANGING.join(","));
    scene.traced(&["-e", &calls, "-o", log.to_str().expect("a path")]).expect(0);
    let log = fs::read_to_string(&log).expect("a log");
    // Counters are those of a thread; the first process is the one that works.
    let first = log.split(' ').next().expect("a process").to_owned();
    let own = log.lines().filter(|line| line.starts_with(&first)).collect::<Vec<_>>();
    let count = |call: &&'static str| own.iter().filter(|line| line.contains(&format!(" {call}("))).count();
    let counts = CHANGING.iter().map(|call| (*call, count(call))).collect();
    let again = scene.project.refrain(&["run", "site.rhai"]).expect(0);
    assert!(again.stdout.contains("0 changed"), "{}", again.stdout);
    (counts, Expected { tree: scene.tree(false), used: scene.used() })
}

#[test]
fn nothing_is_lost_wherever_a_run_is_killed() {
    if !possible(Command::new("strace").arg("-V").output().is_ok(), "strace") {
        return;
    }
    let (counts, expected) = boundaries();
    let points: Vec<(&str, usize)> =
        counts.iter().flat_map(|(call, count)| (1..=*count).map(move |number| (*call, number))).collect();
    assert!(points.len() > 150, "a play of twenty changes has more boundaries than {counts:?}");
    let left = Mutex::new(points.into_iter());
    let broken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((call, number)) = left.lock().expect("no panic").next() else { return };
                    if let Err(what) = killed_at(call, number, &expected) {
                        broken.lock().expect("no panic").push(format!("{call} {number}: {what}"));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().expect("no panic");
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n\n"));
}

/// Kills a run when it enters a call, and sees whether a rollback and another run make it good.
fn killed_at(call: &str, number: usize, expected: &Expected) -> Result<(), String> {
    let scene = Scene::new();
    let (here, aside) = (scene.project.path(""), scene.project.path("aside"));
    let before = scene.tree(true);
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let killed = scene.traced(&["-e", &format!("trace={call}"), "-e", &inject, "-o", "/dev/null"]);
    if killed.code == 0 {
        return Err("it was not killed".to_owned());
    }
    fs::create_dir(&aside).expect("a directory");
    scene.copy(&here, &aside);

    if let Some(run) = scene.journalled() {
        let back = scene.project.refrain(&["rollback", &run]);
        if back.code != 0 {
            return Err(format!("the rollback failed\n{}", back.whole()));
        }
        same("the rollback leaves", &before, &scene.tree(true))
            .map_err(|what| format!("{what}\n{}", back.whole()))?;
        scene.copy(&aside, &here);
    }
    let rerun = scene.project.refrain(&["run", "site.rhai", "-v"]);
    if rerun.code != 0 {
        return Err(format!("the next run failed\n{}", rerun.whole()));
    }
    same("the next run leaves", &expected.tree, &scene.tree(false))
        .map_err(|what| format!("{what}\n{}", rerun.whole()))?;
    if scene.used() != expected.used {
        return Err(format!("a handler is lost: {:?}\n{}", scene.used(), rerun.whole()));
    }
    let third = scene.project.refrain(&["run", "site.rhai"]);
    if third.code != 0 || !third.stdout.contains("0 changed") || third.stdout.contains("handler") {
        return Err(format!("a third run has something to do\n{}", third.whole()));
    }
    Ok(())
}

fn same(what: &str, expected: &[String], found: &[String]) -> Result<(), String> {
    let missing: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    let more: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    if missing.is_empty() && more.is_empty() {
        return Ok(());
    }
    let cut = |lines: Vec<&String>| {
        lines.iter().map(|line| line.chars().take(120).collect()).collect::<Vec<String>>()
    };
    Err(format!("{what} {:#?} instead of {:#?}", cut(more), cut(missing)))
}
