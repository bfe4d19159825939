//! What has to be so whatever packages there are.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::host::Host;

const NAMES: [&str; 7] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];

/// A package as it is drawn: how its versions grow, and what it needs.
#[derive(Clone, Debug)]
struct Drawn {
    /// The version before and after the repository changed.
    versions: [usize; 2],
    /// Packages further down that it needs, and from which version on.
    needs: Vec<(usize, usize)>,
    /// Whether it needs the shared library of the first package.
    needs_library: bool,
    /// Whether it provides a virtual package, and whether it needs that.
    provides: bool,
    needs_virtual: bool,
    /// A package that goes when it comes.
    replaces: Option<usize>,
    conflicts: Option<usize>,
}

prop_compose! {
    fn drawn(at: usize)(
        versions in [1..4usize, 1..4usize],
        needs in prop::collection::vec((at..NAMES.len(), 1..3usize), 0..3),
        needs_library in prop::bool::weighted(0.2),
        provides in prop::bool::weighted(0.2),
        needs_virtual in prop::bool::weighted(0.1),
        replaces in prop::option::weighted(0.05, 0..NAMES.len()),
        conflicts in prop::option::weighted(0.05, 0..NAMES.len()),
    ) -> Drawn {
        // Nothing needs itself.
        let needs = needs.into_iter().filter(|(needed, _)| *needed > at).collect();
        Drawn { versions, needs, needs_library, provides, needs_virtual, replaces, conflicts }
    }
}

fn all_drawn() -> impl Strategy<Value = Vec<Drawn>> {
    (0..NAMES.len()).map(drawn).collect::<Vec<_>>()
}

/// The packages as the repository has them before or after it changed.
fn repository(all: &[Drawn], time: usize) -> String {
    let packages = all.iter().enumerate().map(|(at, drawn)| package(at, drawn, time));
    Value::Array(packages.collect()).to_string()
}

fn package(at: usize, drawn: &Drawn, time: usize) -> Value {
    let (name, version) = (NAMES[at], drawn.versions[time]);
    let mut needs: Vec<String> =
        drawn.needs.iter().map(|(needed, least)| format!("{}>={least}", NAMES[*needed])).collect();
    if drawn.needs_virtual {
        needs.push("service>=0".to_owned());
    }
    let others = |other: Option<usize>| -> Vec<String> {
        other.filter(|other| *other != at).map(|other| format!("{}>=0", NAMES[other])).into_iter().collect()
    };
    let mut files = json!({});
    files[format!("/usr/bin/{name}")] = json!({ "size": 10 * version });
    files[format!("/etc/{name}.conf")] = json!({ "configuration": format!("version {version}") });
    files[format!("/usr/share/{name}/{version}")] = json!("");
    let mut package = json!({
        "pkgver": format!("{name}-{version}_1"),
        "short_desc": name,
        "run_depends": needs,
        "replaces": others(drawn.replaces),
        "conflicts": others(drawn.conflicts),
        "files": files,
    });
    if drawn.provides {
        package["provides"] = json!(["service-0_1"]);
    }
    if at == 0 {
        package["shlib-provides"] = json!([format!("lib{}.so", version)]);
    } else if drawn.needs_library {
        package["shlib-requires"] = json!(["lib1.so"]);
    }
    package
}

/// The same without packages that replace others: of those, nobody asks who needs them.
fn none_replaced() -> impl Strategy<Value = Vec<Drawn>> {
    let keep = |drawn: Drawn| Drawn { replaces: None, ..drawn };
    all_drawn().prop_map(move |all| all.into_iter().map(keep).collect())
}

/// Nor with virtual packages: whoever needs one is taken to need the last that provides it, which then can't be removed.
fn none_virtual() -> impl Strategy<Value = Vec<Drawn>> {
    let keep = |drawn: Drawn| Drawn { provides: false, ..drawn };
    none_replaced().prop_map(move |all| all.into_iter().map(keep).collect())
}

fn host(all: &[Drawn]) -> Host {
    let host = Host::new(&["/srv/repo"]);
    // Directories that are empty go along with the last package that has them.
    host.write("/usr/bin/sh", "");
    host.write("/usr/share/readme", "");
    host.write("/srv/repo/packages.json", &repository(all, 0));
    host
}

/// The versions of what is installed, by name.
fn installed(host: &Host) -> BTreeMap<String, String> {
    let list = host.good("xbps-query -l");
    let pkgvers = list.lines().filter_map(|line| line.split_whitespace().nth(1));
    let split = pkgvers.filter_map(|pkgver| pkgver.rsplit_once('-'));
    split.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

/// What would be installed if a plan was carried out.
fn after(plan: &str, mut installed: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for line in plan.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, version) = words[0].rsplit_once('-').unwrap();
        match words[1] {
            "install" | "update" | "reinstall" => {
                installed.insert(name.to_owned(), version.to_owned());
            }
            "remove" => {
                installed.remove(name);
            }
            _ => {}
        }
    }
    installed
}

/// All files and links of a host, but those of the database.
fn tree(host: &Host) -> Vec<String> {
    let mut found = Vec::new();
    host.walk("/", &mut |path| {
        if !path.starts_with("/var/") && !path.starts_with("/srv/") {
            found.push(path.to_owned());
        }
    });
    found
}

/// Whether every dependency of what is installed is installed.
fn is_sound(host: &Host) -> Result<(), TestCaseError> {
    let checked = host.call("xbps-pkgdb -a");
    prop_assert_eq!(&checked.stderr, "");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_dry_run_foretells_the_run(all in all_drawn(), first in 0..NAMES.len(), second in 0..NAMES.len()) {
        let host = host(&all);
        let calls = [
            format!("xbps-install {} {}", NAMES[first], NAMES[second]),
            "xbps-install -u".to_owned(),
            format!("xbps-install -f {}", NAMES[second]),
            format!("xbps-remove -R {}", NAMES[first]),
            "xbps-remove -o".to_owned(),
        ];
        for (at, call) in calls.iter().enumerate() {
            if at == 1 {
                host.write("/srv/repo/packages.json", &repository(&all, 1));
            }
            let before = installed(&host);
            let plan = host.call(&format!("{call} -n"));
            prop_assert_eq!(&installed(&host), &before);
            let run = host.call(&format!("{call} -y"));
            prop_assert_eq!((plan.status, &plan.stderr), (run.status, &run.stderr), "{}", call);
            let expected = if plan.status == 0 { after(&plan.stdout, before.clone()) } else { before };
            prop_assert_eq!(installed(&host), expected, "{}: {}", call, plan.stdout);
        }
    }

    #[test]
    fn what_was_installed_can_be_removed_without_a_trace(all in none_virtual(), first in 0..NAMES.len(), second in 0..NAMES.len()) {
        let host = host(&all);
        host.call(&format!("xbps-install -y {}", NAMES[first]));
        let before = (installed(&host), tree(&host), host.call("xbps-query -m").stdout);
        let plan = host.call(&format!("xbps-install -n {}", NAMES[second]));
        let comes = plan.stdout.lines().all(|line| line.contains(" install "));
        // What is there already, is replaced or updated would not come back.
        prop_assume!(plan.status == 0 && comes && !plan.stdout.is_empty());
        host.good(&format!("xbps-install -y {}", NAMES[second]));
        let names: Vec<&str> = plan.stdout.lines().filter_map(|line| line.split_once("-").map(|(name, _)| name)).collect();
        host.good(&format!("xbps-remove -y {}", names.join(" ")));
        prop_assert_eq!((installed(&host), tree(&host), host.call("xbps-query -m").stdout), before);
    }

    #[test]
    fn what_is_held_does_not_move(all in all_drawn(), wanted in 0..NAMES.len(), held in prop::collection::vec(any::<bool>(), NAMES.len())) {
        let host = host(&all);
        host.call(&format!("xbps-install -y {}", NAMES[wanted]));
        let before = installed(&host);
        let held: Vec<&String> = before.keys().zip(held).filter(|(_, held)| *held).map(|(name, _)| name).collect();
        for name in &held {
            host.good(&format!("xbps-pkgdb -m hold {name}"));
        }
        host.write("/srv/repo/packages.json", &repository(&all, 1));
        host.call("xbps-install -uy");
        for name in NAMES {
            host.call(&format!("xbps-install -y {name}"));
        }
        let now = installed(&host);
        for name in held {
            prop_assert_eq!(now.get(name), before.get(name), "{}", name);
        }
    }

    #[test]
    fn an_update_leaves_nothing_to_update(all in none_replaced(), wanted in prop::collection::vec(0..NAMES.len(), 1..4)) {
        let host = host(&all);
        for at in wanted {
            host.call(&format!("xbps-install -y {}", NAMES[at]));
            is_sound(&host)?;
        }
        host.write("/srv/repo/packages.json", &repository(&all, 1));
        if host.call("xbps-install -uy").status == 0 {
            prop_assert_eq!(host.good("xbps-install -un"), "");
            prop_assert_eq!(host.good("xbps-install -uy"), "");
        }
        is_sound(&host)?;
    }

    #[test]
    fn what_was_unpacked_is_configured_by_whoever_needs_it(all in none_replaced(), first in 0..NAMES.len(), second in 0..NAMES.len()) {
        let host = host(&all);
        host.call(&format!("xbps-install -Uy {}", NAMES[first]));
        host.call(&format!("xbps-install -y {}", NAMES[second]));
        // Without a database, there is nothing to configure.
        host.call("xbps-reconfigure -a");
        let list = host.good("xbps-query -l");
        prop_assert!(list.lines().all(|line| line.starts_with("ii ")), "{}", list);
        is_sound(&host)?;
    }
}
