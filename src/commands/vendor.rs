//! `refrain vendor`: roles from elsewhere, copied into the project.

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::project::Project;
use refrain_engine::project::vendor::{Copy, VendoredRole};

use super::{complain, print};
use crate::arguments::Vendor;
use crate::exit;

/// Brings the copies to what is pinned.
pub fn execute(arguments: &Vendor) -> u8 {
    let project = match Project::here() {
        Ok(project) => project,
        Err(problem) => {
            complain(&[problem]);
            return exit::BAD_INPUT;
        }
    };
    let mut verdict = exit::DONE;
    for role in &project.settings.vendored {
        match bring(role, &project, arguments) {
            Ok((told, is_pinned)) => {
                print(&format!("{told} {}\n", role.name));
                if !is_pinned {
                    verdict = verdict.max(exit::WOULD_CHANGE);
                }
            }
            Err(problem) => {
                complain(&[problem]);
                return exit::BAD_INPUT;
            }
        }
    }
    verdict
}

/// Says what was done to the copy of a role, and whether it is now what is pinned.
fn bring(
    role: &VendoredRole,
    project: &Project,
    arguments: &Vendor,
) -> Result<(&'static str, bool), Diagnostic> {
    let copy = role.copy(project)?;
    match copy {
        Copy::Current => return Ok(("ok     ", true)),
        Copy::Changed if arguments.check => return Ok(("changed", false)),
        Copy::Missing if arguments.check => return Ok(("missing", false)),
        Copy::Other if arguments.check => return Ok(("other  ", false)),
        Copy::Changed if !arguments.force => {
            let problem = role.at.error(format!("the copy of `{}` was changed here", role.name));
            return Err(problem.hint("`--force` replaces it"));
        }
        _ => role.fetch(project)?,
    }
    Ok(("fetched", true))
}
