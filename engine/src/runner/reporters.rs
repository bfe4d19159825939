//! Everybody who reads a run's events.

use std::io;

use crate::diagnostic::Diagnostic;
use crate::event::{Event, EventKind, Reporter};

/// The readers of a run. One that fails is not asked again, and costs the others one warning: hosts come before output.
pub(super) struct Reporters(Vec<Option<Box<dyn Reporter>>>);

impl Reporters {
    /// These, told in this order.
    pub(super) fn new(reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self(reporters.into_iter().map(Some).collect())
    }

    /// Tells all of them what happened.
    pub(super) fn event(&mut self, event: &Event) {
        self.tell(event.at, |reporter| reporter.event(event));
    }

    /// Tells all of them that time has passed.
    pub(super) fn tick(&mut self, at: u64) {
        self.tell(at, |reporter| reporter.tick(at));
    }

    fn tell(&mut self, at: u64, tell: impl Fn(&mut dyn Reporter) -> io::Result<()>) {
        for place in 0..self.0.len() {
            let Some(mut reporter) = self.0[place].take() else { continue };
            match tell(&mut *reporter) {
                Ok(()) => self.0[place] = Some(reporter),
                Err(error) => self.lost(at, &*reporter, &error),
            }
        }
    }

    /// Tells the others that one has failed. One that fails at that is lost, too; of that, the warning would be lost with it.
    fn lost(&mut self, at: u64, reporter: &dyn Reporter, error: &io::Error) {
        let message = format!("{} could not be written to; nothing more comes there", reporter.destination());
        let warning = Diagnostic::new(message).because(error.to_string());
        let event = Event { at, host: None, kind: EventKind::Warning(Box::new(warning)) };
        for place in &mut self.0 {
            if place.as_mut().is_some_and(|reporter| reporter.event(&event).is_err()) {
                *place = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Writes down what it is told; fails at the message `fatal`, if it has one.
    struct Listener {
        told: Arc<Mutex<Vec<String>>>,
        fatal: Option<&'static str>,
    }

    impl Reporter for Listener {
        fn event(&mut self, event: &Event) -> io::Result<()> {
            let text = match &event.kind {
                EventKind::Message { text } => text.clone(),
                EventKind::Warning(warning) => warning.to_string(),
                _ => return Ok(()),
            };
            if self.fatal == Some(text.as_str()) {
                return Err(io::Error::other("the disk is full"));
            }
            self.told.lock().unwrap().push(text);
            Ok(())
        }

        fn destination(&self) -> String {
            "`report.xml`".to_owned()
        }
    }

    #[test]
    fn one_that_fails_costs_the_others_one_warning() {
        let told: [Arc<Mutex<Vec<String>>>; 3] = Default::default();
        let fatal = [None, Some("two"), None];
        let listeners = told.iter().zip(fatal).map(|(told, fatal)| {
            let listener: Box<dyn Reporter> = Box::new(Listener { told: Arc::clone(told), fatal });
            listener
        });
        let mut reporters = Reporters::new(listeners.collect());
        for text in ["one", "two", "three", "two"] {
            let kind = EventKind::Message { text: text.to_owned() };
            reporters.event(&Event { at: 7, host: None, kind });
            reporters.tick(8);
        }
        let warning =
            "`report.xml` could not be written to; nothing more comes there\ncaused by: the disk is full";
        let told = told.map(|told| told.lock().unwrap().clone());
        assert_eq!(told[0], ["one", "two", warning, "three", "two"]);
        assert_eq!(told[1], ["one"]);
        assert_eq!(told[2], ["one", warning, "two", "three", "two"]);
    }
}
