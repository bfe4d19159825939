//! Hosts as modules see them: at hand, or call by call, as where a play is evaluated on the controller.

use std::rc::Rc;
use std::sync::Arc;

use refrain_engine::agent::in_process::{self, Served};
use refrain_engine::facts;
use refrain_engine::journal::Source;
use refrain_engine::system::remote::Remote;
use refrain_engine::system::{RootKind, System};

/// At hand, as `open` opens it.
pub fn at_hand<S: System + 'static>(open: impl FnOnce() -> S, _: RootKind) -> Rc<dyn System> {
    Rc::new(open())
}

/// Through a connection to a thread that has opened it; that has the root directory of this one.
pub fn connected<S: System + 'static>(
    open: impl FnOnce() -> S + Send + 'static,
    root_kind: RootKind,
) -> Rc<dyn System> {
    let agent = move || {
        let facts = Rc::new(facts::Facts::new(facts::Native::new(root_kind)));
        let journal = Source::Kept { directories: Vec::new(), root: "/".into(), lasts: false };
        Ok(Served { system: Rc::new(open()), facts, journal, interrupt: Arc::default() })
    };
    let connection = in_process::serve(agent).unwrap();
    Rc::new(Remote::open(Box::new(connection), root_kind, Arc::default()).unwrap())
}
