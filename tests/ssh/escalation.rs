//! Plays that become another user: sudo, doas and su, with and without a password; and in which words it fails.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use refrain_engine::event::{EventKind, Status};
use rustix::process::{Pid, Signal, kill_process};

use crate::LONG;
use crate::support::everything::{converge, placed};
use crate::support::have;
use crate::support::project::{Project, copy_binary};
use crate::support::run::{Finished, finish, play, run, running, wait};
use crate::support::sshd::{APP, OTHER_PASSWORD, PASSWORD, Setup, Sshd};
use crate::support::terminal::answering;

/// `/etc/sudoers` with further lines.
fn sudoers(lines: &str) -> String {
    format!("Defaults env_reset, lecture=never, passwd_tries=3\n{lines}\n")
}

/// What su asks of PAM, with one line in front.
fn su(line: &str) -> String {
    format!(
        "auth sufficient pam_rootok.so\n{line}\nauth required pam_unix.so nodelay\naccount required pam_unix.so\n\
         session required pam_unix.so\n"
    )
}

/// A host where `tester` can become everybody, with a password.
pub fn with_password() -> Setup {
    Setup::default()
        .tester()
        .etc("sudoers", sudoers("tester ALL=(ALL) ALL"))
        .etc("doas.conf", "permit tester\n")
        .etc("pam.d/su", su(""))
}

/// The same without one.
pub fn without_password() -> Setup {
    Setup::default()
        .tester()
        .etc("sudoers", sudoers("Defaults requiretty, use_pty\ntester ALL=(ALL) NOPASSWD: ALL"))
        .etc("doas.conf", "permit nopass tester\n")
        .etc("pam.d/su", su("auth sufficient pam_permit.so"))
}

fn start(setup: Setup) -> Option<Sshd> {
    (have("sudo") && have("doas") && have("su")).then(|| setup.start()).flatten()
}

/// What `method` asks for.
fn password_of(method: &str) -> &'static str {
    if method == "su" { OTHER_PASSWORD } else { PASSWORD }
}

const METHODS: [&str; 3] = ["sudo", "doas", "su"];

#[test]
fn the_tree_is_the_same_whoever_becomes_root() {
    let Some(direct) = start(Setup::default()) else { return };
    let (Some(free), Some(asking)) = (start(without_password()), start(with_password())) else { return };
    let place = tempfile::tempdir().unwrap();
    let made_by = |placement: &str, name: &str, sshd: &Sshd, variables: &str, arguments: &[&str]| {
        let top = place.path().join(name);
        fs::create_dir(&top).unwrap();
        let project = placed(top.to_str().unwrap(), placement);
        sshd.open_to(&project);
        project.file("inventory", sshd.inventory().replace('\n', &format!(" {variables}\n")));
        let tree = converge(&project, arguments, &top);
        tree.into_iter().map(|line| line.replace(top.to_str().unwrap(), "")).collect::<Vec<_>>()
    };
    let made = |name: &str, sshd: &Sshd, variables: &str, arguments: &[&str]| {
        made_by("host", name, sshd, variables, arguments)
    };
    let expected = made("direct", &direct, "", &[]);
    let from_here = made_by("controller", "from-here", &asking, &right("sudo"), &["--become"]);
    assert_eq!(from_here, expected, "the calls travel");
    for method in METHODS {
        let arguments = ["--become", "--become-method", method];
        assert_eq!(made(&format!("{method}-free"), &free, "", &arguments), expected, "{method}");
        let variables = format!("ansible_become_password='{}'", password_of(method));
        assert_eq!(made(&format!("{method}-asking"), &asking, &variables, &arguments), expected, "{method}");
    }
}

/// A host, and a project whose play becomes somebody and says who that is.
pub fn site(setup: Setup) -> Option<(Project, Sshd)> {
    let sshd = start(setup)?;
    let project = Project::new();
    sshd.open_to(&project);
    play(&project, WHO);
    Some((project, sshd))
}

/// A body of a play that says who runs it, and where at home.
const WHO: &str = r#"let r = command::shell("id -un; echo $HOME", #{ probe: true }); print(r.stdout);"#;

/// Sets variables of the host.
pub fn set(project: &Project, sshd: &Sshd, variables: &str) {
    project.file("inventory", sshd.inventory().replace('\n', &format!(" {variables}\n")));
}

#[test]
fn anybody_can_be_become() {
    let Some((project, sshd)) = site(with_password()) else { return };
    let home = sshd.home("../app").canonicalize().unwrap().display().to_string();
    for method in METHODS {
        let password = password_of(method);
        set(&project, &sshd, &format!("ansible_become_password='{password}' ansible_become_method={method}"));
        let finished = run(&project, &["-b", "--become-user", "app"]).succeeded();
        assert_eq!(finished.messages(), [format!("app\n{home}")], "{method}");
    }
    // The agent is kept where only that user can have put it.
    let cache = fs::metadata(sshd.home("../app/.cache/refrain")).unwrap();
    assert_eq!((cache.uid(), cache.mode() & 0o777), (APP, 0o700));
}

#[test]
fn play_and_inventory_say_whom_to_become() {
    let Some((project, sshd)) = site(without_password()) else { return };
    let who = |further: &[&str]| {
        let messages = run(&project, further).succeeded().messages();
        messages[0].lines().next().unwrap().to_owned()
    };
    assert_eq!(who(&[]), "tester");
    set(&project, &sshd, "ansible_become=true ansible_become_user=app ansible_become_method=doas");
    assert_eq!(who(&[]), "app");
    set(&project, &sshd, "ansible_become=true ansible_become_method=su ansible_su_user=app");
    assert_eq!(who(&[]), "app");
    set(&project, &sshd, "ansible_become=true ansible_become_user=root");
    let header = r#"hosts: "all", become: true, become_user: "app", become_method: "su""#;
    project.file("play.rhai", format!("play(\"Who\", #{{ {header} }}, || {{ {WHO} }});"));
    assert_eq!(who(&[]), "app");
    assert_eq!(who(&["--become-user", "root"]), "root");
    project
        .file("play.rhai", format!("play(\"Who\", #{{ hosts: \"all\", become: false }}, || {{ {WHO} }});"));
    assert_eq!(who(&[]), "tester");
}

#[test]
fn root_becomes_root_without_further_ado() {
    // There is no program that could do it.
    let setup = Setup::default().before(NO_PROGRAMS).path("/run/bin");
    let Some((project, _sshd)) = site(setup) else { return };
    assert!(run(&project, &["-b"]).succeeded().messages()[0].starts_with("root\n"));
}

/// Puts all programs but those in question into `/run/bin`.
const NO_PROGRAMS: &str = "cp -as /usr/bin /run/bin; rm /run/bin/sudo /run/bin/doas /run/bin/su";

/// Takes away what gives terminals.
const NO_TERMINALS: &str = "mount -t tmpfs tmpfs /dev/pts";

/// What is said by each method, with what differs masked.
fn refusals(setup: Setup, variables: impl Fn(&str) -> String, further: &[&str]) -> Option<String> {
    let (project, sshd) = site(setup)?;
    let mut all = String::new();
    for method in METHODS {
        set(&project, &sshd, &variables(method));
        let finished = run(&project, &[&["-b", "--become-method", method], further].concat());
        assert_eq!(finished.code, Some(3), "{finished:#?}");
        all.push_str(&finished.unreachable());
        all.push_str("\n\n");
    }
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(all.replace(&format!("@{machine})"), "@MACHINE)"))
}

pub fn right(method: &str) -> String {
    format!("ansible_become_password='{}'", password_of(method))
}

#[test]
fn a_password_is_asked_for_and_there_is_none() {
    let Some(refusals) = refusals(with_password(), |_| String::new(), &[]) else { return };
    insta::assert_snapshot!(refusals, @r"
    become: could not become `root` by `sudo`
    caused by: `sudo` asks for a password, and there is none
        sudo: a password is required
    hint: `-K` asks for it; the variable `ansible_become_password` gives one for a host

    become: could not become `root` by `doas`
    caused by: `doas` asks for a password, and there is none
        doas: Authentication required
    hint: `-K` asks for it; the variable `ansible_become_password` gives one for a host

    become: could not become `root` by `su`
    caused by: `su` asks for a password, and there is none
    hint: `-K` asks for it; the variable `ansible_become_password` gives one for a host
    ");
}

#[test]
fn the_password_is_wrong() {
    let wrong = |_: &str| "ansible_become_password=hunter2".to_owned();
    let Some(refusals) = refusals(with_password(), wrong, &[]) else { return };
    insta::assert_snapshot!(refusals, @r"
    become: could not become `root` by `sudo`
    caused by: the password is wrong
        [sudo] password for tester:
        Sorry, try again.
    hint: `sudo` wants the password of the user who logs in

    become: could not become `root` by `doas`
    caused by: the password is wrong
        doas (tester@MACHINE) password:
        doas: Authentication failed
    hint: `doas` wants the password of the user who logs in

    become: could not become `root` by `su`
    caused by: the password is wrong
        Password:
        su: Authentication failure
    hint: `su` wants the password of the user whom one becomes
    ");
}

#[test]
fn the_program_is_missing() {
    let setup = with_password().before(NO_PROGRAMS).path("/run/bin");
    let Some(refusals) = refusals(setup, right, &[]) else { return };
    insta::assert_snapshot!(refusals, @r"
    become: could not become `root` by `sudo`
    caused by: the host has no program `sudo`
    hint: `become_method` can be sudo, doas, su

    become: could not become `root` by `doas`
    caused by: the host has no program `doas`
    hint: `become_method` can be sudo, doas, su

    become: could not become `root` by `su`
    caused by: the host has no program `su`
    hint: `become_method` can be sudo, doas, su
    ");
}

#[test]
fn a_terminal_is_demanded() {
    let setup =
        with_password().etc("sudoers", sudoers("Defaults requiretty\ntester ALL=(ALL) NOPASSWD: ALL"));
    let Some(refusals) = refusals(setup.before(NO_TERMINALS), right, &[]) else { return };
    insta::assert_snapshot!(refusals, @r"
    become: could not become `root` by `sudo`
    caused by: `sudo` wants a terminal, and the host has none to give
        sudo: sorry, you must have a tty to run sudo
    hint: `/dev/pts` has to be mounted there

    become: could not become `root` by `doas`
    caused by: `doas` wants a terminal, and the host has none to give
        doas: Authentication failed
    hint: `/dev/pts` has to be mounted there

    become: could not become `root` by `su`
    caused by: `su` wants a terminal, and the host has none to give
        Password: su: Authentication token manipulation error
    hint: `/dev/pts` has to be mounted there
    ");
}

#[test]
fn it_is_not_allowed() {
    let setup = Setup::default()
        .tester()
        // Where there is a mailer, sudo would also say that it has written to somebody.
        .etc("sudoers", sudoers("Defaults !mail_no_user\napp ALL=(ALL) ALL"))
        .etc("doas.conf", "permit app\n")
        .etc("pam.d/su", su("auth required pam_wheel.so"));
    let Some(refusals) = refusals(setup, right, &[]) else { return };
    insta::assert_snapshot!(refusals, @r"
    become: could not become `root` by `sudo`
    caused by: `sudo` does not allow it
        [sudo] password for tester:
        tester is not in the sudoers file.
    hint: sudoers has to allow the user who logs in to run `/bin/sh` as the other one

    become: could not become `root` by `doas`
    caused by: `doas` does not allow it
        doas: Operation not permitted
    hint: doas.conf has to `permit` the user who logs in to run `/bin/sh` as the other one

    become: could not become `root` by `su`
    caused by: `su` does not allow it
        Password:
        su: Permission denied
    hint: PAM may allow `su` only to a group, such as `wheel`
    ");
}

#[test]
fn there_is_no_such_user() {
    let Some(refusals) = refusals(with_password(), right, &["--become-user", "nobody-here"]) else { return };
    insta::assert_snapshot!(refusals, @r"
    become: could not become `nobody-here` by `sudo`
    caused by: the host has no user `nobody-here`
        sudo: unknown user nobody-here
        sudo: error initializing audit plugin sudoers_audit

    become: could not become `nobody-here` by `doas`
    caused by: the host has no user `nobody-here`
        doas: unknown user

    become: could not become `nobody-here` by `su`
    caused by: the host has no user `nobody-here`
        su: user nobody-here does not exist or the user entry does not contain all the required fields
    ");
}

#[test]
fn the_shell_of_a_user_may_let_nobody_in() {
    let Some((project, sshd)) = site(with_password()) else { return };
    set(&project, &sshd, &right("su"));
    let finished = run(&project, &["-b", "--become-method", "su", "--become-user", "locked"]);
    insta::assert_snapshot!(finished.unreachable(), @r"
    become: could not become `locked` by `su`
    caused by: the shell of `locked` lets nobody in
        Password:
        su: using restricted shell /usr/sbin/nologin
        This account is currently not available.
    hint: `sudo` and `doas` need no shell of the user
    ");
}

#[test]
fn the_password_is_asked_for_at_the_terminal() {
    let Some((project, _sshd)) = site(with_password()) else { return };
    let shown = answering(running(&project, &["-b", "-K"]), "BECOME password", &[PASSWORD]);
    assert!(shown.contains("root"), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn the_password_is_seen_nowhere() {
    let Some((project, sshd)) = site(with_password()) else { return };
    play(&project, r#"print(`it is ${vars.ansible_become_password}`); command::run(["sleep", "1"]);"#);
    for method in METHODS {
        let password = password_of(method);
        set(&project, &sshd, &right(method));
        let mut run = running(&project, &["-b", "--become-method", method]).spawn().unwrap();
        let mut met = false;
        while run.try_wait().unwrap().is_none() {
            for process in processes() {
                met |= process.command.starts_with(&format!("{method} "));
                let told = process.command.contains(password) || process.environment.contains(password);
                assert!(!told, "{}", process.command);
            }
        }
        assert!(met, "{method} was not seen running");
        let finished = wait(run).succeeded();
        assert_eq!(finished.messages(), ["it is ••••"]);
        assert!(!finished.stdout.contains(password) && !finished.stderr.contains(password));
        assert!(!sshd.log().contains(password));
    }
}

/// A running process.
struct Process {
    pid: i32,
    command: String,
    environment: String,
}

/// Those that this one may look at.
fn processes() -> Vec<Process> {
    let read = |pid: i32, file: &str| {
        let text = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&text).replace('\0', " ")
    };
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .map(|pid| Process { pid, command: read(pid, "cmdline"), environment: read(pid, "environ") })
        .collect()
}

/// The agents that were started from the cache in a home beside that of who logs in.
fn agents(sshd: &Sshd, home: &str) -> Vec<Process> {
    let cache = sshd.home("").parent().unwrap().join(home).join(".cache/refrain/agent-");
    let mut all = processes();
    all.retain(|process| process.command.starts_with(&*cache.to_string_lossy()));
    all
}

#[test]
fn an_agent_that_is_left_alone_finishes_the_step_in_hand_and_goes() {
    let (Some((project, asking)), Some(free)) = (site(with_password()), start(without_password())) else {
        return;
    };
    for (sshd, method) in [(&asking, "sudo"), (&asking, "doas"), (&asking, "su"), (&free, "sudo")] {
        sshd.open_to(&project);
        set(&project, sshd, &right(method));
        let place = tempfile::tempdir().unwrap();
        let made = |name: &str| place.path().join(name);
        play(
            &project,
            &format!(
                r#"command::shell("touch {0}/begun; sleep 1; touch {0}/finished"); command::run(["touch", "{0}/after"]);"#,
                place.path().display()
            ),
        );
        let run = running(&project, &["-b", "--become-method", method]).spawn().unwrap();
        until(|| made("begun").exists());
        let [launcher] = &agents(sshd, "home")[..] else { panic!("one agent of the user who logs in") };
        kill_process(Pid::from_raw(launcher.pid).unwrap(), Signal::KILL).unwrap();
        assert_eq!(wait(run).code, Some(3), "{method}");
        until(|| agents(sshd, "root").is_empty());
        assert!(made("finished").exists() && !made("after").exists(), "{method}");
    }
}

/// Waits for something that takes a while.
fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `refrain` in a project on this machine, run by `tester` where the sshd lives, since nobody is to be become on the machine itself.
fn by_tester(project: &Project, sshd: &Sshd, arguments: &[&str]) -> Finished {
    let binary = sshd.home("refrain");
    if !binary.exists() {
        copy_binary(&binary);
    }
    fs::set_permissions(project.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("nsenter");
    command.args(["--mount", "--target", &sshd.process().to_string()]);
    command.arg(format!("--wdns={}", project.path("").display()));
    command.args(["setpriv", "--reuid", "tester", "--regid", "4242", "--clear-groups"]).arg(&binary);
    command.args(arguments).args(["--output", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(&mut command)
}

#[test]
fn a_local_play_is_run_by_an_agent_of_the_other_user() {
    let Some((project, sshd)) = site(with_password()) else { return };
    for method in METHODS {
        project.file("inventory", format!("localhost {}\n", right(method)));
        let whom = ["-b", "--become-user", "app", "--become-method", method];
        let finished = by_tester(&project, &sshd, &[&["run", "play.rhai"], &whom[..]].concat()).succeeded();
        assert!(finished.messages()[0].starts_with("app\n"), "{finished:#?}");
    }
}

#[test]
fn a_root_is_entered_by_an_agent_of_root() {
    let Some((project, sshd)) = site(with_password()) else { return };
    project.file("inventory", format!("localhost {}\n", right("sudo")));
    let root = sshd.home("image");
    fs::create_dir(&root).unwrap();
    let there = root.display().to_string();
    for placement in ["host", "controller"] {
        let body =
            "file::content(\"/etc/made\", \"by root\\n\"); print((facts.memory.total > 0).to_string());";
        let options = format!("#{{ hosts: \"all\", placement: \"{placement}\" }}");
        let body = format!("file::directory(\"/etc\"); {body}");
        project.file("play.rhai", format!("play(\"Image\", {options}, || {{ {body} }});\n"));
        let made = by_tester(&project, &sshd, &["run", "play.rhai", "--root", &there, "-b"]).succeeded();
        // The image has no `/proc` of its own.
        assert_eq!(made.messages(), ["true"]);
        assert_eq!(fs::metadata(root.join("etc/made")).unwrap().uid(), 0);
        let run = made.run();
        by_tester(&project, &sshd, &["rollback", &run, "--root", &there, "-b"]).succeeded();
        assert!(!root.join("etc").exists(), "the journal is in the image");
    }
    let refused = by_tester(&project, &sshd, &["run", "play.rhai", "--root", &there]);
    let refused = refused.unreachable().replace(&there, "IMAGE");
    insta::assert_snapshot!(refused, @r"
    connection: could not enter the root `IMAGE`: operation not permitted
    hint: only root may enter another root; `--become` makes the play root's
    ");
    let nowhere = by_tester(&project, &sshd, &["run", "play.rhai", "--root", "/none", "-b"]);
    insta::assert_snapshot!(nowhere.unreachable(), @"connection: could not enter the root `/none`: no such file or directory");
}

/// A play whose tasks become others. What it makes is below `TOP`, where only root may make anything, and at `HOME`.
const TASKS: &str = r#"
    let who = || command::run(["id", "-un"], #{ probe: true }).stdout;
    file::content("HOME/own", "mine\n");
    task("As root", #{ become: true }, || {
        let restart = handler("Restart", || file::content("TOP/handled", "by " + who.call() + "\n"));
        file::directory("TOP/closed", #{ mode: "0700" });
        file::content("TOP/closed/file", "for root only\n").notify(restart);
        print(`as ${who.call()}`);
        task("As app", #{ become_user: "app" }, || {
            print(`as ${who.call()}`);
            file::content("/var/tmp/of-app", "its own\n");
        });
        task("Without", #{ become: false }, || print(`without ${who.call()}`));
    });
    print(`back as ${who.call()}, TOP/closed is there: ${file::exists("TOP/closed")}`);
    print(`and /var/tmp/of-app: ${file::read("/var/tmp/of-app")}`);
    print(`the password is ${vars.ansible_become_password}`);
"#;

#[test]
fn tasks_are_made_as_others_and_the_rest_of_the_play_is_not() {
    let Some((project, sshd)) = site(with_password()) else { return };
    let ways = [("sudo", "host"), ("su", "host"), ("sudo", "controller"), ("su", "controller")];
    for (method, placement) in ways {
        let top = tempfile::tempdir().unwrap();
        fs::set_permissions(top.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let home = sshd.home(&format!("{method}-{placement}"));
        fs::create_dir(&home).unwrap();
        std::os::unix::fs::chown(&home, Some(4242), Some(4242)).unwrap();
        let text = TASKS.replace("TOP", top.path().to_str().unwrap()).replace("HOME", home.to_str().unwrap());
        let text = text.replace("of-app", &format!("of-app-{method}-{placement}"));
        let options = format!("#{{ hosts: \"all\", placement: \"{placement}\" }}");
        project.file("play.rhai", format!("play(\"Test\", {options}, || {{ {text} }});\n"));
        set(&project, &sshd, &format!("{} ansible_become_method={method}", right(method)));
        let check = run(&project, &["--check"]).succeeded();
        assert_eq!(fs::read_dir(top.path()).unwrap().count() + fs::read_dir(&home).unwrap().count(), 0);
        let made = run(&project, &[]).succeeded();
        assert_eq!(check.messages(), made.messages(), "what one predicts, the other sees");
        let place = top.path().display();
        assert_eq!(
            made.messages(),
            [
                "as root".to_owned(),
                "as app".to_owned(),
                "without tester".to_owned(),
                format!("back as tester, {place}/closed is there: true"),
                format!("and /var/tmp/of-app-{method}-{placement}: its own\n"),
                "the password is ••••".to_owned(),
            ]
        );
        let owner = |path: &Path| fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&home.join("own")), 4242);
        assert_eq!(owner(&top.path().join("closed/file")), 0);
        assert_eq!(fs::read_to_string(top.path().join("handled")).unwrap(), "by root\n");
        let again = run(&project, &[]).succeeded();
        let changed = again.events().into_iter().filter(|event| match &event.kind {
            EventKind::Task(task) => task.status == Status::Changed,
            _ => false,
        });
        assert_eq!(changed.count(), 0, "{again:#?}");
        until(|| agents(&sshd, "root").is_empty() && agents(&sshd, "app").is_empty());
    }
}

#[test]
fn a_task_that_can_not_become_somebody_fails_and_can_be_caught() {
    let Some((project, sshd)) = site(with_password()) else { return };
    let body = r#"
        for method in ["sudo", "sudo", "su"] {
            try {
                task("As root", #{ become: true, become_method: method }, || file::content("/root/x", ""));
            } catch (e) {
                print(e.message);
            }
        }
    "#;
    play(&project, body);
    set(&project, &sshd, "ansible_become_password=hunter2");
    let finished = run(&project, &[]).succeeded();
    assert_eq!(finished.messages().len(), 3, "{finished:#?}");
    let failures = finished.events().into_iter().filter_map(|event| match event.kind {
        EventKind::Task(task) => task.error,
        _ => None,
    });
    let shown: Vec<String> = failures.map(|error| error.to_string()).collect();
    // A program is asked once: what it has refused, it would refuse again.
    assert_eq!(shown[0], shown[1]);
    insta::assert_snapshot!(shown[1..].join("\n\n"), @r#"
    file::content failed
     --> play.rhai:4:84
      |
    4 |                 task("As root", #{ become: true, become_method: method }, || file::content("/root/x", ""));
      |                                                                                    ^^^^^^^
    caused by: could not become `root` by `sudo`
    caused by: the password is wrong
        [sudo] password for tester:
        Sorry, try again.
    hint: `sudo` wants the password of the user who logs in

    file::content failed
     --> play.rhai:4:84
      |
    4 |                 task("As root", #{ become: true, become_method: method }, || file::content("/root/x", ""));
      |                                                                                    ^^^^^^^
    caused by: could not become `root` by `su`
    caused by: the password is wrong
        Password:
        su: Authentication failure
    hint: `su` wants the password of the user whom one becomes
    "#);
}

#[test]
fn a_task_can_not_undo_what_its_play_has_become() {
    let Some((project, _sshd)) = site(without_password()) else { return };
    play(&project, r#"task("As before", #{ become: false }, || print("no"));"#);
    let finished = run(&project, &["-b"]);
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert!(finished.stdout.contains("the play has become `root`"), "{finished:#?}");
}

#[test]
fn what_a_predicted_user_would_do_is_not_known() {
    let Some((project, _sshd)) = site(without_password()) else { return };
    let body = r#"
        task("Make one", #{ become: true }, || user::present("fresh"));
        task("As the new one", #{ become: true, become_user: "fresh" }, || file::content("/tmp/fresh", ""));
    "#;
    play(&project, body);
    let finished = run(&project, &["--check"]).succeeded();
    let of_fresh = finished.events().into_iter().find_map(|event| match event.kind {
        EventKind::Task(task) if task.subject.is_empty() => Some(task),
        _ => None,
    });
    let task = of_fresh.unwrap();
    assert_eq!(task.status, Status::MayChange);
    assert_eq!(task.reason.as_deref(), Some("the user whom the task becomes is not there yet"));
}
