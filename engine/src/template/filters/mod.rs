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

/// The filters, by the collection whose names they have, too.
const TABLES: &[(&str, &[Callable])] = &[
    (BUILTIN_COLLECTION, data::TABLE),
    (BUILTIN_COLLECTION, digest::TABLE),
    (BUILTIN_COLLECTION, json::TABLE),
    (BUILTIN_COLLECTION, numbers::TABLE),
    (BUILTIN_COLLECTION, paths::TABLE),
    (BUILTIN_COLLECTION, pattern::TABLE),
    (BUILTIN_COLLECTION, sets::TABLE),
    (BUILTIN_COLLECTION, text::TABLE),
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

/// What ansible-core has.
const BUILTIN_COLLECTION: &str = "ansible.builtin";

/// Each filter with the collection that it is from.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Callable)> {
    TABLES.iter().flat_map(|(collection, table)| table.iter().map(|filter| (*collection, *filter)))
}

pub(super) fn names() -> Vec<&'static str> {
    all().map(|(_, filter)| filter.name).chain(BUILTIN).collect()
}

/// Whether there is such a filter, by its short name or with its collection.
pub(super) fn exists(name: &str) -> bool {
    let (collection, name) = name.rsplit_once('.').map_or((None, name), |(c, name)| (Some(c), name));
    let found = all().any(|(from, filter)| filter.name == name && collection.is_none_or(|c| c == from));
    found || (collection.is_none() && BUILTIN.contains(&name))
}
