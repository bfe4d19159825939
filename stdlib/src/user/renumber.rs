//! The step that gives a home to its user's new number.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::ownership::{self, Owner};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, System};

/// Gives what the user owns in the home to the numbers that the user gets. It comes before the account itself changes, so that an
/// interrupted run does it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiveHome {
    /// The home.
    pub directory: PathBuf,
    /// The user's numbers.
    pub from: Owner,
    /// What they become.
    pub to: Owner,
}

impl Step for GiveHome {
    fn describe(&self) -> String {
        let Self { directory, from, to } = self;
        let directory = directory.display();
        if from.uid == to.uid {
            format!("give group {} what uid {} owns of group {} in {directory}", to.gid, from.uid, from.gid)
        } else {
            format!("give uid {} what uid {} owns in {directory}", to.uid, from.uid)
        }
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        for (path, attributes) in ownership::given(overlay, &self.directory, self.from, self.to)? {
            overlay.set_attributes(&path, attributes)?;
        }
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        system.give(&self.directory, self.from, self.to)
    }

    fn undo(&self) -> Undo {
        let Self { from, to, .. } = self;
        let directory = self.directory.to_string_lossy().into_owned();
        // Groups first: as long as the owner tells what was given.
        let script = "find \"$1\" -user \"$2\" -group \"$3\" -exec chgrp -h \"$5\" {} + && \
                      find \"$1\" -user \"$2\" -exec chown -h \"$4\" {} +";
        let numbers = [to.uid, to.gid, from.uid, from.gid].map(|number| number.to_string());
        let words =
            ["sh", "-c", script, "sh"].map(str::to_owned).into_iter().chain([directory]).chain(numbers);
        Undo::Run { commands: vec![Command::new(words)], kept: None }
    }
}
