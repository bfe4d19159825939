//! The standard library of refrain: the functions that playbooks call.
//!
//! A namespace is a file or a folder that holds its functions' types and a table of them, `ENTRIES`; registering it is one
//! line in [`registry`]. What several namespaces need stands beside them:
//!
//! * arguments: [`host_path`], [`one_or_many`], [`seconds`], [`attributes`], and [`glob`] for patterns of paths;
//! * files: [`whole_file`] for whatever decides about the content of a file, [`document`] and [`shell_assignments`] for whatever edits
//!   a text, [`validated_file`] where a program knows whether that makes sense, [`configuration_file`] where a directory
//!   belongs to it, [`packet_filter`] for rules of either kind;
//! * what is no file: [`command_step`] for a change that a command makes, [`kernel_value`] and [`host_namespaces`] for what
//!   concerns the running system, [`accounts`] for users and groups, [`web`] for whatever comes from the network.

pub mod accounts;
pub mod archive;
mod argument_schema;
pub mod attributes;
pub mod chrony;
pub mod command;
pub mod command_step;
pub mod configuration_file;
pub mod cron;
pub mod directories;
pub mod docker;
pub mod document;
pub mod file;
pub mod file_target;
pub mod git;
pub mod glob;
pub mod group;
pub mod host_namespaces;
pub mod host_path;
pub mod hostname;
pub mod hosts;
pub mod http;
pub mod iptables;
pub mod kernel_value;
pub mod links;
pub mod locale;
mod meaning;
pub mod mode;
pub mod modprobe;
pub mod mount;
pub mod nftables;
pub mod one_or_many;
pub mod packet_filter;
pub mod pkg;
mod prediction_state;
pub mod reboot;
mod remembered;
pub mod resolver;
pub mod runit;
pub mod seconds;
pub mod service;
pub mod shell_assignments;
pub mod ssh;
pub mod sudo;
pub mod sysctl;
pub mod timezone;
pub mod user;
pub mod validated_file;
pub mod wait;
pub mod web;
pub mod whole_file;
pub mod xbps;

use refrain_engine::module::Registry;

/// All functions that playbooks can call.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add("file", "Files, directories and links", file::ENTRIES);
    registry.add("command", "Programs and scripts that are run", command::ENTRIES);
    registry.add("archive", "Many files in one", archive::ENTRIES);
    registry.add("git", "Working trees of repositories", git::ENTRIES);
    registry.add("http", "Requests to web servers", http::ENTRIES);
    registry.add("wait", "Going on only when something is so", wait::ENTRIES);
    registry.add("user", "Accounts of people and services", user::ENTRIES);
    registry.add("group", "Groups of users", group::ENTRIES);
    registry.add("sudo", "Who may run what as whom", sudo::ENTRIES);
    registry.add("ssh", "Keys and configuration of OpenSSH", ssh::ENTRIES);
    registry.add("xbps", "Packages of Void Linux", xbps::ENTRIES);
    registry.add("pkg", "Packages, whatever the host's package manager is", pkg::ENTRIES);
    registry.add("service", "Services, whatever the host's service manager is", service::ENTRIES);
    registry.add("runit", "Services that runit supervises", runit::ENTRIES);
    registry.add("cron", "Commands that are run at certain times", cron::ENTRIES);
    registry.add("chrony", "The time of the host", chrony::ENTRIES);
    registry.add("docker", "The Docker daemon, images and containers", docker::ENTRIES);
    registry.add("hostname", "The host's name", hostname::ENTRIES);
    registry.add("hosts", "Names and addresses in /etc/hosts", hosts::ENTRIES);
    registry.add("resolver", "Where names are looked up", resolver::ENTRIES);
    registry.add("iptables", "Rules of the packet filter, by iptables", iptables::ENTRIES);
    registry.add("nftables", "Rules of the packet filter, by nft", nftables::ENTRIES);
    registry.add("sysctl", "Values of the kernel", sysctl::ENTRIES);
    registry.add("modprobe", "Modules of the kernel", modprobe::ENTRIES);
    registry.add("mount", "File systems, declared and mounted", mount::ENTRIES);
    registry.add("timezone", "The time zone", timezone::ENTRIES);
    registry.add("locale", "Languages and their conventions", locale::ENTRIES);
    registry.add("reboot", "Restarting a machine", reboot::ENTRIES);
    registry
}
