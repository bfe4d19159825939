//! Keeping the scripts of Debian's packages from starting services in a root in which nothing may be started.
//!
//! They ask `/usr/sbin/policy-rc.d` before they do. Where there is none, one that says no is put in place for the time of a
//! transaction.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::system::{Attributes, RootKind, System, View};

/// What the scripts ask.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Its words for no. The remark tells it from one that somebody else has put there.
const NO: &[u8] = b"#!/bin/sh\n# Here for the time of a change of packages by refrain.\nexit 101\n";

/// Does `work` while no service is started, if nothing may be started in this root.
///
/// # Errors
/// Those of `work`, or the policy can't be put in place or taken away.
pub fn during<T>(system: &dyn System, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let path = Path::new(POLICY);
    if system.root_kind() != RootKind::Offline {
        // An interrupted run in the root before it was booted would keep its services from starting for ever.
        if is_ours(system)? {
            system.remove(path)?;
        }
        return work();
    }
    let is_free = system.lstat(path)?.is_none();
    let has_place = system.stat(Path::new("/usr/sbin"))?.is_some();
    if is_free && has_place {
        system.write(path, NO, Attributes { mode: 0o755, uid: 0, gid: 0 })?;
    }
    let done = work();
    if is_ours(system)? {
        system.remove(path)?;
    }
    done
}

fn is_ours(host: &dyn View) -> Result<bool, Failure> {
    let path = Path::new(POLICY);
    if host.lstat(path)?.is_none() {
        return Ok(false);
    }
    Ok(host.read(path)?.is_some_and(|content| content.known() == Some(NO)))
}
