//! The filters, one file per topic; each file ends in the table of what it has.

pub(super) mod addresses;
mod bcrypt;
pub(super) mod chance;
pub(super) mod crypt;
pub(super) mod data;
pub(super) mod digest;
pub(super) mod general;
pub(super) mod hardware;
pub(super) mod html;
pub(super) mod json;
pub(super) mod numbers;
pub(super) mod order;
pub(super) mod paths;
pub(super) mod pattern;
pub(super) mod selection;
pub(super) mod sets;
pub(super) mod subnets;
pub(super) mod text;
pub(super) mod time;
pub(super) mod urls;
pub(super) mod yaml;

use super::arguments::Callable;

/// The filters, by the collection whose names they have, too.
const TABLES: &[(&str, &[Callable])] = &[
    (UTILS, addresses::TABLE),
    (UTILS, hardware::TABLE),
    (UTILS, subnets::TABLE),
    (BUILTIN_COLLECTION, chance::TABLE),
    (GENERAL, chance::GENERAL),
    (BUILTIN_COLLECTION, crypt::TABLE),
    (BUILTIN_COLLECTION, data::TABLE),
    (BUILTIN_COLLECTION, digest::TABLE),
    (GENERAL, general::TABLE),
    (BUILTIN_COLLECTION, html::TABLE),
    (BUILTIN_COLLECTION, json::TABLE),
    (BUILTIN_COLLECTION, numbers::TABLE),
    (BUILTIN_COLLECTION, order::TABLE),
    (BUILTIN_COLLECTION, paths::TABLE),
    (BUILTIN_COLLECTION, pattern::TABLE),
    (BUILTIN_COLLECTION, selection::TABLE),
    (BUILTIN_COLLECTION, sets::TABLE),
    (BUILTIN_COLLECTION, text::TABLE),
    (BUILTIN_COLLECTION, time::TABLE),
    (BUILTIN_COLLECTION, urls::TABLE),
    (BUILTIN_COLLECTION, yaml::TABLE),
];

/// The filters that the engine has and Ansible's Jinja2 too.
const BUILTIN: &[&str] = &[
    "attr", "count", "first", "last", "length", "lower", "replace", "reverse", "round", "safe", "sum",
    "upper",
];

/// What ansible-core has.
const BUILTIN_COLLECTION: &str = "ansible.builtin";
const GENERAL: &str = "community.general";
const UTILS: &str = "ansible.utils";

/// Each filter with the collection that it is from.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Callable)> {
    TABLES.iter().flat_map(|(collection, table)| table.iter().map(|filter| (*collection, *filter)))
}

pub(super) fn names() -> Vec<&'static str> {
    all().map(|(_, filter)| filter.name).chain(BUILTIN.iter().copied()).collect()
}

/// Whether there is such a filter, by its short name or with its collection.
pub(super) fn exists(name: &str) -> bool {
    let (collection, name) = name.rsplit_once('.').map_or((None, name), |(c, name)| (Some(c), name));
    let found = all().any(|(from, filter)| filter.name == name && collection.is_none_or(|c| c == from));
    found || (collection.is_none() && BUILTIN.contains(&name))
}
