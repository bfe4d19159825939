//! Templates that include other templates of the bundle.

use std::sync::Arc;

use super::current::{Current, current};
use crate::bundle::Sources;
use crate::diagnostic::Diagnostic;
use crate::module::Materials;
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

    fn file(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        if self.sources.file(&self.script, name).is_none() {
            return Ok(None);
        }
        let Some(Current::Host(host)) = current() else { return Ok(None) };
        let content = host.file(name).map_err(|failure| Diagnostic::new(failure.to_string()))?;
        let text = String::from_utf8(content);
        text.map(Some).map_err(|_| Diagnostic::new(format!("the file `{name}` is not UTF-8 text")))
    }
}
