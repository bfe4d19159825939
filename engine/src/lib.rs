//! The engine of refrain: everything but the modules and the command line.
//!
//! It never prints: whatever happens is an [`event::Event`]. It knows no module by name: the standard library registers
//! itself in a [`module::Registry`].

pub mod accounts;
pub mod agent;
pub mod analysis;
pub mod base64;
pub mod bundle;
mod constant_pattern;
pub mod coordination;
pub mod diagnostic;
pub mod diff;
pub mod ended;
pub mod escalation;
pub mod event;
pub mod facts;
pub mod failure;
mod glob;
pub mod hmac_sha1;
pub mod interrupt;
pub mod inventory;
pub mod journal;
pub mod module;
pub mod origin;
pub mod placement;
pub mod prediction;
pub mod printable;
pub mod project;
pub mod python_regex;
pub mod raw_path;
pub mod reads;
pub mod runner;
pub mod script;
pub mod secrets;
mod shell_words;
pub mod step;
pub mod syscall;
pub mod system;
pub mod template;
pub mod transport;
pub mod variables;
pub mod yaml;
