//! Plays whose tasks become others: what is kept of them, how they are taken back, and how they are told to stop.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::time::Instant;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::escalation::{right, set, site, with_password, without_password};
use crate::stopping::PROMPT;
use crate::support::project::Project;
use crate::support::run::{Finished, finish, run};
use crate::support::sshd::{APP, Setup, Sshd, TESTER};
use crate::support::started::{Started, runs, until};

/// A directory that is root's and one that is tester's, with something in them.
struct Place {
    root: TempDir,
    home: PathBuf,
}

impl Place {
    fn new(sshd: &Sshd) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for (name, content) in [("secret", b"before\n".to_vec()), ("large", vec![b'x'; 200 * 1024])] {
            fs::write(root.path().join(name), content).unwrap();
            fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let home = sshd.home("work");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("shared"), "one\n").unwrap();
        for path in [&home, &home.join("shared")] {
            chown(path, Some(TESTER), Some(TESTER)).unwrap();
        }
        Self { root, home }
    }

    fn play(&self, project: &Project, options: &str, body: &str) {
        let body = body.replace("ROOT", &self.root.path().display().to_string());
        let body = body.replace("HOME", &self.home.display().to_string());
        project
            .file("play.rhai", format!("play(\"Test\", #{{ hosts: \"all\"{options} }}, || {{ {body} }});\n"));
    }

    /// All that is there, with owners, modes and times.
    fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut todo = vec![self.root.path().to_owned(), self.home.clone()];
        while let Some(path) = todo.pop() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let (owner, time) = ((metadata.uid(), metadata.gid()), (metadata.mtime(), metadata.mtime_nsec()));
            let content = fs::read_to_string(&path).unwrap_or_default();
            lines.push(format!("{} {:o} {owner:?} {time:?} {content}", path.display(), metadata.mode()));
            if metadata.is_dir() {
                todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        lines.sort();
        lines
    }
}

/// Tester, root and app have a hand in it, also in the same paths.
const CHANGES: &str = r#"
    file::content("HOME/own", "mine\n");
    file::line("HOME/shared", "two");
    task("As root", #{ become: true }, || {
        file::content("HOME/shared", "three\n", #{ owner: "root", mode: "0600" });
        file::line("HOME/shared", "four");
        file::content("ROOT/secret", "after\n");
        file::absent("ROOT/large");
        file::directory("ROOT/made", #{ owner: "tester" });
        file::directory("ROOT/open", #{ mode: "1777" });
    });
    file::content("ROOT/made/inside", "tester's\n");
    task("As app", #{ become: true, become_user: "app" }, || file::content("ROOT/open/of-app", "its own\n"));
    task("As root", #{ become: true }, || {
        file::attributes("HOME/shared", #{ owner: "tester" });
        file::attributes("HOME/own", #{ mode: "0640" });
    });
    file::line("HOME/shared", "five");
"#;

fn roll_back(project: &Project, name: &str, further: &[&str]) -> Finished {
    let arguments = [&["rollback", name, "--output", "json"], further].concat();
    finish(&mut project.command(&arguments))
}

#[test]
fn a_run_is_taken_back_over_all_users() {
    let Some((project, sshd)) = site(with_password()) else { return };
    set(&project, &sshd, &right("sudo"));
    let place = Place::new(&sshd);
    let before = place.tree();
    for options in ["", ", placement: \"controller\""] {
        place.play(&project, options, CHANGES);
        let name = run(&project, &[]).succeeded().run();
        let after = place.tree();
        assert!(after.iter().any(|line| line.contains(&format!("({APP}, {APP})"))), "{after:#?}");
        roll_back(&project, &name, &["--check"]).succeeded();
        assert_eq!(place.tree(), after, "checking changes nothing");
        let back = roll_back(&project, &name, &[]).succeeded();
        assert_eq!(place.tree(), before, "{options}\n{}", back.stdout);
        // That is a run, too.
        roll_back(&project, &back.run(), &[]).succeeded();
        assert_eq!(without_times(&place.tree()), without_times(&after));
        roll_back(&project, &name, &[]).succeeded();
        assert_eq!(without_times(&place.tree()), without_times(&before));
        reset_times(&place, &before);
    }
}

/// Directories have had other things done in them meanwhile.
fn without_times(tree: &[String]) -> Vec<String> {
    let time = regex::Regex::new(r"\(\d{6,}, \d+\)").unwrap();
    tree.iter().map(|line| time.replace(line, "").into_owned()).collect()
}

/// Gives everything the times that it had.
fn reset_times(place: &Place, before: &[String]) {
    let time = regex::Regex::new(r"^(\S+) .*\((\d{6,}), (\d+)\)").unwrap();
    for line in before {
        let Some(found) = time.captures(line) else { continue };
        let at = format!("@{}.{:09}", &found[2], found[3].parse::<u32>().unwrap());
        let touched = std::process::Command::new("touch").args(["-d", &at, &found[1]]).status().unwrap();
        assert!(touched.success());
    }
    assert_eq!(place.tree(), before);
}

#[test]
fn what_something_else_has_changed_for_another_user_is_not_touched() {
    let Some((project, sshd)) = site(without_password()) else { return };
    let place = Place::new(&sshd);
    place.play(&project, "", CHANGES);
    let name = run(&project, &[]).succeeded().run();
    fs::write(place.root.path().join("secret"), "by hand\n").unwrap();
    let changed = place.tree();
    let refused = roll_back(&project, &name, &[]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    let error = refused.failure().to_string();
    assert!(error.contains("secret: was changed"), "{error}");
    assert_eq!(place.tree(), changed);
}

#[test]
fn without_becoming_the_others_nothing_is_taken_back() {
    let Some((project, sshd)) = site(with_password()) else { return };
    set(&project, &sshd, &right("sudo"));
    let place = Place::new(&sshd);
    place.play(&project, "", CHANGES);
    let name = run(&project, &[]).succeeded().run();
    let after = place.tree();
    set(&project, &sshd, "");
    let refused = roll_back(&project, &name, &[]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    insta::assert_snapshot!(refused.failure(), @r"
    what the run has changed as `root` can't be taken back
    caused by: could not become `root` by `sudo`
    caused by: `sudo` asks for a password, and there is none
        sudo: a password is required
    hint: `-K` asks for it; the variable `ansible_become_password` gives one for a host
    ");
    assert_eq!(place.tree(), after);
}

#[test]
fn a_run_that_was_killed_as_another_user_is_taken_back() {
    let Some((project, sshd)) = site(without_password()) else { return };
    let place = Place::new(&sshd);
    let before = place.tree();
    let killed = r#"command::shell("kill -9 $PPID")"#;
    for end in [killed.to_owned(), format!("task(\"As root\", #{{ become: true }}, || {killed})")] {
        place.play(&project, "", &format!("{CHANGES}\n{end};"));
        let dead = run(&project, &[]);
        assert_ne!(dead.code, Some(0), "{dead:#?}");
        let back = roll_back(&project, &dead.run(), &[]).succeeded();
        assert_eq!(place.tree(), before, "{}", back.stdout);
    }
}

#[test]
fn what_root_does_as_another_user_is_in_roots_journal() {
    let Some((project, sshd)) = site(Setup::default()) else { return };
    let place = Place::new(&sshd);
    let before = place.tree();
    for options in ["", ", placement: \"controller\""] {
        place.play(&project, options, CHANGES);
        let name = run(&project, &[]).succeeded().run();
        let back = roll_back(&project, &name, &[]).succeeded();
        assert_eq!(place.tree(), before, "{}", back.stdout);
    }
}

#[test]
fn a_play_that_has_become_root_is_taken_back_as_root() {
    let Some((project, sshd)) = site(with_password()) else { return };
    set(&project, &sshd, &right("su"));
    let place = Place::new(&sshd);
    let before = place.tree();
    let by = ["-b", "--become-method", "su"];
    for options in ["", ", placement: \"controller\""] {
        place.play(
            &project,
            options,
            r#"file::content("ROOT/secret", "after\n"); file::absent("ROOT/large");"#,
        );
        let name = run(&project, &by).succeeded().run();
        let without = roll_back(&project, &name, &[]).succeeded();
        assert_eq!(without.messages(), [format!("the run {name} has changed nothing here")]);
        roll_back(&project, &name, &by).succeeded();
        assert_eq!(place.tree(), before);
    }
    // What tasks have done as root is not root's own run.
    place.play(&project, "", r#"task("As root", #{ become: true }, || file::absent("ROOT/large"));"#);
    set(&project, &sshd, &format!("{} ansible_become_method=su", right("su")));
    let name = run(&project, &[]).succeeded().run();
    let as_root = roll_back(&project, &name, &by).succeeded();
    assert!(as_root.stdout.contains("1 changes are not taken back"), "{}", as_root.stdout);
    roll_back(&project, &name, &[]).succeeded();
    assert_eq!(place.tree(), before);
}

/// A command that starts another one and waits for it.
const WAITING: &str = r#"task("As root", #{ become: true }, || {
    command::shell("sleep 600 & echo $! >ROOT/new; mv ROOT/new ROOT/child; wait");
    file::content("ROOT/next", "");
});"#;

#[test]
fn the_second_signal_ends_what_another_user_runs() {
    let Some((project, sshd)) = site(without_password()) else { return };
    let place = Place::new(&sshd);
    for options in ["", ", placement: \"controller\""] {
        place.play(&project, options, WAITING);
        let at = |name: &str| place.root.path().join(name);
        let run = Started::of(&project, &["run", "play.rhai"]);
        until(|| at("child").exists(), "the command does not start");
        run.signal(Signal::TERM);
        run.until_it_says("stopping after");
        let start = Instant::now();
        run.signal(Signal::TERM);
        let outcome = run.end().expect(143);
        assert!(start.elapsed() < PROMPT);
        let child: u32 = fs::read_to_string(at("child")).unwrap().trim().parse().unwrap();
        until(|| !runs(child), "what the command has started still runs");
        assert!(!at("next").exists());
        assert!(outcome.stdout.contains("was ended: the run was told to stop now"), "{}", outcome.stdout);
        fs::remove_file(at("child")).unwrap();
    }
}

#[test]
fn another_user_who_is_lost_ends_the_play_and_says_why() {
    let Some((project, sshd)) = site(without_password()) else { return };
    let place = Place::new(&sshd);
    let body = r#"try {
        task("As root", #{ become: true }, || command::shell("kill -9 $PPID"));
    } catch (e) { print("caught"); }
    print("went on");"#;
    for options in ["", ", placement: \"controller\""] {
        place.play(&project, options, body);
        let finished = run(&project, &[]);
        assert_eq!(finished.code, Some(2), "{finished:#?}");
        assert_eq!(finished.messages(), [""; 0]);
        assert_eq!(finished.failure().message, "lost the agent before the play had ended", "{finished:#?}");
    }
}
