//! `file::yaml`.

mod block;
mod notation;
mod parse;
mod scalar;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::merge::edits::Edits;
use super::merge::state::merging_state;
use super::merge::tree::{self, Node};
use super::merge::{Lists, MergeOptions, Problem, Syntax, values};
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use block::Block;
use notation::YamlNotation;

/// Keeps values in a YAML file, or keys out of it.
///
/// ```rhai
/// file::yaml("/etc/netplan/50-lan.yaml", #{ merge: #{ network: #{ ethernets: #{ eth0: #{ dhcp4: true } } } } });
/// file::yaml("/etc/app.yaml", #{ merge: #{ servers: ["192.0.2.7"] }, lists: "append", remove: ["legacy.tls"] });
/// ```
///
/// Only what differs is written: comments, the order of keys, quotes and indentation stay as they are. New keys come last
/// in their map. Comments go only together with a value that they are inside of; where a list changes, its entries that stay
/// keep theirs. Anchors and aliases are left as they are; an alias is not followed.
///
/// Values that YAML 1.1 and 1.2 read differently, such as `yes`, `010` or `1:30` without quotes, are replaced by what all
/// programs read alike. A document that can't be changed without writing it anew, or a file with several documents, is an
/// error and not touched.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileYaml {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    #[serde(flatten)]
    options: MergeOptions,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

merging_state!(FileYaml, "file::yaml", Yaml);

struct Yaml;

impl Syntax for Yaml {
    fn read(text: &str) -> Result<Value, Problem> {
        Ok(parse::parse(text)?.map_or(Value::Null, |root| root.value()))
    }

    fn merge(text: &str, wanted: &Map<String, Value>, lists: Lists) -> Result<String, Problem> {
        let root = parse::parse(text)?;
        let notation = YamlNotation::of(text, root.as_ref());
        let Some(root) = root.filter(|root| root.value() != Value::Null) else {
            return Ok(behind_comments(text, notation, wanted));
        };
        let merge = |notation: YamlNotation| {
            change(text, &root, notation, |block, edits| {
                tree::merge(block, edits, None, &root, wanted, lists)
            })
        };
        let mut expected = root.value();
        values::merge(&mut expected, wanted, lists);
        match merge(notation)? {
            after if Self::read(&after).as_ref() == Ok(&expected) => Ok(after),
            // A comment below that is indented more than usual would become part of a text of several lines.
            _ => merge(notation.without_literals()),
        }
    }

    fn remove(text: &str, paths: &[Vec<String>]) -> Result<String, Problem> {
        let Some(root) = parse::parse(text)? else { return Ok(text.to_owned()) };
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        let notation = YamlNotation::of(text, Some(&root));
        change(text, &root, notation, |block, edits| tree::remove(block, edits, None, &root, &paths))
    }
}

/// A document that has nothing but comments so far, or its first line `---`.
fn behind_comments(text: &str, notation: YamlNotation, wanted: &Map<String, Value>) -> String {
    let ended = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let entries = match wanted.is_empty() {
        true => "{}".to_owned(),
        false => notation.entries(wanted, 0).trim_start().to_owned(),
    };
    format!("{text}{ended}{entries}\n")
}

fn change(
    text: &str,
    root: &Node,
    notation: YamlNotation,
    change: impl FnOnce(&Block<'_>, &mut Edits) -> Result<(), Problem>,
) -> Result<String, Problem> {
    let block = Block::new(text, notation);
    let mut edits = Edits::default();
    change(&block, &mut edits)?;
    edits.apply(text).ok_or_else(|| Problem::new("its values overlap", root.range.start))
}

#[cfg(test)]
mod tests;
