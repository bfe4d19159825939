//! `refrain inventory` and `refrain vars`, as a person uses them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::ansible::Ansible;
use crate::support::project::{Outcome, Project};
use crate::support::python;

/// A small tree in which values are overridden, and refer to one another.
fn project() -> Project {
    let project = Project::new();
    project.file(
        "inventory/hosts",
        "core ansible_password=hush\n\n[web]\nweb[1:2] port=8080\n\n[big:children]\nweb\n\n[big:vars]\nport=1\nregion=north\n",
    );
    project.file(
        "inventory/group_vars/all.yml",
        "domain: example.org\nport: 80\nfqdn: '{{ inventory_hostname }}.{{ domain }}'\n",
    );
    project.file("inventory/group_vars/big/a.yml", "region: south\n");
    project.file("inventory/group_vars/big/b.yml", "region: west\npeer: \"{{ hostvars['core'].fqdn }}\"\n");
    project.file(
        "inventory/host_vars/web1.yml",
        "address: \"{{ ansible_default_ipv4.address }}\"\nsizes: [1, '{{ port }}']\n",
    );
    project
}

/// Writes a program. The shell does it: a file that this process has open for writing can't be run by another thread's child.
fn program(project: &Project, path: &str, text: &str) {
    project.file(&format!("{path}.text"), text);
    let copy = "cat \"$1\" > \"$2\" && rm \"$1\" && chmod 755 \"$2\"";
    let paths = [project.path(&format!("{path}.text")), project.path(path)];
    let status = Command::new("sh").args(["-c", copy, "sh"]).args(paths).status().expect("sh");
    assert!(status.success());
}

fn shown(outcome: Outcome) -> String {
    outcome.whole()
}

#[test]
fn the_tree_shows_groups_and_hosts() {
    insta::assert_snapshot!(shown(project().refrain(&["inventory"]).expect(0)));
    insta::assert_snapshot!(shown(project().refrain(&["inventory", "--limit", "web1"]).expect(0)));
}

#[test]
fn variables_tell_where_they_are_set_and_what_they_override() {
    insta::assert_snapshot!(shown(
        project().refrain(&["vars", "web1", "-e", "domain=example.net"]).expect(0)
    ));
    insta::assert_snapshot!(shown(project().refrain(&["vars", "web1", "region"]).expect(0)));
}

/// A playbook that sets variables in each of its ways, for a project with `port` in its inventory.
fn project_with_roles() -> Project {
    let project = Project::of(
        r#"
let computed = 1 + 1;
play("Web", #{ hosts: "web", vars: #{ port: 90, only: computed } }, || {
    role("app", #{ port: 91, size: "big" });
    lend();
});
play("Elsewhere", #{ hosts: "db", vars: #{ port: 92 } }, || role("app"));
play("Any", #{ hosts: ["web1", "db"] }, || { role("app"); role("second"); });
fn lend() { defaults(#{ lent: true }); }
"#,
    );
    project.file("inventory", "[web]\nweb1 port=80\n[db]\ndb1\n");
    project.file("group_vars/web.yml", "port: 81\n");
    project.file(
        "roles/app/role.rhai",
        "defaults(#{ port: 8080, size: \"small\", ansible_sudo_pass: \"hush\" });\n",
    );
    project.file(
        "roles/second/role.rhai",
        "let title = \"x\";\ndefaults(#{ size: [1, #{ a: () }], title: title });\n",
    );
    project
}

#[test]
fn a_playbook_shows_all_layers() {
    let project = project_with_roles();
    let vars = |arguments: &[&str]| {
        let project = &project;
        shown(project.refrain(&[&["vars"], arguments, &["--playbook", "site.rhai"]].concat()).expect(0))
    };
    let text = vars(&["web1"]);
    assert!(!text.contains("hush"), "{text}");
    // Where the project is differs.
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("inventory_")).collect();
    insta::assert_snapshot!("all_layers", lines.join("\n"));
    insta::assert_snapshot!("all_layers_and_extra", vars(&["web1", "port", "-e", "port=1"]));
    insta::assert_snapshot!("layers_of_another_host", vars(&["db1", "port"]));
    let json =
        project.refrain(&["vars", "web1", "only", "--json", "--playbook", "site.rhai"]).expect(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let set = json!([{ "layer": "play", "path": "site.rhai", "line": 3, "column": 49, "play": "Web" }]);
    assert_eq!(json["only"]["set"], set);
    let misspelt = project.refrain(&["vars", "web1", "siez", "--playbook", "site.rhai"]).expect(4);
    assert!(misspelt.stderr.contains("did you mean `size`?"), "{}", misspelt.stderr);
    project.file("roles/second/role.rhai", "file::contents();\n");
    let broken = project.refrain(&["vars", "web1", "--playbook", "site.rhai"]).expect(4);
    assert!(broken.stderr.contains("roles/second/role.rhai:1"), "{}", broken.stderr);
}

#[test]
fn passwords_are_not_shown() {
    let text = shown(project().refrain(&["vars", "core"]).expect(0));
    assert!(text.contains("ansible_password") && !text.contains("hush"), "{text}");
    let text = shown(project().refrain(&["vars", "core", "--json"]).expect(0));
    assert!(text.contains("ansible_password") && !text.contains("hush"), "{text}");
}

#[test]
fn values_come_as_json() {
    let printed = project().refrain(&["vars", "web1", "region", "--json"]).expect(0).stdout;
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let set = |path: &str, line: u32, column: u32, value: &str| {
        json!({
            "layer": "group", "path": path, "line": line, "column": column, "group": "big", "written": value
        })
    };
    let expected = json!({ "region": { "value": "west", "set": [
        set("inventory/group_vars/big/b.yml", 1, 9, "west"),
        set("inventory/group_vars/big/a.yml", 1, 9, "south"),
        set("inventory/hosts", 11, 8, "north"),
    ] } });
    assert_eq!(printed, expected);
}

#[test]
fn slips_have_near_matches() {
    for arguments in [
        &["vars", "wbe1"][..],
        &["vars", "web"],
        &["vars", "web1", "regoin"],
        &["inventory", "--host", "wbe1"],
        &["inventory", "--limit", "wbe"],
        &["vars", "web1", "-i", "nowhere"],
    ] {
        insta::assert_snapshot!(arguments.join(" "), shown(project().refrain(arguments).expect(4)));
    }
}

#[test]
fn who_reads_may_stop_reading() {
    let project = project();
    let mut shell = Command::new("sh");
    let binary = crate::support::project::binary();
    let line = format!("{} inventory --list -i $(seq -s, 1 20000) | head -1", binary.display());
    let output = shell.args(["-c", &line]).current_dir(project.path("")).output().unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.stderr.len()), ("{\n", 0));
}

/// What a program says that tells all at once.
const ALL_AT_ONCE: &str = r#"#!/bin/sh
test "$1" = --list || { echo "called with $*" >&2; exit 9; }
cat <<'END'
{ "web": { "hosts": ["web1", "web2"], "vars": { "port": 80, "name": "{{ inventory_hostname }}" }, "children": ["blue"] },
  "blue": ["web3"], "alone": { "size": 3 },
  "_meta": { "hostvars": { "web1": { "a": [1, null, "\ud83d\ude00"] }, "web3": {}, "elsewhere": { "b": 1 } } } }
END
"#;

/// One that is asked for each host.
const ONE_BY_ONE: &str = r#"#!/bin/sh
case "$1" in
--list) echo '{ "db": { "hosts": ["db1", "db2"] } }' ;;
--host) test "$2" = db1 && echo '{ "disk": "1T" }' || echo '{}' ;;
esac
"#;

#[test]
fn programs_are_run_as_ansible_runs_them() {
    let project = Project::new();
    program(&project, "inv/all.sh", ALL_AT_ONCE);
    program(&project, "inv/each", ONE_BY_ONE);
    project.file("inv/group_vars/db.yml", "disk: none\nkind: db\n");
    let ours = project.refrain(&["inventory", "--list", "-i", "inv"]).expect(0).stdout;
    insta::assert_snapshot!(ours);
    let Some(mut ansible) = Ansible::start() else { return };
    assert_eq!(ansible.inventory(&project.path(""), &["--list", "-i", "inv"]).unwrap(), ours);
}

#[test]
fn programs_that_fail_say_why() {
    for (name, text) in [
        ("fails", "#!/bin/sh\necho 'no \u{1b}[31mcredentials' >&2\nexit 3\n"),
        ("prints-words", "#!/bin/sh\necho hello\n"),
        ("bad-hosts", "#!/bin/sh\necho '{ \"web\": { \"hosts\": { \"web1\": {} } } }'\n"),
        ("bad-json", "#!/bin/sh\nprintf '{ \"web\": [\"a\",\\n  \"b\" }\\n'\n"),
        ("no-such-interpreter", "#!/nowhere/python\n"),
    ] {
        let project = Project::new();
        program(&project, name, text);
        insta::assert_snapshot!(name, shown(project.refrain(&["inventory", "-i", name]).expect(4)));
    }
}

#[test]
fn the_cluster_is_what_ansible_makes_of_it() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let refrain = |arguments: &[&str]| {
        let mut command = Command::new(crate::support::project::binary());
        let output = command.current_dir(top).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let Some(mut ansible) = Ansible::start() else { return };
    let list = refrain(&["inventory", "--list"]);
    assert_eq!(ansible.inventory(top, &["--list", "-i", "inventory"]).unwrap(), list);
    let list: Value = serde_json::from_str(&list).unwrap();
    let of_hosts = list["_meta"]["hostvars"].as_object().unwrap();
    assert_eq!(of_hosts.len(), 15);
    for (host, variables) in of_hosts {
        assert_eq!(
            ansible.inventory(top, &["--host", host, "-i", "inventory"]).unwrap(),
            refrain(&["inventory", "--host", host])
        );
        let names: Vec<String> = variables.as_object().unwrap().keys().cloned().collect();
        let theirs = ansible.values(top, &["inventory"], std::slice::from_ref(host), &names);
        let ours: Value = serde_json::from_str(&refrain(&["vars", host, "--json"])).unwrap();
        for name in &names {
            assert_eq!(theirs[host][name].get("value"), ours[name].get("value"), "{name} of {host}");
        }
    }
}

#[test]
fn ansibles_own_programs_say_the_same() {
    let home = tempfile::tempdir().unwrap();
    let project = project();
    let Some(mut inventory) = python::program("ansible-inventory", home.path()) else { return };
    let output =
        inventory.current_dir(project.path("")).args(["--list", "-i", "inventory", "-e", "extra=1"]).output();
    let theirs = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(project.refrain(&["inventory", "--list", "-e", "extra=1"]).expect(0).stdout, theirs);

    let Some(mut debug) = python::program("ansible", home.path()) else { return };
    debug
        .current_dir(project.path(""))
        .env("ANSIBLE_STDOUT_CALLBACK", "json")
        .env("ANSIBLE_LOAD_CALLBACK_PLUGINS", "1");
    debug.args(["web1", "-i", "inventory", "-m", "debug", "-a", "var=peer", "-c", "local"]);
    let output = debug.output().unwrap();
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours: Value =
        serde_json::from_str(&project.refrain(&["vars", "web1", "peer", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(theirs["plays"][0]["tasks"][0]["hosts"]["web1"]["peer"], ours["peer"]["value"]);
    assert_eq!(ours["peer"]["value"], "core.example.org");
}
