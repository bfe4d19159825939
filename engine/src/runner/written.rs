//! What is written about hosts, without any run: for commands that show it.

use std::path::Path;
use std::sync::Arc;

use super::prepare::load_inventory;
use crate::analysis::settings::PlaySettings;
use crate::diagnostic::Diagnostic;
use crate::inventory::{Inventory, Resolver, VariableMap, extra_vars, values};
use crate::module::Registry;
use crate::project::Project;
use crate::{analysis, bundle};

/// The inventory and the variables of the command line.
pub struct Written {
    /// With the variable files beside the playbooks.
    pub inventory: Arc<Inventory>,
    /// What `-e` says.
    pub extra: VariableMap,
    /// What the plays of the playbook set, if there is one.
    pub plays: Vec<PlaySettings>,
    /// What is suspicious.
    pub warnings: Vec<Diagnostic>,
}

impl Written {
    /// Reads them. Sources are as for a run; without any, the project's inventory.
    ///
    /// Variable files beside a playbook count as for a run of that playbook; without one, those in the project's directory
    /// of playbooks. What its scripts set counts as far as it is written out there.
    ///
    /// # Errors
    /// All that is wrong with the input.
    pub fn read(
        sources: &[String],
        extra: &[String],
        playbook: Option<&Path>,
        registry: &Registry,
    ) -> Result<Self, Vec<Diagnostic>> {
        let found = playbook.map(Project::find).transpose().map_err(|problem| vec![problem])?;
        let mut plays = Vec::new();
        let (project, beside) = match found {
            Some((project, path)) => {
                let analysis = analysis::analyse(&project, registry, &path);
                if !analysis.problems.is_empty() {
                    return Err(analysis.problems);
                }
                plays = analysis.map.settings();
                (project, Some(bundle::parent(&path).to_owned()))
            }
            None => {
                let project = Project::here().map_err(|problem| vec![problem])?;
                let beside = project.settings.playbook_paths.first().cloned();
                (project, beside)
            }
        };
        let mut inventory = load_inventory(sources, &project)?;
        if let Some(directory) = beside {
            inventory = inventory.beside(&project.on_disk(&directory))?;
        }
        let warnings = project.settings.warnings.iter().chain(inventory.warnings());
        let warnings = warnings.chain(inventory.warnings_beside_playbook()).cloned().collect();
        let extra = extra_vars::read(extra, project.root())?;
        Ok(Self { inventory: Arc::new(inventory), extra, plays, warnings })
    }

    /// Renders the variables.
    pub fn resolver(&self) -> Resolver {
        let extra = values(self.extra.iter().map(|(name, variable)| (&**name, &**variable)));
        Resolver::new(Arc::clone(&self.inventory), Arc::new(extra))
    }
}
