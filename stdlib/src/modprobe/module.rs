//! Modules of the kernel: their names, and whether the running one has them.

use std::fmt;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::argument_schema::argument_schema;

/// What check mode knows a module as that would be loaded or not.
pub const MODULE: &str = "kernel module";

/// The modules that are loaded, one in each line.
const LOADED: &str = "/proc/modules";
/// A directory for each that is loaded, and for most that are built in.
const SHOWN: &str = "/sys/module";
/// Which kernel runs.
const RELEASE: &str = "/proc/sys/kernel/osrelease";

/// The name of a module. Hyphens and underscores are the same in it.
#[derive(Clone, Debug)]
pub struct ModuleName(String);

impl ModuleName {
    /// The name as the kernel says it.
    pub fn kernels(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ModuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(fits) || name.starts_with('-') {
            return Err(D::Error::custom(format!("`{name}` is no name of a kernel's module")));
        }
        Ok(Self(name))
    }
}

argument_schema!(ModuleName, { "type": "string" });

/// Whether the running kernel has a module, loaded or built in; in check mode, whether it would.
///
/// # Errors
/// The kernel can't be looked at.
pub fn is_there(host: &dyn View, module: &ModuleName) -> Result<bool, Failure> {
    let name = module.kernels();
    if host.predicted(MODULE, &name).is_some() {
        return is_loaded(host, module);
    }
    let is_shown = host.stat(&Path::new(SHOWN).join(&name))?.is_some();
    Ok(is_shown || is_loaded(host, module)? || is_built_in(host, &name)?)
}

/// Whether the running kernel has loaded a module; in check mode, whether it would have.
///
/// # Errors
/// The kernel can't be looked at.
pub fn is_loaded(host: &dyn View, module: &ModuleName) -> Result<bool, Failure> {
    let name = module.kernels();
    if let Some(predicted) = host.predicted(MODULE, &name) {
        return Ok(predicted == true);
    }
    let loaded = text(host, Path::new(LOADED))?;
    Ok(loaded.lines().any(|line| line.split(' ').next() == Some(&*name)))
}

/// Whether a module is part of the running kernel, by the list that its package brings.
fn is_built_in(host: &dyn View, name: &str) -> Result<bool, Failure> {
    let release = text(host, Path::new(RELEASE))?;
    if release.trim().is_empty() {
        return Ok(false);
    }
    let list = PathBuf::from("/lib/modules").join(release.trim()).join("modules.builtin");
    let file = |line: &str| line.rsplit('/').next().unwrap_or(line).replace('-', "_");
    Ok(text(host, &list)?.lines().any(|line| file(line).strip_suffix(".ko") == Some(name)))
}

fn text(host: &dyn View, path: &Path) -> Result<String, Failure> {
    let content = host.read(path)?;
    let known = content.as_ref().and_then(|content| content.known()).unwrap_or_default();
    Ok(String::from_utf8_lossy(known).into_owned())
}
