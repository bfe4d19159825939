//! Questions about packages.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::name::PackageName;
use super::pattern::Pattern;
use super::prediction::Packages;

/// Whether a package is installed, or would be by then.
///
/// ```rhai
/// if !xbps::installed("nomad>=1.9") { warn("this nomad is old"); }
/// if xbps::installed("openssh") { file::content("/etc/motd", "Come in.\n"); }
/// ```
///
/// A name that another package provides counts, too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IsInstalled {
    /// The package: a name, a name with a version, or with bounds.
    package: Pattern,
}

impl Query for IsInstalled {
    const NAME: &'static str = "xbps::installed";
    const POSITIONAL: &'static [&'static str] = &["package"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let packages = Packages::look(context.host)?;
        let version = packages.now.version_of(self.package.name());
        Ok(version.is_some_and(|version| self.package.allows(version)).into())
    }
}

/// The version in which a package is installed, or would be by then: `"4.6_1"`. `()` when it is not.
///
/// ```rhai
/// let version = xbps::version("openssh");
/// if version != () { file::content("/etc/motd", "OpenSSH " + version + "\n"); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstalledVersion {
    /// The name of the package.
    package: PackageName,
}

impl Query for InstalledVersion {
    const NAME: &'static str = "xbps::version";
    const POSITIONAL: &'static [&'static str] = &["package"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let packages = Packages::look(context.host)?;
        let package = packages.now.packages.get(&*self.package);
        Ok(Answer::Known(package.map_or(Value::Null, |package| package.version.clone().into())))
    }
}
