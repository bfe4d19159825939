//! The standard library of refrain: the functions that playbooks call.
//!
//! A namespace is a file or a folder that holds its functions' types and a table of them, `ENTRIES`; registering it is one
//! line in [`registry`]. What several namespaces need stands beside them: the arguments [`host_path`], [`one_or_many`],
//! [`seconds`] and [`attributes`], [`glob`] for patterns of paths, and [`whole_file`] for whatever decides about the content of
//! a file.

pub mod attributes;
pub mod command;
pub mod file;
pub mod glob;
pub mod host_path;
pub mod mode;
pub mod one_or_many;
pub mod seconds;
pub mod whole_file;

use refrain_engine::module::Registry;

/// All functions that playbooks can call.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add("file", "Files, directories and links", file::ENTRIES);
    registry.add("command", "Programs and scripts that are run", command::ENTRIES);
    registry
}
