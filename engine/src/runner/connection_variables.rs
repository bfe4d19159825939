//! The variables that say how a host is reached: read on the controller, before there is a host to evaluate anything.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use crate::bundle::Values;
use crate::diagnostic::Diagnostic;
use crate::inventory::{self, HostVariables, Resolver, Variable};
use crate::template;
use crate::variables::{Layer, Variables};

/// The variables of one host, as far as the controller knows them. Facts are not among them.
pub(super) struct ConnectionVariables<'a> {
    /// What the inventory says, with its places.
    written: &'a HostVariables<'a>,
    extra: &'a Arc<Values>,
    play: &'a IndexMap<String, Value>,
    /// What holds where nothing else says anything.
    of_project: &'a IndexMap<String, Variable>,
    /// Gives templates the names that belong to the engine, and the variables of other hosts.
    resolver: &'a Resolver,
    host: &'a str,
    /// All of them, for templates.
    resolved: OnceCell<Variables>,
}

impl<'a> ConnectionVariables<'a> {
    /// The variables of a host: what the inventory has `written`, those of the play, and over both what is given on the
    /// command line. What the project says holds below all.
    pub(super) fn new(
        written: &'a HostVariables<'a>,
        extra: &'a Arc<Values>,
        play: &'a IndexMap<String, Value>,
        of_project: &'a IndexMap<String, Variable>,
        resolver: &'a Resolver,
        host: &'a str,
    ) -> Self {
        Self { written, extra, play, of_project, resolver, host, resolved: OnceCell::new() }
    }

    /// The value of the last of `names` that has one, as text. As in Ansible, a later name is the more special one.
    ///
    /// # Errors
    /// A template in the value can't be rendered.
    pub(super) fn text(&self, names: &[&str]) -> Result<Option<String>, Diagnostic> {
        Ok(self.value(names)?.map(|(_, value)| plain(&value)))
    }

    /// As [`text`](Self::text), a port.
    ///
    /// # Errors
    /// As [`text`](Self::text), or it is none.
    pub(super) fn port(&self, names: &[&str]) -> Result<Option<u16>, Diagnostic> {
        let Some((name, value)) = self.value(names)? else { return Ok(None) };
        let port = match &value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64().and_then(|port| u16::try_from(port).ok()),
        };
        match port {
            Some(port) if port > 0 => Ok(Some(port)),
            _ => Err(self.wrong(name, &value, "a port")),
        }
    }

    /// As [`text`](Self::text), a duration in seconds.
    ///
    /// # Errors
    /// As [`text`](Self::text), or it is none.
    pub(super) fn seconds(&self, names: &[&str]) -> Result<Option<Duration>, Diagnostic> {
        let Some((name, value)) = self.value(names)? else { return Ok(None) };
        let seconds = plain(&value).trim().parse().ok().filter(|seconds| *seconds > 0.0);
        match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            Some(duration) => Ok(Some(duration)),
            None => Err(self.wrong(name, &value, "a number of seconds")),
        }
    }

    /// As [`text`](Self::text), yes or no in any of Ansible's spellings.
    ///
    /// # Errors
    /// As [`text`](Self::text), or it is neither.
    pub(super) fn flag(&self, names: &[&str]) -> Result<Option<bool>, Diagnostic> {
        let Some((name, value)) = self.value(names)? else { return Ok(None) };
        match plain(&value).trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "t" | "1" => Ok(Some(true)),
            "false" | "no" | "off" | "n" | "f" | "0" => Ok(Some(false)),
            _ => Err(self.wrong(name, &value, "true or false")),
        }
    }

    /// As [`text`](Self::text), what `read` makes of it.
    ///
    /// # Errors
    /// As [`text`](Self::text), or `read` does not take it.
    pub(super) fn read<T>(
        &self,
        names: &[&str],
        read: impl FnOnce(&str) -> Result<T, Diagnostic>,
    ) -> Result<Option<T>, Diagnostic> {
        let Some((name, value)) = self.value(names)? else { return Ok(None) };
        read(&plain(&value)).map(Some).map_err(|error| self.located(name, error))
    }

    fn value<'n>(&self, names: &[&'n str]) -> Result<Option<(&'n str, Value)>, Diagnostic> {
        let of_project = |name: &str| self.of_project.get(name).map(|variable| &variable.value);
        let of_host = names.iter().rev().filter_map(|name| Some((*name, self.of_host(name)?)));
        for (name, raw) in
            of_host.chain(names.iter().rev().filter_map(|name| Some((*name, of_project(name)?))))
        {
            // A template that renders to nothing says nothing, and neither does a null.
            let value = match raw {
                Value::String(text) if template::is_template(text) => {
                    let value = self.resolver.within(|| self.resolved().get(name))?;
                    value.filter(|value| value.as_str() != Some(""))
                }
                plain => Some(plain.clone()),
            };
            if let Some(value) = value.filter(|value| !value.is_null()) {
                return Ok(Some((name, value)));
            }
        }
        Ok(None)
    }

    fn of_host(&self, name: &str) -> Option<&Value> {
        let written = || self.written.get(name).map(|variable| &variable.value);
        self.extra.values.get(name).or_else(|| self.play.get(name)).or_else(written)
    }

    fn resolved(&self) -> &Variables {
        self.resolved.get_or_init(|| {
            let inventory = Arc::new(inventory::values(self.written.iter()));
            let variables = Variables::knowing(vec![Arc::clone(self.extra), Arc::clone(&inventory)]);
            let of_project = self.of_project.iter();
            let of_project = of_project.map(|(name, variable)| (name.clone(), variable.value.clone()));
            variables.push(Layer::Defaults, of_project.collect());
            variables.push(Layer::Inventory, inventory.values.clone());
            variables.push(Layer::Play, self.play.clone());
            variables.push(Layer::Extra, self.extra.values.clone());
            variables.supply(Layer::Engine, self.resolver.names(self.host));
            variables
        })
    }

    fn wrong(&self, name: &str, value: &Value, expected: &str) -> Diagnostic {
        self.located(name, Diagnostic::new(format!("`{name}` is not {expected}: `{}`", plain(value))))
    }

    /// An error about a variable, with its place in the inventory.
    fn located(&self, name: &str, error: Diagnostic) -> Diagnostic {
        let hidden = self.extra.values.contains_key(name) || self.play.contains_key(name);
        match self.written.get(name).or_else(|| self.of_project.get(name)).filter(|_| !hidden) {
            Some(variable) => error.at(variable.origin.location()),
            None => error,
        }
    }
}

/// A value as a person would write it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::inventory::{Inventory, VariableMap};
    use crate::origin::SourceText;

    struct Layers {
        inventory: VariableMap,
        play: IndexMap<String, Value>,
        of_project: IndexMap<String, Variable>,
        extra: Arc<Values>,
    }

    fn layers(inventory: Value, play: Value, extra: Value) -> Layers {
        let map = |value: Value| match value {
            Value::Object(map) => map.into_iter().collect::<IndexMap<String, Value>>(),
            other => panic!("not a map: {other}"),
        };
        let origin = SourceText::new("hosts.yml", "").at(3, 1);
        let variable = |(name, value): (String, Value)| {
            (Arc::from(name), Arc::new(Variable::new(value, origin.clone())))
        };
        Layers {
            inventory: map(inventory).into_iter().map(variable).collect(),
            play: map(play),
            of_project: IndexMap::new(),
            extra: Arc::new(Values { values: map(extra), ..Values::default() }),
        }
    }

    impl Layers {
        fn read<T>(&self, read: impl FnOnce(&ConnectionVariables<'_>) -> T) -> T {
            let inventory = Inventory::load(&["web1,".to_owned()], Path::new("")).unwrap();
            let resolver = Resolver::new(Arc::new(inventory), Arc::clone(&self.extra));
            let written = HostVariables::from(&self.inventory);
            read(&ConnectionVariables::new(
                &written,
                &self.extra,
                &self.play,
                &self.of_project,
                &resolver,
                "web1",
            ))
        }

        fn text(&self, names: &[&str]) -> Option<String> {
            self.read(|variables| variables.text(names)).unwrap()
        }
    }

    #[test]
    fn values_may_be_templates_over_other_variables() {
        let layers = layers(
            json!({
                "ansible_host": "{{ network_fqdn }}",
                "network_fqdn": "{{ inventory_hostname }}.{{ domain }}",
                "domain": "example.net",
                "ansible_port": "{{ base + 1 }}",
                "base": 2200,
                "ansible_user": "{{ nothing | default(none) }}",
            }),
            json!({}),
            json!({}),
        );
        assert_eq!(layers.text(&["ansible_host"]).as_deref(), Some("web1.example.net"));
        assert_eq!(layers.read(|variables| variables.port(&["ansible_port"])).unwrap(), Some(2201));
        assert_eq!(layers.text(&["ansible_user"]), None);
        assert_eq!(layers.text(&["ansible_connection"]), None);
    }

    #[test]
    fn later_names_and_higher_layers_win() {
        let layers = layers(
            json!({ "ansible_user": "inventory", "ansible_ssh_user": "special", "a": 1, "b": 1 }),
            json!({ "a": 2, "b": 2 }),
            json!({ "b": 3 }),
        );
        assert_eq!(layers.text(&["ansible_user", "ansible_ssh_user"]).as_deref(), Some("special"));
        assert_eq!(layers.text(&["ansible_user"]).as_deref(), Some("inventory"));
        assert_eq!(layers.text(&["a"]).as_deref(), Some("2"));
        assert_eq!(layers.text(&["b"]).as_deref(), Some("3"));
    }

    #[test]
    fn what_the_project_says_holds_below_all_else() {
        let origin = SourceText::new("refrain.toml", "").at(2, 1);
        let variable = |value: Value| Variable::new(value, origin.clone());
        let layers = Layers {
            of_project: IndexMap::from([
                ("ansible_ssh_user".to_owned(), variable(json!("project"))),
                ("ansible_port".to_owned(), variable(json!("many"))),
            ]),
            ..layers(json!({ "ansible_user": "inventory" }), json!({}), json!({}))
        };
        assert_eq!(layers.text(&["ansible_user", "ansible_ssh_user"]).as_deref(), Some("inventory"));
        assert_eq!(layers.text(&["ansible_ssh_user"]).as_deref(), Some("project"));
        let error = layers.read(|variables| variables.port(&["ansible_port"])).unwrap_err();
        assert_eq!(error.at.map(|at| at.path).as_deref(), Some("refrain.toml"));
    }

    #[test]
    fn flags_have_all_of_ansibles_spellings() {
        for (value, flag) in [
            (json!(true), true),
            (json!("yes"), true),
            (json!("On"), true),
            (json!(1), true),
            (json!(false), false),
            (json!("no"), false),
            (json!("False"), false),
            (json!(0), false),
        ] {
            let layers = layers(json!({ "flag": value }), json!({}), json!({}));
            assert_eq!(layers.read(|variables| variables.flag(&["flag"])).unwrap(), Some(flag), "{value}");
        }
    }

    #[test]
    fn durations_are_in_seconds() {
        for (value, seconds) in [(json!(3), 3.0), (json!("2.5"), 2.5)] {
            let layers = layers(json!({ "timeout": value }), json!({}), json!({}));
            let found = layers.read(|variables| variables.seconds(&["timeout"])).unwrap();
            assert_eq!(found, Some(Duration::from_secs_f64(seconds)));
        }
        for value in [json!(0), json!(-1), json!("soon"), json!("inf")] {
            let layers = layers(json!({ "timeout": value }), json!({}), json!({}));
            assert!(layers.read(|variables| variables.seconds(&["timeout"])).is_err(), "{value}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_an_error_at_its_line() {
        let layers = layers(
            json!({ "ansible_port": "ssh", "big": 70000, "flag": "maybe", "missing": "{{ nothing }}" }),
            json!({}),
            json!({}),
        );
        let error = |result: Result<Option<u16>, Diagnostic>| result.unwrap_err();
        let port = error(layers.read(|variables| variables.port(&["ansible_port"])));
        assert_eq!(port.message, "`ansible_port` is not a port: `ssh`");
        assert_eq!(port.at.map(|at| (at.path, at.line)), Some(("hosts.yml".to_owned(), 3)));
        let big = error(layers.read(|variables| variables.port(&["big"])));
        assert_eq!(big.message, "`big` is not a port: `70000`");
        let flag = layers.read(|variables| variables.flag(&["flag"])).unwrap_err();
        assert_eq!(flag.message, "`flag` is not true or false: `maybe`");
        let missing = layers.read(|variables| variables.text(&["missing"])).unwrap_err();
        assert!(missing.message.contains("`nothing` is undefined"), "{missing}");
    }
}
