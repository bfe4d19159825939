//! Runs that are killed at any time, the controller, the agent or sshd: nothing is half done, and nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::plain_site;
use crate::stream::{agents, processes, sessions};
use crate::support::project::{Outcome, Project};
use crate::support::run::files_below;
use crate::support::sshd::Sshd;
use crate::support::started::{Started, process, until};

/// So many runs are killed.
const KILLS: u64 = 100;

/// On so many hosts at once.
const HOSTS: u64 = 2;

/// So many of them before one may come to its end.
const IN_A_ROW: u64 = 5;

/// Says with which seed the kills are drawn, to have them again.
const SEED: &str = "REFRAIN_KILL_SEED";

/// 20 changes with every new version, and three handlers, each because of a file that it then copies.
const PLAY: &str = r#"play("Kills", #{ hosts: "all" }, || {
    let top = vars.top;
    let version = vars.version;
    let copied = |name| handler(`Copy ${name}`, || {
        file::content(`${top}/handled-${name}`, file::read(`${top}/${name}`));
        command::shell("sleep 0.02 & sleep 0.01; wait");
    });
    let one = copied.call("one");
    let two = copied.call("two");
    let three = copied.call("three");
    file::directory(top);
    file::content(top + "/one", `one ${version}`).notify(one);
    for number in 0..5 { file::content(`${top}/small-${number}`, `${number} ${version}`, #{ mode: "0640" }); }
    let r = file::content(top + "/two", `two ${version}`);
    for number in 0..3 {
        let text = `${version} `;
        text.pad(400_000, "x");
        file::content(`${top}/large-${number}`, text);
    }
    if r.changed { notify(two); }
    for number in 0..4 { file::link(`${top}/link-${number}`, `target-${version}`); }
    command::shell(`sleep 0.02 & wait; echo ${version} >ran.new; mv ran.new ran`, #{ directory: top });
    for number in 0..3 { file::directory(`${top}/directory-${number}-${version}`, #{ mode: "0750" }); }
    file::line(top + "/lines", `version ${version}`, #{ regexp: "^version", create: true });
    file::block(top + "/lines", `block ${version}`);
    file::content(top + "/three", `three ${version}`).notify(three);
});
"#;

/// A host, and what is made of it.
struct Site {
    project: Project,
    sshd: Sshd,
}

impl Site {
    fn start() -> Option<Self> {
        let (project, sshd) = plain_site()?;
        project.file("play.rhai", PLAY);
        Some(Self { project, sshd })
    }

    fn arguments(&self, version: u64) -> Vec<String> {
        let top = format!("top={}", self.project.path("host").display());
        ["run", "play.rhai", "-e", &top, "-e", &format!("version={version}")].map(str::to_owned).to_vec()
    }

    fn run(&self, version: u64, further: &[&str]) -> Outcome {
        let arguments = self.arguments(version);
        self.project
            .refrain(&[&arguments.iter().map(String::as_str).collect::<Vec<_>>()[..], further].concat())
    }

    /// Starts a run and kills what `victim` says after `delay`. Waits until all is quiet.
    fn kill(&self, version: u64, victim: u64, delay: Duration) {
        let arguments = self.arguments(version);
        let run = Started::of(&self.project, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        std::thread::sleep(delay);
        let victims = match victim {
            0 => vec![run.process().to_string()],
            1 => agents(&self.sshd),
            _ => sessions(&self.sshd),
        };
        for victim in victims {
            // It may just have ended.
            let _ = kill_process(process(victim.parse().expect("a number")), Signal::KILL);
        }
        run.end();
        let top = self.project.path("host").display().to_string();
        let quiet = || {
            agents(&self.sshd).is_empty()
                && sessions(&self.sshd).is_empty()
                && processes(|command| command.contains(&top)).is_empty()
        };
        until(quiet, "something is left running");
    }

    fn content(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.project.path("host").join(name)).ok()
    }

    /// Everything is of one of two versions, whole.
    #[track_caller]
    fn is_whole(&self, old: u64, new: u64) {
        for name in WRITTEN {
            let found = self.content(name);
            let whole = [old, new].iter().any(|version| found == expected(name, *version));
            assert!(whole, "{name} is neither of version {old} nor of {new}: {:?}", found.map(brief));
        }
        for number in 0..4 {
            let link = self.project.path("host").join(format!("link-{number}"));
            let found = fs::read_link(link).ok().map(|target| target.display().to_string());
            let target = |version| (version > 0).then(|| format!("target-{version}"));
            assert!(found == target(old) || found == target(new), "link-{number}: {found:?}");
        }
    }

    /// Everything is of this version, and nothing else is there.
    #[track_caller]
    fn has_converged(&self, version: u64) {
        self.is_whole(version, version);
        let host = self.project.path("host");
        for number in 0..3 {
            let made = fs::metadata(host.join(format!("directory-{number}-{version}"))).expect("a directory");
            assert_eq!(made.permissions().mode() & 0o7777, 0o750);
        }
        let temporary: Vec<_> = files_below(&host)
            .into_iter()
            .filter(|name| !name.starts_with("link-") && !is_known(name))
            .collect();
        assert!(temporary.is_empty(), "left behind: {temporary:?}");
    }
}

/// What the play writes.
const WRITTEN: [&str; 15] = [
    "one",
    "two",
    "three",
    "small-0",
    "small-1",
    "small-2",
    "small-3",
    "small-4",
    "large-0",
    "large-1",
    "large-2",
    "ran",
    "handled-one",
    "handled-two",
    "handled-three",
];

fn is_known(name: &str) -> bool {
    WRITTEN.contains(&name) || name == "lines"
}

/// What is in a file of this version; nothing before the first one.
fn expected(name: &str, version: u64) -> Option<String> {
    if version == 0 {
        return None;
    }
    Some(match name.split_once('-') {
        Some(("handled", name)) => format!("{name} {version}"),
        Some(("small", number)) => format!("{number} {version}"),
        Some(("large", _)) => {
            let head = format!("{version} ");
            let rest = "x".repeat(400_000 - head.len());
            [head, rest].concat()
        }
        _ if name == "ran" => format!("{version}\n"),
        _ => format!("{name} {version}"),
    })
}

fn brief(text: String) -> String {
    format!("{} bytes, {}", text.len(), text.chars().take(20).collect::<String>())
}

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn seed() -> u64 {
    let given = std::env::var(SEED).ok().map(|seed| seed.parse().expect("a number"));
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("{SEED}={seed}");
    seed
}

#[test]
fn whatever_is_killed_nothing_is_lost() {
    let seed = seed();
    // Most of the time is spent waiting: several hosts share it.
    std::thread::scope(|scope| {
        let hosts: Vec<_> = (0..HOSTS)
            .map(|host| scope.spawn(move || kill_again_and_again(seed.wrapping_mul(HOSTS) + host)))
            .collect();
        for host in hosts {
            host.join().expect("nothing is lost");
        }
    });
}

/// Kills the runs on one host, a few for each version, and lets the last one of each version come to its end.
fn kill_again_and_again(seed: u64) {
    let Some(site) = Site::start() else { return };
    let mut random = Random(seed);
    site.run(1, &[]).expect(0);
    site.has_converged(1);
    // With the agent already there, a run takes less.
    let start = Instant::now();
    site.run(2, &[]).expect(0);
    let usual = u64::try_from(start.elapsed().as_micros()).expect("it is short");
    let versions = 3..3 + KILLS / HOSTS / IN_A_ROW;
    for version in versions.clone() {
        for _ in 0..IN_A_ROW {
            let (victim, delay) = (random.below(3), Duration::from_micros(random.below(usual)));
            site.kill(version, victim, delay);
            site.is_whole(version - 1, version);
        }
        site.run(version, &[]).expect(0);
        site.has_converged(version);
    }
    let check = site.run(versions.end - 1, &["--check"]);
    assert!(check.stdout.contains("0 would change"), "{}", check.stdout);
}
