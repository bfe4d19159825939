//! How often this thread's play has changed a host: what was looked at before the last change is no longer believed.
//!
//! A play may have several ways to one host (as another user, or from another host), so the count is one for all of them.

use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Something was changed, or may have been.
pub fn note() {
    COUNT.with(|count| count.set(count.get() + 1));
}

/// How often something was.
pub fn count() -> u64 {
    COUNT.with(Cell::get)
}
