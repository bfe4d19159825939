//! Every filter and test, as ansible-core has them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use refrain_engine::template::check;

use crate::cases::{self, Case};
use crate::rendered::{Outcome, ours, theirs};
use crate::support::python;

/// The table of what differs on purpose; in each case it has to.
const DIFFERENCES: &str = "differences.txt";
/// The table of what is not supported.
const UNSUPPORTED: &str = "unsupported.txt";

#[test]
fn one_line_templates_give_what_ansible_gives() {
    let cases: Vec<Case> = cases::all().into_iter().filter(|case| !case.is_in(UNSUPPORTED)).collect();
    let Some(theirs) = theirs(cases.iter().map(|case| case.template.as_str())) else { return };
    let mut wrong = String::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = ours(&case.template);
        let differences: Vec<_> = [("file", &ours.file, &theirs.file), ("value", &ours.value, &theirs.value)]
            .into_iter()
            .filter(|(_, ours, theirs)| !ours.is_like(theirs))
            .collect();
        let (at, template) = (&case.at, &case.template);
        if case.is_in(DIFFERENCES) {
            assert!(case.reason.is_some(), "{at} has no reason");
            if differences.is_empty() {
                _ = writeln!(wrong, "{at}: {template}\n  no longer differs");
            }
            continue;
        }
        for (how, ours, theirs) in differences {
            _ = writeln!(wrong, "{at} as a {how}: {template}\n  ours:   {ours:?}\n  theirs: {theirs:?}");
        }
    }
    assert!(wrong.is_empty(), "of {} templates:\n{wrong}", cases.len());
}

#[test]
fn what_is_not_supported_is_named_so() {
    for case in cases::all().iter().filter(|case| case.is_in(UNSUPPORTED)) {
        for outcome in [ours(&case.template).file, ours(&case.template).value] {
            let Outcome::Error(error) = outcome else { panic!("{}: {outcome:?}", case.template) };
            assert!(error.contains("is not supported\n --> "), "{}\n{error}", case.template);
        }
        let found = check("template.j2", &case.template).expect_err(&case.template).to_string();
        assert!(found.contains("is not supported\n --> "), "lint of {}\n{found}", case.template);
    }
}

#[test]
fn every_filter_and_test_has_a_case() {
    let Some(names) = names() else { return };
    let (unsupported, compared): (Vec<Case>, Vec<Case>) = cases::all()
        .into_iter()
        .filter(|case| !case.is_in(DIFFERENCES))
        .partition(|case| case.is_in(UNSUPPORTED));
    let (mut filters, mut tests) = (BTreeSet::new(), BTreeSet::new());
    for uses in compared.iter().filter_map(|case| check("template.j2", &case.template).ok()) {
        filters.extend(uses.filters.iter().map(|name| short(name)));
        tests.extend(uses.tests.iter().map(|name| short(name)));
    }
    let refused = |mark: &str, name: &str| {
        unsupported.iter().any(|case| {
            let words = case.template.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '|'));
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            words.contains(&name) && case.template.contains(mark)
        })
    };
    let missing = |names: &[String], used: &BTreeSet<String>, mark: &str| -> Vec<String> {
        names
            .iter()
            .map(|name| short(name))
            .filter(|name| !used.contains(name) && !refused(mark, name))
            .collect()
    };
    assert_eq!(missing(&names.filters, &filters, "|"), Vec::<String>::new(), "filters");
    // The operators are tests only where another filter is given one by its name.
    let tested: Vec<String> =
        names.tests.iter().filter(|name| name.chars().any(char::is_alphabetic)).cloned().collect();
    assert_eq!(missing(&tested, &tests, " is "), Vec::<String>::new(), "tests");
}

fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

#[derive(serde::Deserialize)]
struct Names {
    filters: Vec<String>,
    tests: Vec<String>,
}

/// What ansible-core and Jinja2 list, with what of other collections is supported or refused.
fn names() -> Option<Names> {
    const PROGRAM: &str = "
import json, jinja2.filters, jinja2.tests, subprocess, sys, os
doc = os.path.join(os.path.dirname(sys.executable), 'ansible-doc')
def listed(kind):
    names = []
    for collection in ['ansible.builtin', 'ansible.utils', 'community.general']:
        answer = subprocess.run([doc, '-t', kind, '-l', '--json', collection], stdout=-1, stderr=-3, check=True)
        names += json.loads(answer.stdout)
    return names
filters = listed('filter') + list(jinja2.filters.FILTERS)
tests = listed('test') + list(jinja2.tests.TESTS)
print(json.dumps({'filters': filters, 'tests': tests}))
";
    let home = tempfile::tempdir().expect("a directory");
    let output = python::program("python", home.path())?.args(["-c", PROGRAM]).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("names"))
}
