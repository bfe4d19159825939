//! Tests of whole inventories.

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::variables::{Layer, Variables};

/// A directory with files in it, by path and text.
pub(super) fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("writable");
        fs::write(path, text).expect("writable");
    }
    directory
}

/// The inventory at a path of a directory.
pub(super) fn load(tree: &TempDir, sources: &[&str]) -> Result<Inventory, Vec<Diagnostic>> {
    let sources: Vec<String> = sources
        .iter()
        .map(|source| if source.contains(',') { (*source).to_owned() } else { path(tree, source) })
        .collect();
    Inventory::load(&sources, tree.path())
}

fn path(tree: &TempDir, path: &str) -> String {
    tree.path().join(path).to_string_lossy().into_owned()
}

/// The inventory that is one file.
pub(super) fn single(name: &str, text: &str) -> Inventory {
    load(&tree(&[(name, text)]), &[name]).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

/// The variables of a host that are not about the inventory itself.
fn variables(inventory: &Inventory, host: &str) -> Value {
    let variables = inventory.variables(host);
    let own = variables.iter().filter(|(name, _)| !name.starts_with("inventory_"));
    own.map(|(name, variable)| (name.to_owned(), variable.value.clone())).collect()
}

fn value(inventory: &Inventory, host: &str, name: &str) -> Value {
    inventory.variables(host).get(name).map_or(Value::Null, |variable| variable.value.clone())
}

const INI: &str = "\
# a comment
lonely ansible_port=2222 x=5
lonely2:2200 a='b c' d=\"[1, 2]\" e=\"{'a':1}\" f=True g=yes # the rest

[web]
web[01:03].example.com http_port=80
[2001:db8::1]:2022

[db:vars]
x = 10
y = \"quoted\"
z=\t
[db]
db1
db2 x=20
web01.example.com
[app:children]
db
cache # later
[cache]
c1
[all:vars]
glob=1
x=0
[prod:children]
app
web
[prod:vars]
ansible_group_priority=10
where=prod
[other:children]
app
[other:vars]
where=other
";

#[test]
fn an_ini_inventory_is_read_as_ansible_reads_it() {
    let inventory = single("hosts.ini", INI);
    let web = "web01.example.com web02.example.com web03.example.com 2001:db8::1";
    assert_eq!(names(inventory.hosts()), format!("lonely lonely2 {web} db1 db2 c1"));
    assert_eq!(names(inventory.hosts_of("all")), format!("lonely lonely2 {web} db1 db2 c1"));
    assert_eq!(names(inventory.hosts_of("ungrouped")), "lonely lonely2");
    assert_eq!(names(inventory.hosts_of("app")), "db1 db2 web01.example.com c1");
    assert_eq!(names(inventory.groups_of("web01.example.com")), "app db other prod web");
    assert_eq!(names(inventory.groups_of("lonely")), "ungrouped");
    assert_eq!(
        variables(&inventory, "lonely2"),
        json!({ "glob": 1, "x": 0, "ansible_port": 2200, "a": "b c", "d": [1, 2], "e": { "a": 1 }, "f": true,
            "g": "yes" })
    );
    assert_eq!(
        variables(&inventory, "db2"),
        json!({ "glob": 1, "x": 20, "y": "quoted", "z": "", "where": "prod" })
    );
    assert_eq!(value(&inventory, "2001:db8::1", "ansible_port"), json!(2022));
}

const YAML: &str = "\
all:
  vars: {a: 1, who: all}
  hosts:
    h[1:3]: {a: 2}
    h9:22:
  children:
    web:
      hosts: {h1: , h2: {b: '{{ a }}'}}
      vars: {who: web, ansible_group_priority: 5}
    db:
      hosts: h3
      children:
        sub: {hosts: {h4: {u: !unsafe '{{ x }}'}}}
        empty:
lone: {hosts: {hx: }}
";

#[test]
fn a_yaml_inventory_is_read_as_ansible_reads_it() {
    // The name tells nothing here, the text does.
    let inventory = single("hosts", YAML);
    assert_eq!(names(inventory.hosts()), "h1 h2 h3 h9 h4 hx");
    assert_eq!(names(inventory.hosts_of("db")), "h3 h4");
    assert_eq!(names(inventory.groups()), "all ungrouped web db sub empty lone");
    assert_eq!(names(inventory.groups_of("h4")), "db sub");
    assert_eq!(variables(&inventory, "h2"), json!({ "a": 2, "who": "web", "b": "{{ a }}" }));
    assert_eq!(value(&inventory, "h9", "ansible_port"), json!(22));
    let variables = inventory.variables("h4");
    assert_eq!(variables.get("u").map(|variable| variable.literals.clone()), Some(vec!["u".to_owned()]));
}

#[test]
fn every_value_knows_its_line() {
    let tree = tree(&[
        ("hosts", "[web]\nweb1 a=1 b=2\n[web:vars]\nc = 3\n"),
        ("group_vars/web.yml", "# first\nd:\n  - x\n  - y: '{{ 4 }}'\n    z: !unsafe '{{ 5 }}'\ne: 6\n"),
    ]);
    let inventory = load(&tree, &["hosts"]).expect("valid");
    let variables = inventory.variables("web1");
    let at = |name: &str| format!("{:?}", variables.get(name).expect("it is there").origin);
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(at),
        ["hosts:2:6", "hosts:2:10", "hosts:4:5", "group_vars/web.yml:2:1", "group_vars/web.yml:6:4"]
    );
    let values = values(variables.iter());
    assert_eq!(values.places.keys().collect::<Vec<_>>(), ["d[1].y"]);
    assert_eq!(
        (values.places["d[1].y"].line, values.places["d[1].y"].text.as_str()),
        (4, "  - y: '{{ 4 }}'")
    );
    assert_eq!(values.literals.iter().collect::<Vec<_>>(), ["d[1].z"]);
}

#[test]
fn variable_files_win_in_ansibles_order() {
    let layers = [
        (
            "hosts",
            "[child]\nh1 host=line\n[parent:children]\nchild\n[parent:vars]\nparent=line\nall=p\n[all:vars]\nall=line\n",
        ),
        ("group_vars/all", "all: all-file\nparent: all-file\nchild: all-file\nhost: all-file\n"),
        ("group_vars/all.yml", "all: ignored\n"),
        ("group_vars/parent.yaml", "parent: parent-file\nchild: parent-file\nhost: parent-file\n"),
        ("group_vars/child/b.yml", "child: b\n"),
        ("group_vars/child/a.json", "{\"child\": \"a\", \"dir\": true}"),
        ("group_vars/child/.hidden.yml", "["),
        ("group_vars/child/c.txt", "["),
        ("group_vars/child/deeper/d", "deep: true\n"),
        ("group_vars/nobody.yml", "["),
        ("host_vars/h1.json", "{\"host\": \"file\"}"),
        ("host_vars/localhost.yml", "me: here\n"),
        ("play/group_vars/all.yml", "all: play\nparent: play\nchild: play\n"),
        ("play/host_vars/h1.yml", "host: play\n"),
    ];
    let tree = tree(&layers);
    let inventory = load(&tree, &["hosts"]).expect("valid");
    assert_eq!(
        variables(&inventory, "h1"),
        json!({ "all": "all-file", "parent": "parent-file", "child": "b", "host": "file", "dir": true, "deep": true })
    );
    let beside = inventory.beside(&tree.path().join("play")).expect("valid");
    assert_eq!(
        variables(&beside, "h1"),
        // What all hosts have beside the playbook comes before what groups have beside the inventory.
        json!({ "all": "play", "parent": "parent-file", "child": "b", "host": "play", "dir": true, "deep": true })
    );
    assert_eq!(value(&inventory, "localhost", "me"), json!("here"));
    assert_eq!(value(&inventory, "localhost", "all"), json!("all-file"));
    let warnings: Vec<String> = inventory.warnings().map(ToString::to_string).collect();
    assert_eq!(warnings, ["`group_vars/all.yml` is not read: `all` beside it comes before it"]);
    assert_eq!(beside.warnings_beside_playbook().count(), 0);
}

#[test]
fn several_sources_are_merged() {
    let files = [
        ("a/one.ini", "[web]\nweb1 x=1\n"),
        ("a/two.yml", "web: {hosts: {web1: {x: 2}, web2: }}\n"),
        ("a/deeper/three", "[db]\ndb1\n"),
        ("a/README.md", "["),
        ("a/.hidden", "["),
        ("a/old.bak", "["),
        ("a/group_vars/web.yml", "from: a\n"),
        ("b/hosts", "[web]\nweb1 y=1\n"),
        ("b/group_vars/web.yml", "from: b\n"),
    ];
    let tree = tree(&files);
    let inventory = load(&tree, &["a", "x1, x2:22,", "b/hosts"]).expect("valid");
    assert_eq!(names(inventory.hosts()), "db1 web1 web2 x1 x2");
    assert_eq!(variables(&inventory, "web1"), json!({ "from": "b", "x": 2, "y": 1 }));
    assert_eq!(names(inventory.groups_of("x1")), "ungrouped");
    assert_eq!(value(&inventory, "x2", "ansible_port"), json!(22));
    assert_eq!(value(&inventory, "web1", "inventory_file"), json!(path(&tree, "a/one.ini")));
    assert_eq!(value(&inventory, "web1", "inventory_dir"), json!(path(&tree, "a")));
    let again = load(&tree, &["a", "b/hosts", "a"]).expect("valid");
    assert_eq!(value(&again, "web1", "from"), json!("a"));
}

#[test]
fn the_controller_is_there_without_any_inventory() {
    let inventory = Inventory::load(&[], Path::new("")).expect("nothing to fail");
    assert_eq!(inventory.select("localhost"), Ok(vec!["localhost".to_owned()]));
    assert_eq!(inventory.select("all"), Ok(Vec::new()));
    assert_eq!(variables(&inventory, "localhost"), json!({ "ansible_connection": "local" }));
    assert_eq!(variables(&inventory, "other"), json!({}));
    let error = inventory.select("web").expect_err("no such host");
    assert_eq!(error.hint.as_deref(), Some("there is no inventory: name one with `-i`"));
    // A host of the inventory that is the controller is meant by its other names too.
    let inventory = single("hosts", "[web]\n127.0.0.1 x=1\n");
    assert_eq!(inventory.select("localhost"), Ok(vec!["127.0.0.1".to_owned()]));
    assert_eq!(variables(&inventory, "127.0.0.1"), json!({ "x": 1 }));
}

#[test]
fn a_byte_order_mark_and_foreign_comments_do_no_harm() {
    let tree = tree(&[]);
    fs::write(tree.path().join("hosts"), b"\xEF\xBB\xBF[web]\r\n# \xE4\r\nweb1 a=1\r\n").expect("writable");
    let inventory = load(&tree, &["hosts"]).expect("valid");
    assert_eq!(variables(&inventory, "web1"), json!({ "a": 1 }));
}

#[test]
fn bad_inventories_are_refused_at_their_place() {
    let cases = [
        ("hosts", "[web]\nweb1 port\n"),
        ("hosts", "[web]\nweb1 a='b\n"),
        ("hosts", "[web]\nweb1 a=b\\\n"),
        ("hosts", "[web]\nweb[3:1]\n"),
        ("hosts", "[web]\n  web[01:010] a=1\n"),
        ("hosts", "[web]\nweb1:99999\n"),
        ("hosts", "[web]\nweb1:\n"),
        ("hosts", "[web]\n'' a=1\n"),
        ("hosts.ini", "---\nall:\n"),
        ("hosts", "[web:var]\na=1\n"),
        ("hosts", "[web servers]\nweb1\n"),
        ("hosts", "[web\nweb1\n"),
        ("hosts", "[web:vars]\na\n"),
        ("hosts", "[web]\n[wbe:vars]\na=1\n"),
        ("hosts", "[web]\n[all:children]\nwbe\n"),
        ("hosts", "[web:children]\nweb1 a=1\n"),
        ("hosts", "[a:children]\nb\n[b:children]\nc\n[c:children]\nb\n"),
        ("hosts", "[a:children]\na\n"),
        ("hosts", "[a]\n[a:children]\nall\n"),
        ("hosts", "[a:vars]\nansible_group_priority=high\n[a]\n"),
        ("hosts.yml", "- web\n"),
        ("hosts.yml", "web: {hosts: [web1]}\n"),
        ("hosts.yml", "web: {hosts: {1.10: }}\n"),
        ("hosts.yml", "web: {hosts: {web1: x}}\n"),
        ("hosts.yml", "web: {hosts: {'web[1]': }}\n"),
        ("hosts.yml", "5: {hosts: web1}\n"),
        ("hosts.yml", "plugin: nomad\nurl: http://localhost\n"),
        ("hosts.yml", "web:\n  hosts:\n    web1:\n\tx: 1\n"),
        ("hosts.toml", "[web]\n"),
        ("hosts", "#!/bin/sh\necho '{}'\n"),
        ("group_vars/web.yml", "- a\n"),
        ("group_vars/web.yml", "a: {{ b }}\n"),
        ("host_vars/web1.yml", "a: !vault x\n"),
    ];
    let told = cases.map(|(name, text)| {
        let directory = tree(&[("hosts", "[web]\nweb1\n"), (name, text)]);
        let source = if name.contains('/') { "hosts" } else { name };
        let problems = load(&directory, &[source]).expect_err(text);
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("{name}: {text:?}\n{}", problems.join("\n"))
    });
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn sources_that_are_not_there_are_refused() {
    let directory = tree(&[("latin1", "")]);
    fs::write(directory.path().join("latin1"), b"[web]\nweb\xE41\n").expect("writable");
    let problems = load(&directory, &["nothing", "latin1"]).expect_err("both are wrong");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let told = told.join("\n\n").replace(&path(&directory, ""), "");
    insta::assert_snapshot!(told);
}

#[test]
fn what_ansible_skips_is_skipped_with_a_warning() {
    let text = "web: {hosts: {web1: }, host: {web2: }, vars: }\nbad: 5\nweb1: \n";
    let inventory = single("hosts.yml", text);
    assert_eq!(names(inventory.hosts()), "web1");
    let told: Vec<String> = inventory.warnings().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn many_hosts_share_what_their_groups_give() {
    let inventory = single("hosts", "[a]\nh[1:1000]\n[a:vars]\nx=1\n[b]\nh[1:500]\n");
    let shared = |host| inventory.variables(host).get("x").map(std::ptr::from_ref);
    assert_eq!(shared("h1"), shared("h500"));
    assert_eq!(inventory.base.graph.sets.len(), 2);
}

/// The project's own inventory, which its playbooks are written for.
fn matrix() -> Inventory {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let inventory = Inventory::load(&[root.join("inventory").to_string_lossy().into_owned()], root);
    inventory.unwrap_or_else(|problems| panic!("{}", problems[0]))
}

/// The value of a variable as a play would see it.
fn resolved(inventory: &Inventory, host: &str, name: &str) -> Result<Option<Value>, Diagnostic> {
    let known = Arc::new(values(inventory.variables(host).iter()));
    let variables = Variables::knowing(vec![Arc::clone(&known)]);
    variables.push(Layer::Inventory, known.values.clone());
    let engine = [
        ("inventory_hostname".to_owned(), host.into()),
        ("groups".to_owned(), inventory.hosts_by_group().into_iter().collect()),
    ];
    variables.push(Layer::Engine, engine.into());
    variables.get(name)
}

#[test]
fn the_projects_own_inventory_is_the_matrix() {
    let inventory = matrix();
    assert_eq!(inventory.warnings().count(), 0);
    let nodes = (1..=13).map(|number| format!("node{number}")).collect::<Vec<_>>().join(" ");
    assert_eq!(names(inventory.hosts_of("nomad")), format!("matrix-core {nodes}"));
    assert_eq!(names(inventory.hosts_of("nomad_client")), nodes);
    assert_eq!(inventory.select("all:!nomad"), Ok(vec!["edge".to_owned()]));
    let is =
        |host: &str, name: &str| resolved(&inventory, host, name).expect("it resolves").unwrap_or_default();
    assert_eq!(is("node7", "ansible_host"), json!("node7.matrix.example.net"));
    assert_eq!(is("edge", "ansible_host"), json!("192.0.2.1"));
    assert_eq!(is("edge", "routeros_url"), json!("https://192.0.2.1"));
    assert_eq!(
        is("node7", "xbps_repository_nonfree"),
        json!("http://mirror.matrix.example.net/voidlinux/current/musl/nonfree")
    );
    assert_eq!(is("node7", "nomad_retry_join"), json!(["matrix-core.matrix.example.net"]));
    assert_eq!(
        ["matrix-core", "node1", "node13"].map(|host| is(host, "nomad_datacenter")),
        [json!("MATRIX-CONTROL"), json!("MATRIX"), json!("MATRIX")]
    );
    let volumes = |host| is(host, "nomad_volumes").as_array().map(Vec::len);
    assert_eq!(["matrix-core", "node1", "node13"].map(volumes), [Some(3), Some(1), Some(2)]);
}

#[test]
fn every_value_of_the_matrix_resolves() {
    let inventory = matrix();
    for host in inventory.hosts() {
        for (name, _) in inventory.variables(host).iter() {
            if let Err(error) = resolved(&inventory, host, name) {
                panic!("`{name}` of {host}: {error}");
            }
        }
    }
}

#[test]
fn a_template_that_fails_points_at_its_line() {
    let files = [
        ("hosts", "web1\n"),
        ("host_vars/web1.yml", "a: 1\nlist:\n  - x\n  - b: \"{{ nothing }}\"\nplain: \"{{ nothing }}\"\n"),
    ];
    let inventory = load(&tree(&files), &["hosts"]).expect("valid");
    let error = |name| resolved(&inventory, "web1", name).expect_err("undefined").to_string();
    insta::assert_snapshot!(format!("{}\n\n{}", error("list"), error("plain")));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_an_ini_inventory_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
        let directory = tree(&[]);
        fs::write(directory.path().join("hosts"), bytes).expect("writable");
        _ = load(&directory, &["hosts"]);
    }

    #[test]
    fn no_lines_make_an_ini_inventory_panic(text in r#"(\[|\]|:|vars|children|all|a|b|[ \n=#;'"\\1-3]|\PC){0,60}"#) {
        let mut graph = Graph::new();
        if ini::read(&SourceText::new("hosts", text), &mut graph).is_ok() {
            _ = graph.finish();
        }
    }

    #[test]
    fn no_map_makes_a_yaml_inventory_panic(text in r"(all|hosts|vars|children|[a-b0-3:{}\[\]\n ,]|  ){0,60}") {
        let mut graph = Graph::new();
        if let Ok(document) = crate::yaml::Document::parse(&SourceText::new("hosts.yml", text)) {
            _ = yaml_inventory::read(&document, &mut graph, &mut Vec::new()).and_then(|()| graph.finish());
        }
    }
}
