//! `iptables::rules`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::family::Family;
use crate::packet_filter::rule_file::RuleFile;
use crate::validated_file::{ValidatedFile, Validator};

/// Puts a file with rules for `iptables-restore` in place.
///
/// ```rhai
/// iptables::rules("/etc/iptables/iptables.rules", #{ template: "iptables.rules.j2", mode: "0640" });
/// iptables::rules("/etc/ip6tables.d/50-dns", "-A OUTPUT -p udp --dport 53 -j ACCEPT\n", #{ table: "filter" });
/// ```
///
/// The rules are tried first by `iptables-restore --test`, or `ip6tables-restore` for a file with `ip6tables` or `.v6` in its
/// path, and are not put in place if that refuses them. It has to be installed: in check mode it may not be, and the rules are
/// not tried. Nothing is loaded into the kernel: `iptables::load`, or the script that the machine starts with.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct IptablesRules {
    #[serde(flatten)]
    file: RuleFile,
    /// The table that these rules belong to, where the file has no `*filter` and `COMMIT` of its own because it is one of
    /// several that are put together. They are tried as if they stood alone.
    #[serde(default)]
    table: Option<String>,
    /// `ipv4` or `ipv6`. By the path when absent.
    #[serde(default)]
    family: Option<Family>,
}

impl IptablesRules {
    /// The rules as the program takes them.
    fn whole(&self, rules: &[u8]) -> Vec<u8> {
        let Some(table) = &self.table else { return rules.to_owned() };
        let newline: &[u8] = if rules.ends_with(b"\n") { b"" } else { b"\n" };
        [format!("*{table}\n").as_bytes(), rules, newline, b"COMMIT\n"].concat()
    }
}

impl State for IptablesRules {
    const NAME: &'static str = "iptables::rules";
    const POSITIONAL: &'static [&'static str] = &["path", "content"];
    type Found = ValidatedFile;

    fn subject(&self) -> String {
        self.file.path().to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ValidatedFile, Failure> {
        if let Some(table) =
            self.table.as_ref().filter(|table| !table.chars().all(|c| c.is_ascii_lowercase()))
        {
            return Err(Failure::argument("table", format!("`{table}` is no table"))
                .advise("there are filter, nat, mangle, raw and security"));
        }
        let family = self.family.unwrap_or_else(|| Family::of(self.file.path()));
        self.file.look(context, &Validator::new([family.program(), "--test"]), |rules| self.whole(rules))
    }

    fn plan(&self, found: &ValidatedFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}
