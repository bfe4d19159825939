//! Questions about packages.

use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::choice::Manager;
use super::installed::Installed;
use super::manager;
use super::package::Package;
use super::prediction::Prediction;
use crate::prediction_state::PredictionState;
use crate::xbps::prediction::Packages;

/// Whether a package is installed, or would be by then.
///
/// ```rhai
/// if pkg::installed("openssh") { file::content("/etc/motd", "Come in.\n"); }
/// ```
///
/// A name that another package provides counts, too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IsInstalled {
    /// The package: a name, or a name with a version.
    package: Package,
    /// The package manager, as in `pkg::install`.
    #[serde(default)]
    manager: Option<Manager>,
}

impl Query for IsInstalled {
    const NAME: &'static str = "pkg::installed";
    const POSITIONAL: &'static [&'static str] = &["package"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        Ok(installed(context, self.manager, &self.package)?.has(&self.package).into())
    }
}

/// The version in which a package is installed, or would be by then, as its manager spells it. `()` when it is not.
///
/// ```rhai
/// let version = pkg::version("openssh");
/// if version != () { file::content("/etc/motd", "OpenSSH " + version + "\n"); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstalledVersion {
    /// The name of the package.
    package: Package,
    /// The package manager, as in `pkg::install`.
    #[serde(default)]
    manager: Option<Manager>,
}

impl Query for InstalledVersion {
    const NAME: &'static str = "pkg::version";
    const POSITIONAL: &'static [&'static str] = &["package"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let installed = installed(context, self.manager, &self.package)?;
        let version = installed.versions.get(&self.package.name);
        Ok(Answer::Known(version.map_or(Value::Null, |version| version.clone().into())))
    }
}

/// The host's package manager: `"xbps"`, `"apt"`, `"apk"`, `"pacman"` or `"dnf"`.
///
/// ```rhai
/// let web = if pkg::manager() == "apt" { "apache2" } else { "apache" };
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagerName {}

impl Query for ManagerName {
    const NAME: &'static str = "pkg::manager";
    const POSITIONAL: &'static [&'static str] = &[];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        Ok(Manager::of(None, context.host)?.to_string().into())
    }
}

/// What is installed, as far as it is about one package.
fn installed(
    context: &Context<'_>,
    chosen: Option<Manager>,
    package: &Package,
) -> Result<Installed, Failure> {
    let chosen = Manager::of(chosen, context.host)?;
    let Some(manager) = manager::of(chosen) else {
        let packages = Packages::look(context.host)?;
        let version = packages.now.version_of(&package.name);
        let versions = version.map(|version| (package.name.clone(), version.to_owned()));
        return Ok(Installed { versions: versions.into_iter().collect(), ..Installed::default() });
    };
    let mut installed = Rc::unwrap_or_clone(manager.installed(context, std::slice::from_ref(package))?);
    Prediction::look(context.host).over(&mut installed);
    Ok(installed)
}
