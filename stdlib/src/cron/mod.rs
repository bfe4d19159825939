//! The namespace `cron`: commands that are run at certain times.

mod absent;
mod crontab;
mod field;
mod job;
mod job_name;
mod schedule;
mod scheduler;
mod service;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<job::CronJob>(), Entry::state::<absent::CronAbsent>()];
