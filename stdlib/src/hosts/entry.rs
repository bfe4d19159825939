//! `hosts::entry`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::FILE;
use super::table::{Address, Line, check_name};
use crate::attributes::AttributeOptions;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};
use crate::file::lines;
use crate::one_or_many::OneOrMany;

/// Keeps one address with its names in `/etc/hosts`.
///
/// ```rhai
/// hosts::entry("192.0.2.7", ["storage.example.net", "storage"]);
/// hosts::entry("127.0.0.1", "node1", #{ add: true });
/// ```
///
/// The address has one line, with these names and no others, in this order. Comments, and the order of all other lines, stay.
/// A name that a line of another address of the same version of IP has is taken off there, since the C library would give out
/// both or the first; a line that is left without names goes.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct HostsEntry {
    /// The IPv4 or IPv6 address.
    address: Address,
    /// One name or an array of them, the canonical one first.
    names: OneOrMany<String>,
    /// Whether the address keeps other names that it has, behind these. Then several calls can name one address. Default
    /// false.
    #[serde(default)]
    add: bool,
    /// Whether other addresses may have the names, too. Default false.
    #[serde(default)]
    shared: bool,
}

impl HostsEntry {
    fn check(&self) -> Result<(), Failure> {
        if self.names.0.is_empty() {
            return Err(Failure::argument("names", "an address without a name has no line")
                .advise("hosts::absent takes an address out"));
        }
        self.names.0.iter().try_for_each(|name| check_name("names", name))
    }

    fn declares(&self, name: &str) -> bool {
        self.names.0.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The names that the line of the address shall have, where `all` are the lines of the file.
    fn names<'n>(&'n self, all: &[Option<Line<'n>>]) -> Vec<&'n str> {
        let mut names: Vec<&str> = self.names.0.iter().map(String::as_str).collect();
        if self.add {
            let own = all.iter().flatten().filter(|line| line.address == self.address);
            for name in own.flat_map(|line| &line.names) {
                if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// What becomes of a line of another address. `None` where it goes.
    fn other(&self, text: &str, line: &Line<'_>) -> Option<String> {
        let kept: Vec<&str> = line.names.iter().copied().filter(|name| !self.declares(name)).collect();
        let stays =
            self.shared || !line.address.is_of_family(&self.address) || kept.len() == line.names.len();
        match kept.is_empty() {
            _ if stays => Some(text.to_owned()),
            true => None,
            false => Some(line.with_names(&kept)),
        }
    }
}

impl Edit for HostsEntry {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        let all = lines::split(text);
        let parsed: Vec<Option<Line<'_>>> = all.iter().map(|line| Line::parse(line)).collect();
        let is_own = |line: &Option<Line<'_>>| line.as_ref().is_some_and(|line| line.address == self.address);
        // The line that has one of the names already is the one that comments around it are about.
        let names_one = |line: &Option<Line<'_>>| {
            is_own(line)
                && line.as_ref().is_some_and(|line| line.names.iter().any(|name| self.declares(name)))
        };
        let chosen = parsed.iter().position(names_one).or_else(|| parsed.iter().position(is_own));
        let names = self.names(&parsed);
        let mut new = Vec::with_capacity(all.len() + 1);
        for (index, (text, line)) in all.iter().zip(&parsed).enumerate() {
            match line {
                None => new.push(text.clone()),
                Some(line) if Some(index) == chosen && line.names == names => new.push(text.clone()),
                Some(line) if Some(index) == chosen => new.push(line.with_names(&names).into()),
                Some(line) if line.address == self.address => {}
                Some(line) => new.extend(self.other(text, line).map(Into::into)),
            }
        }
        if chosen.is_none() {
            let end = new.len();
            lines::insert(&mut new, end, [format!("{}\t{}\n", self.address, names.join(" ")).into()]);
        }
        Ok(new.concat())
    }
}

impl State for HostsEntry {
    const NAME: &'static str = "hosts::entry";
    const POSITIONAL: &'static [&'static str] = &["address", "names"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        format!("{} {}", self.address, self.names)
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        self.check()?;
        EditedFile::look(context.host, Path::new(FILE), &AttributeOptions::default(), Missing::Create)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(Inputs::default(), self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const BEFORE: &str = "# loopback\n127.0.0.1\tlocalhost\n::1  localhost ip6-localhost # six\n\n\
                          192.0.2.7 old storage # rack 3\n192.0.2.8 web\n";

    fn edited(arguments: serde_json::Value, before: &str) -> String {
        serde_json::from_value::<HostsEntry>(arguments).unwrap().edit(before).unwrap()
    }

    #[test]
    fn an_address_has_one_line() {
        let case = |arguments: serde_json::Value, from: &str, to: &str| {
            let expected = BEFORE.replace(from, to);
            assert_eq!(edited(arguments.clone(), BEFORE), expected, "{arguments}");
            assert_eq!(edited(arguments.clone(), &expected), expected, "{arguments}, a second time");
        };
        case(json!({"address": "127.0.0.1", "names": "localhost"}), "", "");
        case(
            json!({"address": "0:0::1", "names": ["LOCALHOST", "ip6-localhost"], "shared": true}),
            "localhost ip6",
            "LOCALHOST ip6",
        );
        case(json!({"address": "192.0.2.7", "names": ["storage"]}), "old storage", "storage");
        case(
            json!({"address": "192.0.2.7", "names": ["nas", "storage"], "add": true}),
            "old storage",
            "nas storage old",
        );
        case(json!({"address": "192.0.2.9", "names": ["new"]}), "8 web\n", "8 web\n192.0.2.9\tnew\n");
        case(json!({"address": "192.0.2.9", "names": ["web"]}), "192.0.2.8 web\n", "192.0.2.9\tweb\n");
        case(
            json!({"address": "192.0.2.9", "names": ["web"], "shared": true}),
            "8 web\n",
            "8 web\n192.0.2.9\tweb\n",
        );
        case(json!({"address": "2001:db8::8", "names": ["web"]}), "8 web\n", "8 web\n2001:db8::8\tweb\n");
        case(
            json!({"address": "192.0.2.9", "names": ["old"]}),
            "old storage # rack 3\n192.0.2.8 web\n",
            "storage # rack 3\n192.0.2.8 web\n192.0.2.9\told\n",
        );
    }

    #[test]
    fn lines_of_one_address_become_one() {
        let before = "192.0.2.7 a\n192.0.2.7 b c\n";
        assert_eq!(edited(json!({"address": "192.0.2.7", "names": "b"}), before), "192.0.2.7 b\n");
        let added = edited(json!({"address": "192.0.2.7", "names": "b", "add": true}), before);
        assert_eq!(added, "192.0.2.7 b a c\n");
        assert_eq!(edited(json!({"address": "::1", "names": "a"}), "192.0.2.7 b"), "192.0.2.7 b\n::1\ta\n");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (names, message) in [
            (json!([]), "an address without a name has no line"),
            (json!(["a b"]), "`a b` is no host name: it has letters, digits, hyphens, underscores and dots"),
        ] {
            let entry = json!({"address": "::1", "names": names});
            let failure = serde_json::from_value::<HostsEntry>(entry).unwrap().check().unwrap_err();
            assert_eq!(failure.to_string(), message);
        }
        let no_address = json!({"address": "localhost", "names": "a"});
        let error = serde_json::from_value::<HostsEntry>(no_address).unwrap_err();
        assert_eq!(error.to_string(), "`localhost` is no IP address");
    }

    proptest! {
        #[test]
        fn a_name_leads_where_it_was_declared(
            lines in proptest::collection::vec("(# .*|(192\\.0\\.2\\.[1-3]|::[12])( |\t)(a|b|c)( (d|e|F))?( # x)?)", 0..6),
            address in "192\\.0\\.2\\.[1-3]|::[12]",
            names in proptest::sample::subsequence(vec!["a", "b", "f"], 1..3),
            add in any::<bool>(),
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let after = edited(json!({"address": address, "names": names, "add": add}), &text);
            prop_assert_eq!(&edited(json!({"address": address, "names": names, "add": add}), &after), &after);
            let wanted = Address::parse(&address).unwrap();
            for line in after.lines().filter_map(Line::parse) {
                let is_own = line.address == wanted;
                prop_assert!(is_own || !line.address.is_of_family(&wanted) || names.iter().all(|name| !line.has(name)));
                prop_assert!(!is_own || names.iter().all(|name| line.has(name)));
            }
            prop_assert_eq!(after.lines().filter_map(Line::parse).filter(|line| line.address == wanted).count(), 1);
            let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(comments(&after), comments(&text));
        }
    }
}
