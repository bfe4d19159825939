//! A change that a command makes.

use refrain_engine::failure::Failure;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, System};
use serde_json::Value;

/// Runs a command that has to succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStep {
    /// What it does, as a short imperative.
    pub text: String,
    /// The command.
    pub command: Command,
    /// What check mode then knows, as [`View::predicted`](refrain_engine::system::View::predicted) tells it: the kind of thing,
    /// its name, and how it is.
    pub brings: Vec<(&'static str, String, Value)>,
    /// How to take it back.
    pub undo: Undo,
}

impl Step for CommandStep {
    fn describe(&self) -> String {
        self.text.clone()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        for (kind, name, state) in &self.brings {
            overlay.set_state(kind, name, state.clone());
        }
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        system.run(&self.command)?.require_success(&self.command).map(drop)
    }

    fn undo(&self) -> Undo {
        self.undo.clone()
    }
}
