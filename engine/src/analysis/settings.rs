//! The variables that scripts set: defaults of roles, variables of plays, parameters of roles. As far as it is written out.

use rhai::Position;
use serde_json::Value;

use super::parts::ScriptParts;
use super::reach::{Map, WrittenPlay};
use crate::script::calls::{Call, Literal};

/// How a script sets a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// By `defaults`.
    Default,
    /// By the option `vars` of a play.
    Play,
    /// By the parameters of a role.
    Parameter,
}

/// A variable that a script sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// How it is set.
    pub layer: Layer,
    /// The role, or for [`Layer::Play`] the play. Absent where its name is computed, and for defaults that no role sets.
    pub of: Option<String>,
    /// Its value. Absent where it is computed.
    pub value: Option<Value>,
    /// The script that sets it.
    pub path: String,
    /// The line there, from 1.
    pub line: usize,
    /// The column there, from 1.
    pub column: usize,
}

/// What a play whose options and body are written out sets.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaySettings {
    /// The pattern of its hosts. Absent where it is computed.
    pub hosts: Option<String>,
    /// What it sets: for each way in the order of the scripts' paths and lines.
    pub settings: Vec<Setting>,
}

impl Map {
    /// What the plays set, in the order of the playbook.
    pub fn settings(&self) -> Vec<PlaySettings> {
        self.plays.iter().map(|play| self.settings_of(play)).collect()
    }

    fn settings_of(&self, play: &WrittenPlay) -> PlaySettings {
        let mut settings = Vec::new();
        if let Some(playbook) = self.scripts.get(&self.sources.playbook) {
            add(&mut settings, playbook, &play.vars, Layer::Play, play.name.as_deref());
        }
        for (script, part, owner) in self.places(&play.body) {
            let Some(script) = self.scripts.get(&script) else { continue };
            let calls = script.parts.get(&part).into_iter().flat_map(|part| &part.order);
            for call in calls.filter_map(|index| script.script.calls.get(*index)) {
                if let Some((layer, of, variables)) = set_by(call, &owner) {
                    add(&mut settings, script, variables, layer, of);
                }
            }
        }
        settings.sort_by(|one, other| {
            let place = |setting: &Setting| (setting.path.clone(), setting.line, setting.column);
            place(one).cmp(&place(other))
        });
        settings.dedup();
        PlaySettings { hosts: play.hosts.clone(), settings }
    }
}

/// What is written in a map: keys with their places.
type Entries = [(String, Position, Literal)];

/// What a call sets, and of which role.
fn set_by<'a>(call: &'a Call, owner: &'a str) -> Option<(Layer, Option<&'a str>, &'a Entries)> {
    let is_word = call.namespace.is_empty() && !call.method;
    match (call.name.as_str(), &call.arguments[..]) {
        ("defaults", [(Literal::Map(variables), _)]) if is_word => {
            let role = owner.strip_suffix("/role.rhai").map(|role| role.rsplit('/').next().unwrap_or(role));
            Some((Layer::Default, role, variables))
        }
        ("role", [(name, _), (Literal::Map(variables), _)]) if is_word => {
            Some((Layer::Parameter, name.text(), variables))
        }
        _ => None,
    }
}

fn add(
    settings: &mut Vec<Setting>,
    script: &ScriptParts,
    variables: &Entries,
    layer: Layer,
    of: Option<&str>,
) {
    for (name, position, value) in variables {
        let (line, column) = script.line_and_column(*position);
        let (name, of, path) = (name.clone(), of.map(ToOwned::to_owned), script.path.clone());
        settings.push(Setting { name, layer, of, value: written(value), path, line, column });
    }
}

/// The value, if all of it is written out.
fn written(literal: &Literal) -> Option<Value> {
    match literal {
        Literal::Text(text) => Some(text.clone().into()),
        Literal::Plain(value) => Some(value.clone()),
        Literal::Array(items) => items.iter().map(written).collect::<Option<Vec<_>>>().map(Value::from),
        Literal::Map(entries) => {
            let entry = |(name, _, value): &(String, _, Literal)| Some((name.clone(), written(value)?));
            entries.iter().map(entry).collect::<Option<serde_json::Map<_, _>>>().map(Value::from)
        }
        Literal::Closure(_) | Literal::Computed => None,
    }
}
