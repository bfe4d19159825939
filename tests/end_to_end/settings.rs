//! `refrain.toml`, `ansible.cfg` in its place, and `refrain init`.

use crate::support::project::Project;

const PLAY: &str = "play(\"Hosts\", #{ hosts: \"all\" }, || { role(\"r\"); });\n";

/// A project with these settings, whose parts lie where only settings find them.
fn project(settings: &str) -> Project {
    let project = Project::new();
    project.file("refrain.toml", settings);
    elsewhere(&project);
    project
}

fn elsewhere(project: &Project) {
    project.file("stages/test", "web1\nweb2\n").file("plays/site.rhai", PLAY);
    project.file("shared/r/role.rhai", "file::content(\"/made\", \"\");\n");
}

#[test]
fn parts_are_found_where_the_settings_say() {
    let project = project(
        "inventory = [\"stages/test\", \"extra,\"]\nplaybooks = \"plays\"\nroles = [\"shared\"]\nforks = 1\nlock_timeout = 5\n",
    );
    let listed = project.refrain(&["run", "site.rhai", "--list-hosts"]).expect(0).stdout;
    assert!(listed.contains("web1") && listed.contains("web2") && listed.contains("extra"), "{listed}");
    project.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(0);
    assert!(project.path(".refrain/sandbox/web2/root/made").exists());
    assert!(project.refrain(&["inventory"]).expect(0).stdout.contains("web2"));
}

#[test]
fn settings_of_the_connection_hold_below_the_inventory() {
    let project = project("inventory = \"hosts\"\n[ssh]\nport = 1\ntimeout = 0.5\n");
    project.file("hosts", "own ansible_host=127.0.0.1 ansible_port=2\nnone ansible_host=127.0.0.1\n");
    project.file("play.rhai", "play(\"Test\", #{ hosts: \"all\" }, || { print(1); });\n");
    let said = project.refrain(&["run", "play.rhai"]).expect(3).whole();
    assert!(said.contains("127.0.0.1` port 2"), "{said}");
    assert!(said.contains("127.0.0.1` port 1"), "{said}");
}

#[test]
fn slips_are_refused_at_their_place() {
    for (name, settings) in [
        ("unknown", "forks = 3\ninventroy = \"hosts\"\n"),
        ("unknown-in-section", "[ssh]\nusr = \"root\"\n"),
        ("kind", "inventory = 3\n"),
        ("items", "roles = [\"a\", 1]\n"),
        ("number", "forks = 0\n"),
        ("section", "ssh = \"root\"\n"),
        ("value", "[ssh]\nuser = [\"root\"]\n"),
        ("method", "[become]\nmethod = \"sodo\"\n"),
        ("not-toml", "forks = \n"),
        ("twice", "forks = 1\nforks = 2\n"),
        ("no-inventory", "inventory = \"nowhere\"\n"),
    ] {
        let project = Project::of("play(\"Test\", #{ hosts: \"all\" }, || { print(1); });\n");
        project.file("refrain.toml", settings);
        insta::assert_snapshot!(name, project.refrain(&["run", "site.rhai"]).expect(4).whole());
        project.refrain(&["inventory"]).expect(4);
    }
}

/// What many projects have that come from Ansible.
const ANSIBLE_CFG: &str = "[defaults]\ninventory = ./stages/test\nroles_path = shared:more\nremote_user = nobody\nforks=3 ; a few\n\
    host_key_checking = False\nstdout_callback = yaml\nhash_behaviour = merge\n\n[privilege_escalation]\nbecome = no\nbecome_user=root\n";

#[test]
fn for_want_of_settings_those_of_ansible_hold() {
    let project = Project::new();
    std::fs::remove_file(project.path("refrain.toml")).unwrap();
    elsewhere(&project);
    project.file("ansible.cfg", ANSIBLE_CFG);
    let ran = project.refrain(&["run", "plays/site.rhai", "-c", "sandbox", "-l", "web1"]).expect(0);
    assert!(project.path(".refrain/sandbox/web1/root/made").exists());
    insta::assert_snapshot!(ran.whole());
    insta::assert_snapshot!(project.refrain(&["init"]).expect(0).whole());
    insta::assert_snapshot!(std::fs::read_to_string(project.path("refrain.toml")).unwrap());
    // Nothing is to be said of the other file any more, and everything holds as before.
    let again = project.refrain(&["run", "plays/site.rhai", "-c", "sandbox"]).expect(0);
    assert!(!again.whole().contains("ansible.cfg"), "{}", again.whole());
}

#[test]
fn a_new_project_works() {
    let project = Project::new();
    let inside = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.current_dir(project.path("new")).output().unwrap()
    };
    project.refrain(&["init", "new"]).expect(0);
    project.refrain(&["init", "new"]).expect(4);
    for arguments in [
        &["lint", "playbooks/site.rhai"][..],
        &["test", "playbooks/site.rhai"],
        &["run", "site.rhai", "-c", "sandbox"],
    ] {
        let output = inside(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    let motd =
        std::fs::read_to_string(project.path("new/.refrain/sandbox/db1.example.org/root/etc/motd")).unwrap();
    assert_eq!(motd, "This is db1 of example.org.\nIts groups are db, production.\n");
    // All that is written out as a comment is what holds without it.
    let settings = std::fs::read_to_string(project.path("new/refrain.toml")).unwrap();
    let uncommented: Vec<&str> = settings
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line))
        .collect();
    project.file("new/refrain.toml", uncommented.join("\n"));
    let output = inside(&["run", "site.rhai", "-c", "sandbox", "--check", "--exit-code"]);
    assert!(output.status.success(), "{output:?}");
}
