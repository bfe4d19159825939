//! Playbooks: Rhai scripts, what they can say, and how they run on a host.
//!
//! The top level of a playbook runs once, on the controller ([`playbook`]); the body of a play runs on each host ([`host`]).
//! Both compile the same sources with the same [`engine`].

mod acting;
mod actors;
mod call;
pub mod calls;
pub mod catch;
mod conclusion;
pub mod controller;
pub mod current;
pub mod engine;
pub mod fault;
mod functions;
mod handlers;
mod handles;
pub mod host;
mod host_variables;
pub mod lint;
pub mod marks;
mod materials;
mod meetings;
pub mod names;
mod outcome;
pub mod playbook;
mod secret;
pub(crate) mod tags;
pub mod task;
pub mod units;
mod unknown;
pub mod values;
pub mod verdict;
pub mod vocabulary;
pub mod words;
pub mod workplace;
