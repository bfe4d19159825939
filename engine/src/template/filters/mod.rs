//! The filters, one file per topic; each file ends in the table of what it has.

pub(super) mod data;
pub(super) mod digest;
pub(super) mod json;
pub(super) mod numbers;
pub(super) mod paths;
pub(super) mod pattern;
pub(super) mod sets;
pub(super) mod text;

use super::arguments::Callable;

const TABLES: &[&[Callable]] = &[
    data::TABLE,
    digest::TABLE,
    json::TABLE,
    numbers::TABLE,
    paths::TABLE,
    pattern::TABLE,
    sets::TABLE,
    text::TABLE,
];

/// The filters that the engine has and Ansible's Jinja2 too.
const BUILTIN: [&str; 33] = [
    "abs",
    "attr",
    "batch",
    "count",
    "dictsort",
    "e",
    "escape",
    "first",
    "format",
    "groupby",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "sum",
    "tojson",
    "trim",
    "upper",
];

pub(super) fn all() -> impl Iterator<Item = Callable> {
    TABLES.iter().copied().flatten().copied()
}

pub(super) fn names() -> Vec<&'static str> {
    all().map(|filter| filter.name).chain(BUILTIN).collect()
}

pub(super) fn exists(name: &str) -> bool {
    BUILTIN.contains(&name) || all().any(|filter| filter.name == name)
}
