//! The tools, one file each.

mod alternatives;
mod create;
mod install;
mod pkgdb;
mod query;
mod reconfigure;
mod remove;
mod rindex;
mod transact;
mod uhelper;

pub use alternatives::run as alternatives;
pub use create::run as create;
pub use install::run as install;
pub use pkgdb::run as pkgdb;
pub use query::run as query;
pub use reconfigure::run as reconfigure;
pub use remove::run as remove;
pub use rindex::run as rindex;
pub use uhelper::run as uhelper;
