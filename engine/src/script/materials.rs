//! Templates that include other templates of the bundle.

use std::sync::Arc;

use crate::bundle::Sources;
use crate::diagnostic::Diagnostic;
use crate::template::{Loader, Source};

/// Finds included templates as the template module finds its own: beside the role, then beside the playbook.
pub(super) struct Includes {
    sources: Arc<Sources>,
    script: String,
}

impl Includes {
    /// For templates that the script `script` renders.
    pub(super) fn new(sources: Arc<Sources>, script: String) -> Self {
        Self { sources, script }
    }
}

impl Loader for Includes {
    fn load(&self, name: &str) -> Result<Option<Source>, Diagnostic> {
        let found = self.sources.template(&self.script, name);
        Ok(found.map(|(path, text)| Source { path: path.to_owned(), text: text.to_string() }))
    }
}
