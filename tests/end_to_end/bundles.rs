//! What a host gets to know: `refrain lint --bundle`.

use std::path::Path;

use crate::support::project::Project;
use crate::support::terminal::answering;

const PLAYBOOK: &str = r#"
import "lib/texts" as texts;
import "lib/unused" as unused;

const RELEASE = "2026.1";
let token = prompt("Token", #{ secret: true });
let other = prompt("Other token", #{ secret: true });

play("Web", #{
    hosts: "web",
    vars: #{ web_token: token, unused_token: other, greeting: "Welcome to {{ site_name }}" },
    files: ["certs/${host.name}.*"],
}, || {
    role("web");
    file::copy(`certs/${host.name}.pem`, "/etc/cert.pem");
    file::content("/etc/motd", texts::line(vars.greeting) + release());
    for name in groups["db"] {
        print(`${name}: ${hostvars(name).db_address}`);
    }
});

play("Databases", #{ hosts: "all", vars: #{ db_token: other } }, || {
    file::copy("schema.sql", "/etc/schema.sql");
    print(`${hostvars("db1").db_address} ${vars.db_token} ${unused::text()}`);
});

fn release() { global::RELEASE }
"#;

fn project() -> Project {
    let project = Project::of(PLAYBOOK);
    project
        .file("lib/texts.rhai", "fn line(text) { text + \"\\n\" }\n")
        .file("lib/unused.rhai", "fn text() { \"only in the second play\" }\n")
        .file("files/schema.sql", "create table t;\n")
        .file("files/certs/web1.pem", "the certificate of web1\n")
        .file("files/certs/web2.pem", "the certificate of web2\n")
        .file(
            "roles/web/role.rhai",
            "defaults(#{ web_port: 80, web_url: \"http://{{ web_domain }}:{{ web_port }}\" });\n\
             handler(\"Reload\", || print(vars.reload_command));\n\
             file::template(\"web.conf.j2\", \"/etc/web.conf\").notify(\"Reload\");\n",
        )
        .file(
            "roles/web/templates/web.conf.j2",
            "{% include 'head.j2' %}\ntoken {{ web_token }}\nurl {{ web_url }}\n",
        )
        .file("roles/web/templates/head.j2", "# {{ hostvars['web2'].web_note | default('') }}\n")
        .file("templates/unused.j2", "{{ never_read }}\n")
        .file("hosts", "[web]\nweb1\nweb2 web_note=\"{{ note_text }}\"\n\n[db]\ndb1 ansible_password=seen-by-nobody\n")
        .file(
            "group_vars/all.yml",
            "site_name: \"{{ site_short }} of the Matrix\"\nsite_short: Web\nweb_domain: example.net\n\
             reload_command: reload\nnever_read: 1\nnote_text: a note\ndb_address: \"{{ db_name }}.example.net\"\ndb_name: db\n",
        );
    project
}

/// The listing of a host's bundles, without their whole sizes, which change with every field of the protocol.
fn listing(project: &Project, host: &str) -> String {
    let arguments = ["lint", "site.rhai", "--bundle", host, "-i", "hosts"];
    let shown = answering(project.command(&arguments), "oken", &["hunter2 & co", "open sesame"]);
    without_sizes(&shown)
}

fn without_sizes(text: &str) -> String {
    let sizes = regex::Regex::new(r"\d+ bytes\b").expect("a pattern");
    sizes.replace_all(text, "[size] bytes").into_owned()
}

#[test]
fn a_bundle_holds_what_its_play_uses_and_nothing_else() {
    let project = project();
    insta::assert_snapshot!(listing(&project, "web1"));
    insta::assert_snapshot!(listing(&project, "db1"));
}

#[test]
fn computed_names_are_warned_of_where_nothing_declares_them() {
    let body = "|| {\n    let name = \"x\";\n    print(vars[name]);\n    file::copy(name, \"/a\");\n    file::template(\"a.j2\", \"/b\");\n}";
    let project = Project::of(&format!("play(\"Test\", #{{ hosts: \"localhost\" }}, {body});\n"));
    project.file("templates/a.j2", "a\n{{ vars['db_' ~ b] }}\n{% include c %}\n");
    let outcome = project.refrain(&["lint", "site.rhai"]).expect(0);
    insta::assert_snapshot!(outcome.whole());
    project.file(
        "site.rhai",
        format!("play(\"Test\", #{{ hosts: \"localhost\", uses: [\"db_*\"], files: [\"*\"] }}, {body});\n"),
    );
    let outcome = project.refrain(&["lint", "site.rhai"]).expect(0);
    assert!(
        outcome.stdout.ends_with("1 playbook checked, nothing to complain about\n"),
        "{}",
        outcome.whole()
    );
    assert_eq!(outcome.stderr, "");
}

#[test]
fn what_can_not_be_shown_is_said() {
    let project = Project::of("play(\"Test\", #{ hosts: \"web\", files: [\"none/*\"] }, || {});\n");
    project.file("hosts", "[web]\nweb1\n");
    let outcome = project.refrain(&["lint", "site.rhai", "--bundle", "web1", "-i", "hosts"]).expect(4);
    insta::assert_snapshot!(outcome.whole());
    project.file("site.rhai", "play(\"Test\", #{ hosts: \"web\" }, || {});\n");
    let outcome = project.refrain(&["lint", "site.rhai", "--bundle", "wbe1", "-i", "hosts"]).expect(4);
    insta::assert_snapshot!(outcome.whole());
}

/// The Matrix: its own inventory, with a play that reads of it what a role for Nomad does.
#[test]
fn the_matrix_tells_a_host_what_it_needs() {
    let matrix = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::of(
        "play(\"Nomad\", #{ hosts: \"nomad_client\" }, || {\n    file::template(\"client.hcl.j2\", \"/etc/nomad.d/client.hcl\");\n\
         \x20   for volume in vars.nomad_volumes { file::directory(volume.path) }\n});\n",
    );
    project.file(
        "templates/client.hcl.j2",
        "region = \"{{ nomad_region }}\"\nretry_join = {{ nomad_retry_join | to_json }}\nclass = \"{{ nomad_node_class }}\"\n\
         core = \"{{ hostvars['matrix-core'].network_fqdn }}\"\n",
    );
    let inventory = matrix.join("inventory");
    let inventory = inventory.to_str().expect("a path that is text");
    let outcome = project.refrain(&["lint", "site.rhai", "--bundle", "node1", "-i", inventory]).expect(0);
    let shown = outcome.stdout.replace(matrix.to_str().expect("a path that is text"), "[matrix]");
    insta::assert_snapshot!(without_sizes(&shown));

    let mut quickstart = project.command(&["lint", "playbooks/quickstart.rhai", "--bundle", "localhost"]);
    let output = quickstart.current_dir(matrix).output().expect("the binary starts");
    insta::assert_snapshot!(without_sizes(&String::from_utf8_lossy(&output.stdout)));
}
