//! The controller, as the plays that are evaluated on it see it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::project::Project;
use crate::script::controller::Controller;
use crate::system::native::Native;
use crate::system::{RootKind, System};

/// This machine and the project.
pub(super) struct ThisMachine {
    project: Arc<Project>,
    system: Rc<dyn System>,
}

impl ThisMachine {
    /// With the project whose plays they are.
    pub(super) fn new(project: Arc<Project>) -> Self {
        Self { project, system: Rc::new(Native::new(RootKind::Live)) }
    }
}

impl Controller for ThisMachine {
    fn system(&self) -> Rc<dyn System> {
        Rc::clone(&self.system)
    }

    fn project(&self) -> &Path {
        self.project.root()
    }
}
