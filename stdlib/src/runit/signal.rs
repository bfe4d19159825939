//! `runit::signal`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::order::{Order, Services};

/// Sends a signal to services.
///
/// ```rhai,live
/// runit::signal("sshd", "usr1");
/// ```
///
/// A service that the signal ends is started again by its supervisor. One that does not run is not sent anything. In a root in
/// which nothing runs there is nothing to do.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SendSignal {
    #[serde(flatten)]
    services: Services,
    /// Which signal.
    signal: Signal,
}

/// The signals that a supervisor can send.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Signal {
    /// HUP.
    Hup,
    /// ALRM.
    Alrm,
    /// INT.
    Int,
    /// QUIT.
    Quit,
    /// USR1.
    Usr1,
    /// USR2.
    Usr2,
    /// TERM.
    Term,
    /// KILL.
    Kill,
    /// STOP.
    Stop,
    /// CONT.
    Cont,
}

impl Order for SendSignal {
    const NAME: &'static str = "runit::signal";
    const POSITIONAL: &'static [&'static str] = &["name", "signal"];
    const WAITS: bool = false;

    fn services(&self) -> &Services {
        &self.services
    }

    fn order(&self) -> &'static str {
        match self.signal {
            Signal::Hup => "hup",
            Signal::Alrm => "alarm",
            Signal::Int => "interrupt",
            Signal::Quit => "quit",
            Signal::Usr1 => "1",
            Signal::Usr2 => "2",
            Signal::Term => "term",
            Signal::Kill => "kill",
            Signal::Stop => "pause",
            Signal::Cont => "cont",
        }
    }
}
