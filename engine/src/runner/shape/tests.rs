//! What travels, on projects of a few lines.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;

use crate::agent::{ToAgent, frame};
use crate::bundle::{Bundle, HostData, Neighbours, Peer, Settings, Values};
use crate::event::EventKind;
use crate::facts;
use crate::failure::Failure;
use crate::inventory;
use crate::journal::{NoJournal, Source};
use crate::module::Registry;
use crate::runner::{ConnectionOptions, Options, Prepared, prepare};
use crate::script::host::{self, Surroundings};
use crate::system::sandbox::{NoPrograms, Sandbox};

const SECRET: &str = "hunter2 & co";

/// A project, prepared: files by their paths, `site.rhai` and `hosts` among them.
fn prepared(files: &[(&str, &str)], extra: &[&str]) -> (tempfile::TempDir, Prepared) {
    let directory = tempfile::tempdir().expect("a directory");
    for (path, text) in [("refrain.toml", "")].iter().chain(files) {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    let path = |name: &str| directory.path().join(name);
    let options = Options {
        playbooks: vec![path("site.rhai")],
        inventories: vec![path("hosts").to_string_lossy().into_owned()],
        extra: extra.iter().map(|text| (*text).to_owned()).collect(),
        connection: ConnectionOptions {
            connection: Some("local".to_owned()),
            ..ConnectionOptions::default()
        },
        ..Options::default()
    };
    let prepared = prepare(options, &Registry::default(), || Box::new(|_, _| Ok(SECRET.to_owned())));
    let prepared = prepared.unwrap_or_else(|problems| panic!("{}", problems[0]));
    (directory, prepared)
}

/// The bundle of a play (by its number) for a host.
fn bundle(prepared: &Prepared, play: usize, host: &str) -> Bundle {
    let playbook = &prepared.playbooks[0];
    let made = prepared.bundle(playbook, &playbook.plays[play], host, Arc::new(Settings::default()));
    made.unwrap_or_else(|error| panic!("{error}")).0
}

/// The names of the host's own variables in a bundle, of all layers.
fn own(bundle: &Bundle) -> String {
    let layers = [&bundle.host.variables.values, &bundle.play.variables, &bundle.host.extra.values];
    let mut names: Vec<&str> = layers.iter().flat_map(|values| values.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.join(" ")
}

/// The other hosts in a bundle with the names of their variables.
fn others(bundle: &Bundle) -> String {
    let hosts = bundle.neighbours.hosts.iter().map(|(host, peer)| {
        let mut names: Vec<&str> = peer.variables.values.keys().map(String::as_str).collect();
        names.sort_unstable();
        format!("{host}: {}", names.join(" "))
    });
    hosts.collect::<Vec<_>>().join("; ")
}

fn holds(bundle: Bundle, text: &str) -> bool {
    let frame = frame::encode(&ToAgent::Run(Box::new(bundle))).expect("a frame");
    frame.windows(text.len()).any(|part| part == text.as_bytes())
}

const HOSTS: &str = "[web]\nweb1 a=of_web1 b=\"{{ c }}\" c=\"{{ d[0] }}\" d=\"['{{ e }}', 1]\" e=5 f=6 g=\"{{ hostvars['core'].ip }}\" \
                     h=\"{{ vars['a'] }}\" i=\"{{ lookup('vars', 'a') }}\" ansible_host=192.0.2.1 ansible_password=hidden\n\
                     web2 a=of_web2 f=7\n[core]\ncore a=of_core ip=\"{{ net }}.1\" net=10.0.0 ansible_password=hidden k=\"{{ hostvars['web1'].a }}\"\n";

#[test]
fn the_names_in_a_play_decide_what_travels() {
    let cases = [
        ("", "", ""),
        ("print(vars.f)", "f", ""),
        ("print(vars.b)", "b c d e", ""),
        ("print(vars.get(\"f\", 1) + vars[\"e\"])", "e f", ""),
        ("print(vars.h)", "a h", ""),
        ("print(vars.i)", "a i", ""),
        ("print(vars.g)", "g", "core: ip net"),
        ("print(vars.ansible_host)", "ansible_host", ""),
        ("print(hostvars(\"core\").ip)", "", "core: ip net"),
        ("print(hostvars(\"core\").ansible_password)", "", "core: "),
        ("print(hostvars(\"core\").k)", "a", "web1: a; core: k"),
        ("print(hostvars(\"web1\").f)", "f", "web1: f"),
        ("for name in groups[\"web\"] { print(hostvars(name).f) }", "f", "web1: f; web2: f; core: "),
        ("defaults(#{ x: \"{{ f }}\" }); print(vars.x)", "f x", ""),
        ("helper(); fn helper() { print(vars.a) }", "a", ""),
        ("let f = || vars.f; task(\"t\", || f.call())", "f", ""),
        ("handler(\"h\", || print(vars.f))", "f", ""),
        ("print(`{{ a }} ${vars.f}`)", "a f", ""),
        ("let v = vars; print(v)", "a b c d e f g h i", "core: ip net"),
        ("let n = \"f\"; print(vars[n])", "", ""),
        ("print(vars.p + vars.x)", "p x", ""),
        ("print(vars.q)", "f q", ""),
    ];
    for (body, expected_own, expected_others) in cases {
        let (functions, body) = match body.split_once("fn ") {
            Some((body, function)) => (format!("fn {function}"), body),
            None => (String::new(), body),
        };
        let script = format!(
            "play(\"p\", #{{ hosts: \"web1\", vars: #{{ p: 1, q: \"{{{{ f }}}}\", r: \"{{{{ a }}}}\" }} }}, || {{ {body} }}); {functions}"
        );
        let (_directory, prepared) = prepared(&[("site.rhai", &script), ("hosts", HOSTS)], &["x=1", "y=2"]);
        let bundle = bundle(&prepared, 0, "web1");
        let whole = if body.contains("let v = vars") { " p q r x y" } else { "" };
        assert_eq!(own(&bundle), format!("{expected_own}{whole}"), "{body}");
        assert_eq!(others(&bundle), expected_others, "{body}");
        assert!(!holds(bundle, "hidden"), "{body}");
    }
}

#[test]
fn a_higher_layer_hides_what_lies_below() {
    let script =
        "play(\"p\", #{ hosts: \"all\", vars: #{ a: \"{{ c }}\", b: 1 } }, || { print(vars.a + vars.b) });";
    let (_directory, prepared) =
        prepared(&[("site.rhai", script), ("hosts", "web1 a=\"{{ d }}\" b=2 c=3 d=4\n")], &["b=\"{{ d }}\""]);
    let bundle = bundle(&prepared, 0, "web1");
    let keys =
        |values: &indexmap::IndexMap<String, serde_json::Value>| values.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&bundle.play.variables), ["a"]);
    assert_eq!(keys(&bundle.host.extra.values), ["b"]);
    assert_eq!(keys(&bundle.host.variables.values), ["c", "d"]);
}

#[test]
fn declared_names_travel_and_the_others_are_told_of() {
    let play = |options: &str| {
        let script = format!(
            "play(\"p\", #{{ hosts: \"web1\", {options} }}, || {{ let n = \"a\"; print(vars[n]) }});"
        );
        let (_directory, prepared) = prepared(&[("site.rhai", &script), ("hosts", HOSTS)], &["x=1"]);
        bundle(&prepared, 0, "web1")
    };
    let undeclared = play("");
    assert_eq!(own(&undeclared), "");
    let withheld = undeclared.host.withheld.inventory.iter().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(withheld, "a ansible_host ansible_password b c d e f g h i inventory_dir inventory_file");
    assert_eq!(undeclared.host.withheld.extra.iter().collect::<Vec<_>>(), ["x"]);
    assert_eq!(own(&play("uses: [\"[ac]\", \"f\"]")), "a c d e f");
    // A pattern does not mean what says how a host is reached; a name does.
    assert_eq!(own(&play("uses: [\"a*\"]")), "a");
    assert_eq!(own(&play("uses: [\"ansible_host\"]")), "ansible_host");
    assert_eq!(own(&play("uses: [\"*\"]")), "a b c d e f g h i x");
}

#[test]
fn names_of_others_are_told_only_where_one_is_computed() {
    let withheld = |body: &str| {
        let script = format!("play(\"p\", #{{ hosts: \"web1\" }}, || {{ {body} }});");
        let (_directory, prepared) = prepared(&[("site.rhai", &script), ("hosts", HOSTS)], &[]);
        bundle(&prepared, 0, "web1").neighbours.withheld.iter().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(withheld("print(hostvars(\"core\").ip)"), "");
    assert_eq!(
        withheld("let n = \"ip\"; print(hostvars(\"core\")[n])"),
        "a ansible_password inventory_dir inventory_file ip k net"
    );
}

#[test]
fn a_secret_goes_with_the_play_that_uses_it() {
    let script = "let token = prompt(\"Token\", #{ secret: true });\nconst ALSO = token;\n\
        play(\"captures\", #{ hosts: \"all\" }, || { print(token) });\n\
        play(\"does not\", #{ hosts: \"all\" }, || { print(1) });\n\
        play(\"has a variable\", #{ hosts: \"all\", vars: #{ v: token, w: \"{{ v }}\" } }, || { print(vars.w) });\n\
        play(\"does not read it\", #{ hosts: \"all\", vars: #{ v: token } }, || { print(1) });\n\
        play(\"reads a constant\", #{ hosts: \"all\" }, || { f() });\n\
        play(\"for commands\", #{ hosts: \"all\", environment: #{ TOKEN: token } }, || { });\n\
        fn f() { print(global::ALSO) }\n";
    let (_directory, prepared) = prepared(&[("site.rhai", script), ("hosts", "web1\n")], &[]);
    let has = (0..6).map(|play| holds(bundle(&prepared, play, "web1"), SECRET)).collect::<Vec<_>>();
    assert_eq!(has, [true, false, true, false, true, true]);
}

#[test]
fn what_no_play_reaches_stays_here() {
    let files = [
        (
            "site.rhai",
            "import \"lib/a\" as a;\nimport \"lib/b\" as b;\nimport \"lib/d\" as d;\n\
             play(\"p\", #{ hosts: \"all\" }, || { role(\"x\"); a::f() });\n\
             play(\"q\", #{ hosts: \"all\" }, || { b::f(1) });\n\
             play(\"r\", #{ hosts: \"all\" }, || { print(d::LIMIT) });",
        ),
        ("lib/a.rhai", "import \"c\" as c;\nfn f() { print(vars.a) }\nfn unused() { print(vars.unused) }"),
        ("lib/b.rhai", "fn f(x) { let name = \"y\"; role(name) }"),
        ("lib/c.rhai", "fn g() { print(vars.c) } print(1);"),
        ("lib/d.rhai", "const LIMIT = 1; fn f() { print(vars.d) }"),
        ("roles/x/role.rhai", "print(vars.x);"),
        ("roles/y/role.rhai", "print(vars.y);"),
        ("hosts", "web1 a=1 c=1 unused=1 x=1 y=1\n"),
    ];
    let (_directory, prepared) = prepared(&files, &[]);
    let scripts = |bundle: &Bundle| bundle.sources.scripts.keys().cloned().collect::<Vec<_>>().join(" ");
    let first = bundle(&prepared, 0, "web1");
    assert_eq!(scripts(&first), "lib/a.rhai lib/c.rhai roles/x/role.rhai site.rhai");
    assert_eq!(own(&first), "a x");
    // The name of the role is computed: it may be any that is named plainly somewhere.
    let second = bundle(&prepared, 1, "web1");
    assert_eq!(scripts(&second), "lib/b.rhai roles/x/role.rhai site.rhai");
    let third = bundle(&prepared, 2, "web1");
    assert_eq!(scripts(&third), "lib/d.rhai site.rhai");
    assert_eq!(own(&third), "");
}

#[test]
fn what_is_the_same_for_hosts_is_there_once() {
    let script = "play(\"p\", #{ hosts: \"all\", vars: #{ p: 1 } }, || { print(vars.p + vars.x + hostvars(\"h1\").a) });";
    let (_directory, prepared) = prepared(&[("site.rhai", script), ("hosts", "h[1:3] a=1\n")], &["x=1"]);
    let (one, two) = (bundle(&prepared, 0, "h1"), bundle(&prepared, 0, "h2"));
    assert!(Arc::ptr_eq(&one.sources, &two.sources));
    assert!(Arc::ptr_eq(&one.play, &two.play));
    assert!(Arc::ptr_eq(&one.neighbours, &two.neighbours));
    assert!(Arc::ptr_eq(&one.host.extra, &two.host.extra));
}

/// What a play says when it is evaluated with a bundle.
fn said(bundle: Bundle) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let said = Rc::new(RefCell::new(Vec::new()));
    let sandbox = Sandbox::open(directory.path(), Box::new(NoPrograms)).expect("a sandbox");
    let surroundings = Surroundings {
        system: Rc::new(sandbox),
        facts: Rc::new(facts::Facts::new(facts::Tree::new(directory.path().join("root")))),
        emit: Box::new({
            let said = Rc::clone(&said);
            move |event| match event {
                EventKind::Message { text } => said.borrow_mut().push(text),
                EventKind::HostFailed(error) => said.borrow_mut().push(error.to_string()),
                _ => {}
            }
        }),
        fetch: Box::new(|_| Err(Failure::Interrupted)),
        journal: Source::Given(Box::new(NoJournal)),
        interrupt: Arc::default(),
        controller: None,
    };
    host::run(&Registry::default(), bundle, surroundings);
    said.take()
}

/// The bundle with everything that the inventory has.
fn with_everything(prepared: &Prepared, bundle: &Bundle) -> Bundle {
    let inventory = &prepared.playbooks[0].inventory;
    let variables = |host: &str| Arc::new(inventory::values(inventory.variables(host).iter()));
    let peer = |host: &str| {
        let variables = Values { places: BTreeMap::new(), ..(*variables(host)).clone() };
        let groups = inventory.groups_of(host).map(ToOwned::to_owned).collect();
        Peer { groups, variables: Arc::new(variables) }
    };
    let hosts = inventory.hosts().map(|host| (host.to_owned(), peer(host))).collect();
    let neighbours = Neighbours { groups: inventory.hosts_by_group(), hosts, ..Neighbours::default() };
    let host =
        HostData { variables: variables(&bundle.host.name), near: BTreeMap::new(), ..bundle.host.clone() };
    Bundle { host, neighbours: Arc::new(neighbours), ..bundle.clone() }
}

/// The value of a variable in an inventory file: plain, or a template over others.
fn value() -> impl Strategy<Value = String> {
    let name = "[a-e]";
    prop_oneof![
        2 => "[1-9]".prop_map(|number| number),
        2 => name.prop_map(|name| format!("\"{{{{ {name} }}}}\"")),
        1 => name.prop_map(|name| format!("\"{{{{ {name} | default('none') }}}}!\"")),
        1 => name.prop_map(|name| format!("\"{{{{ vars['{name}'] }}}}\"")),
        1 => name.prop_map(|name| format!("\"{{% for x in [{name}] %}}{{{{ x }}}}{{% endfor %}}\"")),
        2 => ("h[12]", name).prop_map(|(host, name)| format!("\"{{{{ hostvars['{host}'].{name} }}}}\"")),
        1 => name.prop_map(|name| format!("\"{{{{ hostvars[inventory_hostname]['{name}'] }}}}\"")),
        1 => name.prop_map(|name| {
            format!("\"{{{{ groups['all'] | map('extract', hostvars, '{name}') | join(' ') }}}}\"")
        }),
        1 => (name, name).prop_map(|(one, two)| format!("\"['{{{{ {one} }}}}', '{{{{ {two} }}}}']\"")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What a play says does not depend on what does not travel.
    #[test]
    fn a_play_says_the_same_as_with_everything(
        values in proptest::collection::vec(proptest::option::of(value()), 10),
        read in proptest::collection::vec("[a-e]", 1..4),
        of_others in proptest::collection::vec(("h[12]", "[a-e]"), 0..2),
    ) {
        let line = |host: &str, values: &[Option<String>]| {
            let names = ["a", "b", "c", "d", "e"].iter().zip(values);
            let set = names.filter_map(|(name, value)| Some(format!(" {name}={}", value.as_ref()?)));
            format!("{host}{}\n", set.collect::<String>())
        };
        let hosts = [line("h1", &values[..5]), line("h2", &values[5..])].concat();
        let own = read.iter().map(|name| format!("vars.get(\"{name}\", ())"));
        let others = of_others.iter().map(|(host, name)| format!("hostvars(\"{host}\").get(\"{name}\", ())"));
        let body: String = own
            .chain(others)
            .map(|what| format!("try {{ print(`${{{what}}}`) }} catch (e) {{ print(e.message) }}"))
            .collect();
        let script = format!("play(\"p\", #{{ hosts: \"all\" }}, || {{ {body} }});");
        let (_directory, prepared) = prepared(&[("site.rhai", &script), ("hosts", &hosts)], &[]);
        for host in ["h1", "h2"] {
            let small = bundle(&prepared, 0, host);
            let large = with_everything(&prepared, &small);
            prop_assert_eq!(said(small), said(large), "{}\n{}", script, hosts);
        }
    }
}
