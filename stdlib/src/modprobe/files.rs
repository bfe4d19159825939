//! The files that tell of one module.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::{Content, View};
use serde_json::Value;

use super::module::ModuleName;
use crate::attributes::AttributeOptions;
use crate::whole_file::WholeFile;

/// That a module is loaded when the machine starts. Void's runit, OpenRC and systemd read it.
pub fn load(module: &ModuleName) -> PathBuf {
    Path::new("/etc/modules-load.d").join(format!("{module}.conf"))
}

/// The options that it is loaded with.
pub fn options(module: &ModuleName) -> PathBuf {
    Path::new("/etc/modprobe.d").join(format!("{module}.conf"))
}

/// That it is not loaded for a device.
pub fn blacklist(module: &ModuleName) -> PathBuf {
    Path::new("/etc/modprobe.d").join(format!("blacklist-{module}.conf"))
}

/// A file that shall hold a text, and the directory above it.
#[derive(Debug)]
pub struct ModuleFile {
    directory: Vec<Change>,
    file: WholeFile,
    text: String,
}

impl ModuleFile {
    /// Looks at the file at `path`, which shall hold `text`.
    ///
    /// # Errors
    /// As [`WholeFile::look_with_directory`].
    pub fn look(host: &dyn View, path: &Path, text: String) -> Result<Self, Failure> {
        let (directory, file) = WholeFile::look_with_directory(host, path, &AttributeOptions::default())?;
        Ok(Self { directory, file, text })
    }

    /// The steps after which it does.
    pub fn plan(&self) -> Plan {
        let mut plan: Plan = self.directory.iter().cloned().map(Into::into).collect();
        plan.extend(self.file.plan(Content::Known(self.text.clone().into_bytes()), true));
        plan
    }
}

/// The line that gives a module its options, in the order of their names.
///
/// # Errors
/// [`Failure::Argument`]: a value is none that a module could be given.
pub fn options_line(module: &ModuleName, options: &BTreeMap<String, Value>) -> Result<String, Failure> {
    let words = options.iter().map(|(name, value)| option(name, value)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("options {module} {}\n", words.join(" ")))
}

fn option(name: &str, value: &Value) -> Result<String, Failure> {
    let refuse = |message: String| Err(Failure::argument("options", message));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        return refuse(format!("`{name}` is no name of an option"));
    }
    let value = match value {
        Value::Bool(on) => u8::from(*on).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if !text.contains(['\n', '"', '#']) => text.clone(),
        other => return refuse(format!("`{name}` can't have the value {other}")),
    };
    let quoted = if value.contains([' ', '\t']) { format!("\"{value}\"") } else { value };
    Ok(format!("{name}={quoted}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_words() {
        let module: ModuleName = serde_json::from_value(json!("snd-hda-intel")).unwrap();
        let line = |options: Value| options_line(&module, &serde_json::from_value(options).unwrap());
        assert_eq!(
            line(json!({"power_save": 1, "model": "a,b", "enable": true, "patch": "a b"})).unwrap(),
            "options snd-hda-intel enable=1 model=a,b patch=\"a b\" power_save=1\n"
        );
        assert!(
            line(json!({"a": [1]})).is_err()
                && line(json!({"a b": 1})).is_err()
                && line(json!({"a": "x\ny"})).is_err()
        );
        assert_eq!(module.kernels(), "snd_hda_intel");
    }
}
