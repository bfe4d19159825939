//! `docs/templates.md` says what there is.

use std::collections::BTreeSet;

use refrain_engine::template::vocabulary;

use crate::cases;

const PAGE: &str = include_str!("../../docs/templates.md");

/// The words in backticks of a section.
fn words(title: &str) -> BTreeSet<&'static str> {
    let (_, behind) = PAGE.split_once(&format!("\n## {title}\n")).expect(title);
    let section = behind.split("\n## ").next().unwrap_or(behind);
    section.split('`').skip(1).step_by(2).collect()
}

/// What is not a word of the engine.
fn missing(title: &str, names: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
    let (said, names) = (words(title), names.iter().copied().collect::<BTreeSet<_>>());
    (names.difference(&said).copied().collect(), said.difference(&names).copied().collect())
}

#[test]
fn the_lists_are_complete() {
    let all = vocabulary();
    let nothing = (Vec::new(), Vec::new());
    assert_eq!(missing("Filters", &all.filters), nothing);
    assert_eq!(missing("Tests", &all.tests), nothing);
    assert_eq!(missing("Lookups", &all.lookups), nothing);
    assert_eq!(missing("Not supported", &all.unsupported), nothing);
}

#[test]
fn every_difference_is_told() {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = line(PAGE);
    for reason in cases::all().into_iter().filter_map(|case| case.reason) {
        assert!(page.contains(&line(&reason)), "docs/templates.md says nothing of: {reason}");
    }
}
