//! The connections to jump hosts that the hosts of a run share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::relay::{NoWay, Relay};
use super::socket::Socket;
use super::{Client, Target, open};
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::interrupt::Interrupt;
use crate::transport::{Stage, Unreachable};

/// So many connections to one jump host are made at most, where hosts behind it don't answer.
const MOST: usize = 8;

/// The connections to all jump hosts.
#[derive(Default)]
pub(super) struct Jumps {
    known: Mutex<Vec<(Target, Arc<Mutex<Junction>>)>>,
}

/// The connections to one jump host.
#[derive(Default)]
struct Junction {
    relays: Vec<Arc<Relay>>,
    /// The last attempt that failed, and when.
    failed: Option<(Instant, Unreachable)>,
}

impl Jumps {
    fn junction(&self, jump: &Target) -> Arc<Mutex<Junction>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, junction)) = known.iter().find(|(target, _)| target == jump) {
            return Arc::clone(junction);
        }
        let junction = Arc::default();
        known.push((jump.clone(), Arc::clone(&junction)));
        junction
    }
}

/// Connects to `target` through `jump`.
///
/// # Errors
/// The jump host can't be reached, or has no way to the target.
pub(super) fn through(
    jump: &Target,
    target: &Target,
    client: &Client,
    interrupt: &Arc<Interrupt>,
) -> Result<Socket, Unreachable> {
    let asked = Instant::now();
    let junction = client.jumps.junction(jump);
    loop {
        let relay =
            junction.lock().unwrap_or_else(PoisonError::into_inner).relay(jump, asked, client, interrupt);
        let relay = relay.map_err(|unreachable| on_the_way(unreachable, jump, target))?;
        let reason = match relay.way_to(&target.host, target.port, target.timeout, interrupt) {
            Ok(socket) => return Ok(socket),
            // Another connection may be free, as long as there is time.
            Err(NoWay::Stalled) if asked.elapsed() < target.timeout => continue,
            Err(NoWay::Refused(reason)) => format!("`{}` says: {reason}", jump.host),
            Err(NoWay::Late | NoWay::Stalled) => format!("no answer in {} s", target.timeout.as_secs_f64()),
            Err(NoWay::Interrupted) => "interrupted".to_owned(),
        };
        let error = format!(
            "no connection to `{}` port {} from the jump host `{}`",
            target.host, target.port, jump.host
        );
        return Err(Unreachable { stage: Stage::Connection, error: Diagnostic::new(error).because(reason) });
    }
}

impl Junction {
    /// A connection to the jump host: one that is there, or a new one.
    fn relay(
        &mut self,
        jump: &Target,
        asked: Instant,
        client: &Client,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Arc<Relay>, Unreachable> {
        self.relays.retain(|relay| relay.is_alive());
        let free = self.relays.iter().find(|relay| !relay.is_stalled());
        // With too many that wait, one waits along.
        let usable = free.or_else(|| self.relays.first().filter(|_| self.relays.len() >= MOST));
        if let Some(relay) = usable {
            return Ok(Arc::clone(relay));
        }
        // Who has waited for an attempt that failed must not wait for another one.
        if let Some((at, unreachable)) = &self.failed
            && *at >= asked
        {
            return Err(unreachable.clone());
        }
        let opened = open(jump, client, interrupt).and_then(|wire| {
            let relay = Relay::start(wire).map_err(|error| {
                let error = Diagnostic::new("no thread for the connection").because(failure::reason(&error));
                Unreachable { stage: Stage::Connection, error }
            })?;
            Ok(Arc::new(relay))
        });
        match opened {
            Ok(relay) => {
                self.relays.push(Arc::clone(&relay));
                Ok(relay)
            }
            Err(unreachable) => {
                self.failed = Some((Instant::now(), unreachable.clone()));
                Err(unreachable)
            }
        }
    }
}

/// Says which hop it was.
fn on_the_way(unreachable: Unreachable, jump: &Target, target: &Target) -> Unreachable {
    let cause =
        format!("`{}` port {} is the jump host on the way to `{}`", jump.host, jump.port, target.host);
    let mut error = unreachable.error.because(cause);
    if unreachable.stage == Stage::Login {
        error.hint = Some("jump hosts are logged in to with the keys that `~/.ssh/config` says".to_owned());
    }
    Unreachable { error, ..unreachable }
}
