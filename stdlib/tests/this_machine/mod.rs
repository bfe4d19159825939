//! This machine as modules see it: at hand, or call by call, as where a play is evaluated on the controller.

use std::rc::Rc;
use std::sync::Arc;

use refrain_engine::agent::in_process::{self, Served};
use refrain_engine::facts;
use refrain_engine::journal::Source;
use refrain_engine::system::native::Native;
use refrain_engine::system::remote::Remote;
use refrain_engine::system::{RootKind, System};

/// At hand.
pub fn at_hand() -> Rc<dyn System> {
    Rc::new(Native::new(RootKind::Live))
}

/// Through a connection.
pub fn connected() -> Rc<dyn System> {
    let agent = || {
        let (system, source) = (Native::new(RootKind::Live), facts::Native::new(RootKind::Live));
        let journal = Source::Kept { directories: Vec::new(), root: "/".into(), lasts: false };
        let (system, facts) = (Rc::new(system), Rc::new(facts::Facts::new(source)));
        Ok(Served { system, facts, journal, interrupt: Arc::default() })
    };
    let connection = in_process::serve(agent).unwrap();
    Rc::new(Remote::open(Box::new(connection), RootKind::Live, Arc::default()).unwrap())
}
