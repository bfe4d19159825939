//! A journal in memory: what each step needs to be taken back.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::converge::Journal;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::{Command, System, View};

use crate::tree::{Tree, below, put_back};

/// How to take back one step.
pub enum Saved {
    /// What was at these paths.
    Images(Vec<(PathBuf, Tree)>),
    /// A command.
    Command(Command),
    /// It can't be, for this reason.
    Irreversible(String),
}

/// Keeps what was before each step, in order.
#[derive(Clone, Default)]
pub struct Memory(pub Rc<RefCell<Vec<Saved>>>);

impl Journal for Memory {
    fn before(&self, step: &dyn Step, host: &dyn View) -> Result<(), Failure> {
        let image = |path: PathBuf| {
            let tree = below(host, &path);
            (path, tree)
        };
        self.0.borrow_mut().push(match step.undo() {
            Undo::Restore(paths) => Saved::Images(paths.into_iter().map(image).collect()),
            Undo::Run(command) => Saved::Command(command),
            Undo::Irreversible(reason) => Saved::Irreversible(reason),
        });
        Ok(())
    }
}

/// Takes steps back, the last one first.
///
/// # Errors
/// One of them can't be.
pub fn undo(host: &dyn System, saved: Vec<Saved>) -> Result<(), String> {
    for saved in saved.into_iter().rev() {
        match saved {
            Saved::Images(images) => {
                images
                    .iter()
                    .for_each(|(path, tree): &(PathBuf, Tree)| put_back(host, Path::new(path), tree));
            }
            Saved::Command(command) => {
                let done = host.run(&command).and_then(|output| output.require_success(&command));
                done.map_err(|failure| format!("undoing: {failure}"))?;
            }
            Saved::Irreversible(reason) => return Err(format!("can't be undone: {reason}")),
        }
    }
    Ok(())
}
