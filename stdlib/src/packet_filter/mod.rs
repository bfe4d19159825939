//! Files with the rules of a packet filter, and loading them: what the namespaces `iptables` and `nftables` share.

pub mod loading;
pub mod rule_file;
