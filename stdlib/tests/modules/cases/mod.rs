//! What has to hold wherever the play is evaluated.

mod accounts;
mod archive;
mod chrony;
mod command;
mod cron;
mod download;
mod edited_file;
mod file;
mod git;
mod host;
mod http;
mod known_hosts;
mod openssh;
mod packet_filter;
mod pkg;
mod runit;
mod running_kernel;
mod service;
mod shadow_tools;
mod sudo;
mod unpack;
mod user_files;
mod wait;
mod xbps;

use super::placed;
