//! What the templates in values read, worked out once for each text however many hosts have it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::reads::Reads;
use crate::template;

/// The texts that were looked at so far.
#[derive(Default)]
pub(super) struct Texts {
    known: Mutex<HashMap<String, Arc<Reads>>>,
}

impl Texts {
    /// What the templates in a value read, one after the other.
    pub fn of_value(&self, value: &Value, found: &mut dyn FnMut(&Reads)) {
        match value {
            Value::String(text) if template::is_template(text) => found(&self.of_text(text)),
            Value::Array(items) => items.iter().for_each(|item| self.of_value(item, found)),
            Value::Object(entries) => entries.values().for_each(|entry| self.of_value(entry, found)),
            _ => {}
        }
    }

    fn of_text(&self, text: &str) -> Arc<Reads> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reads) = known.get(text) {
            return Arc::clone(reads);
        }
        // What can't be parsed is an error where it is rendered, and reads nothing until then.
        let reads = Arc::new(template::check("", text).map(|uses| uses.reads).unwrap_or_default());
        known.insert(text.to_owned(), Arc::clone(&reads));
        reads
    }
}
