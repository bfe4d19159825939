//! What has to be done with packages: by xbps in its own namespace, by the other managers in a transaction.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use serde_json::{Map, Value};

use super::planned::told;
use super::transaction::Transaction;

/// What has to be done; `S` is what the namespace `xbps` has for it.
#[derive(Debug)]
pub enum Found<S: State> {
    /// By xbps.
    Xbps(Box<(S, S::Found)>),
    /// By another one. Nothing when absent.
    Other(Option<Box<Transaction>>),
}

impl<S: State> Found<S> {
    /// What xbps finds.
    ///
    /// # Errors
    /// As [`State::look`].
    pub fn by_xbps(state: S, context: &Context<'_>) -> Result<Self, Failure> {
        let found = state.look(context)?;
        Ok(Self::Xbps(Box::new((state, found))))
    }

    /// What another manager would do.
    pub fn by_other(transaction: Option<Transaction>) -> Self {
        Self::Other(transaction.map(Box::new))
    }

    /// The steps, as for [`State::plan`].
    ///
    /// # Errors
    /// As there.
    pub fn plan(&self) -> Result<Plan, Failure> {
        match self {
            Self::Xbps(both) => both.0.plan(&both.1),
            Self::Other(transaction) => Ok(transaction.iter().map(|one| one.clone() as _).collect()),
        }
    }

    /// What the outcome says, as for [`State::fields`].
    pub fn fields(&self) -> Map<String, Value> {
        match self {
            Self::Xbps(both) => both.0.fields(&both.1),
            Self::Other(transaction) => {
                let planned = transaction.as_ref().map_or(&[][..], |transaction| &transaction.planned);
                Map::from_iter([("packages".to_owned(), told(planned))])
            }
        }
    }

    /// What the outcome says after a change, as for [`State::changed`].
    pub fn changed(&self, after: &Self) -> Map<String, Value> {
        match (self, after) {
            (Self::Xbps(both), Self::Xbps(after)) => both.0.changed(&both.1, &after.1),
            (before, _) => before.fields(),
        }
    }
}
