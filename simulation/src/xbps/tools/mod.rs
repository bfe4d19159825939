//! The tools, one file each.

mod alternatives;
mod install;
mod pkgdb;
mod query;
mod reconfigure;
mod remove;
mod transact;
mod uhelper;

pub use alternatives::run as alternatives;
pub use install::run as install;
pub use pkgdb::run as pkgdb;
pub use query::run as query;
pub use reconfigure::run as reconfigure;
pub use remove::run as remove;
pub use uhelper::run as uhelper;
