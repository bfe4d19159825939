//! The wish that a run stop, as everybody in it sees it.

use std::sync::atomic::{AtomicU8, Ordering};

/// How soon a run shall stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all: it goes on.
    None,
    /// Steps in hand are finished, and nothing more is begun.
    AfterStep,
    /// Running commands are ended, with all that they started.
    Now,
}

/// The wish, shared by whoever has it and all who look at it. It only ever gets more urgent.
#[derive(Debug, Default)]
pub struct Interrupt(AtomicU8);

impl Interrupt {
    /// Asks to stop after the steps in hand.
    pub fn stop_after_step(&self) {
        self.0.fetch_max(Urgency::AfterStep as u8, Ordering::Relaxed);
    }

    /// Asks to stop now.
    pub fn stop_now(&self) {
        self.0.fetch_max(Urgency::Now as u8, Ordering::Relaxed);
    }

    /// How soon to stop.
    pub fn urgency(&self) -> Urgency {
        match self.0.load(Ordering::Relaxed) {
            0 => Urgency::None,
            1 => Urgency::AfterStep,
            _ => Urgency::Now,
        }
    }

    /// Whether nothing more shall be begun.
    pub fn is_set(&self) -> bool {
        self.urgency() > Urgency::None
    }

    /// Whether not even the step in hand shall be finished.
    pub fn is_now(&self) -> bool {
        self.urgency() == Urgency::Now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_only_gets_more_urgent() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.is_set());
        interrupt.stop_after_step();
        assert!(interrupt.is_set() && !interrupt.is_now());
        interrupt.stop_now();
        interrupt.stop_after_step();
        assert!(interrupt.is_now());
    }
}
