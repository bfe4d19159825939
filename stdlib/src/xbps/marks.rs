//! `xbps::hold`, `unhold`, `repolock`, `repounlock` and `mark`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::lock;
use super::mode::{Mark, Mode, ModeChange};
use super::name::PackageName;
use super::prediction::Packages;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Looks which of the packages are marked otherwise.
fn look(
    context: &Context<'_>,
    packages: &OneOrMany<PackageName>,
    mark: Mark,
    patience: Option<Seconds>,
) -> Result<Option<ModeChange>, Failure> {
    let known = Packages::look(context.host)?;
    let names: Vec<String> = packages.0.iter().map(ToString::to_string).collect();
    if let Some(name) = names.iter().find(|name| !known.now.packages.contains_key(*name)) {
        return Err(Failure::argument("packages", format!("`{name}` is not installed"))
            .advise(format!("install it first: xbps::install({name:?})")));
    }
    let patience = patience.map_or(lock::PATIENCE, |Seconds(patience)| patience);
    Ok(ModeChange::of(mark, &names, &known).map(|change| change.within(context, patience)))
}

fn plan(change: Option<&ModeChange>) -> Plan {
    change.into_iter().map(|change| Box::new(change.clone()) as _).collect()
}

/// A function that marks packages in one way.
macro_rules! marking {
    ($(#[$documentation:meta])* $type:ident, $name:literal, $mark:expr) => {
        $(#[$documentation])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $type {
            /// The names of the packages.
            packages: OneOrMany<PackageName>,
            /// How long to wait for another program that changes packages, in seconds. 60 when absent.
            #[serde(default)]
            lock_timeout: Option<Seconds>,
        }

        impl State for $type {
            const NAME: &'static str = $name;
            const POSITIONAL: &'static [&'static str] = &["packages"];
            type Found = Option<ModeChange>;

            fn subject(&self) -> String {
                self.packages.to_string()
            }

            fn look(&self, context: &Context<'_>) -> Result<Option<ModeChange>, Failure> {
                look(context, &self.packages, $mark, self.lock_timeout)
            }

            fn plan(&self, found: &Option<ModeChange>) -> Result<Plan, Failure> {
                Ok(plan(found.as_ref()))
            }
        }
    };
}

marking! {
    /// Puts packages on hold: updates leave them alone.
    ///
    /// ```rhai
    /// xbps::hold("linux6.12");
    /// ```
    Hold, "xbps::hold", Mark::Hold(true)
}

marking! {
    /// Lets packages be updated again that were on hold.
    ///
    /// ```rhai
    /// xbps::unhold("openssh");
    /// ```
    Unhold, "xbps::unhold", Mark::Hold(false)
}

marking! {
    /// Binds packages to the repository that they came from: updates from others are left alone.
    ///
    /// ```rhai
    /// xbps::repolock("nvi");
    /// ```
    Repolock, "xbps::repolock", Mark::Repolock(true)
}

marking! {
    /// Lets packages be updated from all repositories again.
    ///
    /// ```rhai
    /// xbps::repounlock("openssh");
    /// ```
    Repounlock, "xbps::repounlock", Mark::Repolock(false)
}

/// Says why packages are there: for their own sake, or only for that of others.
///
/// ```rhai
/// xbps::mark("vim", "auto");
/// xbps::mark(["ldns", "vim"], "manual");
/// ```
///
/// A package that is there only for the sake of others goes with them, and is an orphan once they are gone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkPackages {
    /// The names of the packages.
    packages: OneOrMany<PackageName>,
    /// `"auto"` for the sake of others, `"manual"` for their own.
    mode: Mode,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl State for MarkPackages {
    const NAME: &'static str = "xbps::mark";
    const POSITIONAL: &'static [&'static str] = &["packages", "mode"];
    type Found = Option<ModeChange>;

    fn subject(&self) -> String {
        self.packages.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Option<ModeChange>, Failure> {
        look(context, &self.packages, self.mode.into(), self.lock_timeout)
    }

    fn plan(&self, found: &Option<ModeChange>) -> Result<Plan, Failure> {
        Ok(plan(found.as_ref()))
    }
}
