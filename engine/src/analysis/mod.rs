//! A playbook before it runs: everything it reaches is found, compiled and checked, without any host.
//!
//! One walk serves both: lint reports what is wrong, and a bundle carries what was found. Roles, imports, templates and
//! files are followed by the names that are written out in the scripts. Of all that, a [`reach::Reach`] is what one play
//! needs.

pub mod outline;
mod parts;
pub mod reach;
pub mod settings;
mod walk;

use crate::diagnostic::Diagnostic;
use crate::module::Registry;
use crate::project::Project;

/// What was found.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Everything that the playbook's plays can reach.
    pub map: reach::Map,
    /// What is wrong, in the order in which it was found.
    pub problems: Vec<Diagnostic>,
}

/// Finds and checks all that the playbook at `path` reaches.
pub fn analyse(project: &Project, registry: &Registry, path: &str) -> Analysis {
    walk::walk(project, registry, path)
}
