//! Tests of patterns.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::tests::{load, single, tree};
use super::super::{Inventory, graph::Graph};

const HOSTS: &str = "\
lonely
[web]
web[01:03].example.com
alpha
[db]
db[1:3]
alpha
[prod:children]
web
[v1.2]
[v1.2:vars]
a=1
[ipv6]
2001:db8::1
";

fn selected(inventory: &Inventory, pattern: &str) -> String {
    inventory.select(pattern).map_or_else(|error| error.message, |hosts| hosts.join(" "))
}

#[test]
fn patterns_are_those_of_ansible() {
    let inventory = single("hosts", HOSTS);
    let web = "web01.example.com web02.example.com web03.example.com alpha";
    // Level by level: `web` is below `prod`.
    let all = "lonely db1 db2 db3 alpha 2001:db8::1 web01.example.com web02.example.com web03.example.com";
    let cases = [
        ("all", all.to_owned()),
        ("*", all.to_owned()),
        ("web", web.to_owned()),
        ("web:db", format!("{web} db1 db2 db3")),
        (" web , db ", format!("{web} db1 db2 db3")),
        ("db,web", "db1 db2 db3 alpha web01.example.com web02.example.com web03.example.com".to_owned()),
        ("web:!db", "web01.example.com web02.example.com web03.example.com".to_owned()),
        ("web:&db", "alpha".to_owned()),
        ("!web,web", String::new()),
        ("!web", "lonely db1 db2 db3 2001:db8::1".to_owned()),
        ("&db", "db1 db2 db3 alpha".to_owned()),
        ("web[0]", "web01.example.com".to_owned()),
        ("web[-1]", "alpha".to_owned()),
        ("web[1:2]", "web02.example.com web03.example.com".to_owned()),
        ("web[1-2]", "web02.example.com web03.example.com".to_owned()),
        ("web[2:]", "web03.example.com alpha".to_owned()),
        ("web[2:99]", "web03.example.com alpha".to_owned()),
        ("web[0]:db[0]", "web01.example.com db1".to_owned()),
        ("*.example.com", "web01.example.com web02.example.com web03.example.com".to_owned()),
        ("*[-1]", "2001:db8::1".to_owned()),
        ("db?", "db1 db2 db3".to_owned()),
        ("db[!1]", "db2 db3".to_owned()),
        ("~db[12]", "db1 db2".to_owned()),
        ("~(web|db)\\d,!~.*3", "web01.example.com web02.example.com db1 db2".to_owned()),
        ("~eb", "no host and no group matches `~eb`".to_owned()),
        ("web01.example.com", "web01.example.com".to_owned()),
        ("alpha:alpha", "alpha".to_owned()),
        ("2001:db8::1", "2001:db8::1".to_owned()),
        ("2001:db8::1,db1", "2001:db8::1 db1".to_owned()),
        ("ungrouped", "lonely".to_owned()),
        ("v1.2", String::new()),
        ("localhost", "localhost".to_owned()),
        ("all:!localhost", all.to_owned()),
    ];
    for (pattern, expected) in cases {
        assert_eq!(selected(&inventory, pattern), expected, "{pattern}");
    }
}

#[test]
fn bad_patterns_are_refused() {
    let inventory = single("hosts", HOSTS);
    let cases = [
        "wbe",
        "web:!bd",
        "web,&lonley",
        "nothing*",
        "~nothing",
        "~(",
        "x[z-a]",
        "web[9]",
        "web[-9]",
        "web[3:1]",
        "node[1:3]",
        "db1:22",
        "web:!",
        "",
        ",",
    ];
    let told = cases.map(|pattern| {
        let error = inventory.select(pattern).expect_err(pattern);
        format!("{pattern:?}\n{error}")
    });
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_limit_can_stand_in_a_file_and_is_pointed_at() {
    let directory = tree(&[("hosts", HOSTS), ("retry", "# failed\ndb1\n\nalpha\n"), ("bad", "db1\n  db9\n")]);
    let inventory = load(&directory, &["hosts"]).expect("valid");
    let file = |name: &str| format!("@{}", directory.path().join(name).display());
    let limit = |limit: &str| inventory.limit(limit).map(|hosts| hosts.into_iter().collect::<BTreeSet<_>>());
    let expected = ["alpha", "db1", "lonely"].map(str::to_owned);
    assert_eq!(limit(&format!("lonely,{}", file("retry"))), Ok(BTreeSet::from(expected)));
    let told = ["db1,wbe:x", "db:wbe", &file("bad"), &file("missing"), "~("].map(|pattern| {
        let error = limit(pattern).expect_err(pattern).to_string();
        error.replace(&format!("{}/", directory.path().display()), "")
    });
    insta::assert_snapshot!(told.join("\n\n"));
}

/// Groups `g0` … `g5` over hosts `h0` … `h11`, every group the set of its hosts.
fn model() -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
    prop::collection::vec(prop::collection::btree_set(0usize..12, 0..8), 6)
}

fn inventory_of(groups: &[BTreeSet<usize>]) -> Graph {
    let mut graph = Graph::new();
    let all = graph.group("all");
    for host in 0..12 {
        let (host, _) = graph.host(&format!("h{host}"));
        graph.add_member(all, host);
    }
    for (number, hosts) in groups.iter().enumerate() {
        let group = graph.group(&format!("g{number}"));
        hosts.iter().for_each(|host| graph.add_member(group, *host));
    }
    graph.finish().expect("no cycle");
    graph
}

fn evaluate(graph: &Graph, pattern: &str) -> BTreeSet<usize> {
    let terms = super::parse(pattern, None).expect("a valid pattern");
    let hosts = super::evaluate(graph, &terms).expect("all names are known");
    let set: BTreeSet<usize> = hosts.iter().map(|host| host[1..].parse().expect("a number")).collect();
    assert_eq!(set.len(), hosts.len(), "no host comes twice");
    set
}

proptest! {
    #[test]
    fn patterns_are_algebra_of_sets(
        groups in model(),
        terms in prop::collection::vec((prop::sample::select(vec!["", "&", "!"]), 0usize..6), 1..6),
        comma in any::<bool>(),
    ) {
        let graph = inventory_of(&groups);
        let parts: Vec<String> = terms.iter().map(|(sign, group)| format!("{sign}g{group}")).collect();
        let pattern = parts.join(if comma { "," } else { ":" });
        let of = |wanted: &str| {
            terms.iter().filter(move |(sign, _)| *sign == wanted).map(|(_, group)| &groups[*group]).collect::<Vec<_>>()
        };
        let mut expected: BTreeSet<usize> = of("").into_iter().flatten().copied().collect();
        if of("").is_empty() {
            expected = (0..12).collect();
        }
        expected.retain(|host| of("&").iter().all(|group| group.contains(host)));
        expected.retain(|host| !of("!").iter().any(|group| group.contains(host)));
        prop_assert_eq!(evaluate(&graph, &pattern), expected, "{}", pattern);
    }

    #[test]
    fn subscripts_slice(groups in model(), first in 0usize..8, last in 0usize..8) {
        let graph = inventory_of(&groups);
        let hosts: Vec<usize> = groups[0].iter().copied().collect();
        let terms = super::parse(&format!("g0[{first}:{last}]"), None).expect("valid");
        let expected: Vec<usize> = hosts.into_iter().take(last + 1).skip(first).collect();
        match super::evaluate(&graph, &terms) {
            Ok(found) => {
                let found: Vec<usize> = found.iter().map(|host| host[1..].parse().expect("a number")).collect();
                prop_assert_eq!(found, expected);
            }
            Err(_) => prop_assert!(expected.is_empty()),
        }
    }

    #[test]
    fn no_pattern_makes_it_panic(pattern in r"([\[\]:,!&~*?@(|)a-c0-3 -]|\PC){0,30}") {
        let graph = inventory_of(&[]);
        if let Ok(terms) = super::parse(&pattern, None) {
            _ = super::evaluate(&graph, &terms);
        }
    }
}
