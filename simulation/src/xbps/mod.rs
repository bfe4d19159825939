//! The package manager of Void Linux: its tools, over a real package database.
//!
//! What they print and return is what version 0.60.7 does. What differs is below: packages and indexes are texts instead of
//! archives (see [`definition`] and [`index`]), signatures say what they sign instead of proving it (see [`key`]), and
//! repositories beyond the host are in directories or built in (see [`network`]). Where it
//! runs inside another process, a disk is never full, and the database is not locked.

mod accounts;
mod alternatives;
mod commit;
mod configuration;
mod configure;
mod database;
mod definition;
mod dependency_tree;
mod disk;
mod errno;
mod handle;
mod index;
mod key;
mod network;
mod options;
mod package;
mod plist;
mod progress;
mod repository;
mod script;
mod tools;
mod transaction;
mod version;

pub use definition::Definition;
pub(crate) use disk::sha256;
pub(crate) use tools::{alternatives, create, install, pkgdb, query, reconfigure, remove, rindex, uhelper};
