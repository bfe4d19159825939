//! What the play of a test brings along.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use refrain_engine::bundle::{File, INLINE};
use refrain_engine::failure::Failure;
use refrain_engine::module::{Materials, Text};
use refrain_engine::script::marks;
use refrain_engine::system::Content;
use serde_json::{Map, Value};

/// Files by their names, and the names of those that had to be fetched.
#[derive(Default)]
pub struct Play {
    files: BTreeMap<String, (File, Vec<u8>)>,
    fetched: RefCell<Vec<String>>,
}

impl Play {
    /// Brings a file, which travels with the bundle if it is small.
    pub fn bring(&mut self, name: &str, content: &[u8], executable: bool) {
        let size = content.len() as u64;
        let file = File {
            size,
            hash: blake3::hash(content).to_hex().to_string(),
            executable,
            content: (size <= INLINE).then(|| content.to_vec()),
        };
        self.files.insert(name.to_owned(), (file, content.to_vec()));
    }

    /// The names of the files that were fetched since the last time.
    pub fn fetched(&self) -> Vec<String> {
        self.fetched.take()
    }

    fn get(&self, name: &str) -> Result<&(File, Vec<u8>), Failure> {
        self.files.get(name).ok_or_else(|| Failure::argument("source", format!("no file `{name}`")))
    }
}

impl Materials for Play {
    /// A template gives its own name, the extra names, and in `secret.j2` a secret.
    fn render(&self, template: &str, extra: &Map<String, Value>) -> Result<Text, Failure> {
        let text = format!("{template} {}\n", Value::Object(extra.clone()));
        let content =
            if marks::has_unknown(&text) { Content::Unknown } else { Content::Known(text.into_bytes()) };
        Ok(Text { content, secret: template == "secret.j2" })
    }

    fn source(&self, name: &str) -> Result<&File, Failure> {
        self.get(name).map(|(file, _)| file)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let (file, content) = self.get(name)?;
        if file.content.is_none() {
            self.fetched.borrow_mut().push(name.to_owned());
        }
        Ok(content.clone())
    }

    fn directory(&self, name: &str) -> Option<Vec<String>> {
        let names = self.files.keys().filter_map(|file| file.strip_prefix(name)?.strip_prefix('/'));
        let names: Vec<String> = names.map(ToOwned::to_owned).collect();
        (!names.is_empty()).then_some(names)
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn time_left(&self) -> Option<Duration> {
        None
    }
}
