//! Who may do what on a host, and when: held against the programs that decide that, and against users who try to get more.

mod chrony;
mod cron;
mod host;
mod known_hosts;
mod openssh;
mod sudo;
mod user_files;
