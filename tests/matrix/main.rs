//! The Matrix: its playbooks, on sandboxes and on roots, and beside the Ansible roles that they take the place of.

mod ansible;
mod fresh_root;
mod promises;
#[path = "../support/mod.rs"]
mod support;
