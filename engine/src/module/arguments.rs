//! The arguments of a module function: from a call's values to its type, and from its type to documentation.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::diagnostic::near_match;
use crate::failure::Failure;
use crate::script::marks;
use crate::secrets;

/// What an argument names, when it names something of the project: lint checks it, and a bundle carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A template (`x-source: template`).
    Template,
    /// A file, or a directory of files (`x-source: file`).
    File,
}

/// One argument, as documentation shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type in a playbook's words: `string`, `bool`, `integer`, `array`, `map`, `string or array`.
    pub kind: String,
    /// Whether it has to be given.
    pub required: bool,
    /// Its value when it is not given; absent when that is not a plain value.
    pub default: Option<Value>,
    /// The values that it can have. Empty when it is free.
    pub choices: Vec<String>,
    /// What its doc comment says.
    pub documentation: String,
    /// Its place when given without a name, from 0.
    pub position: Option<usize>,
    /// What of the project it names.
    pub source: Option<Source>,
    /// Whether a value that check mode does not know is fine here.
    pub takes_unknown: bool,
    /// Whether a secret is fine here, because it will not be seen.
    pub takes_secret: bool,
}

/// The schema of a type, with everything inline.
pub(super) fn schema<T: JsonSchema>() -> Schema {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    SchemaGenerator::new(settings).into_root_schema_for::<T>()
}

pub(super) fn documentation(schema: &Schema) -> String {
    text(schema.as_value(), "description")
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn list(schema: &Schema, positional: &[&str]) -> Vec<Argument> {
    let schema = schema.as_value();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required = |name: &str| {
        schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    };
    properties
        .iter()
        .map(|(name, property)| Argument {
            name: name.clone(),
            kind: kind(property),
            required: required(name),
            default: property.get("default").filter(|default| !default.is_null()).cloned(),
            choices: choices(property),
            documentation: text(property, "description"),
            position: positional.iter().position(|positional| positional == name),
            source: match property.get("x-source").and_then(Value::as_str) {
                Some("template") => Some(Source::Template),
                Some("file") => Some(Source::File),
                _ => None,
            },
            takes_unknown: says(property, "x-unknown"),
            takes_secret: says(property, "x-secret"),
        })
        .collect()
}

/// The alternatives of a schema that can be one thing or another, or the schema itself.
fn alternatives(property: &Value) -> Vec<&Value> {
    ["anyOf", "oneOf"]
        .iter()
        .find_map(|key| property.get(key).and_then(Value::as_array))
        .map_or_else(|| vec![property], |all| all.iter().flat_map(alternatives).collect())
}

/// Whether a schema, or that of its entries, has a flag.
fn says(property: &Value, flag: &str) -> bool {
    alternatives(property).iter().any(|one| {
        let entries = ["additionalProperties", "items"].iter().filter_map(|key| one.get(*key));
        one.get(flag) == Some(&Value::Bool(true)) || entries.into_iter().any(|entry| says(entry, flag))
    })
}

/// The type, in a playbook's words.
fn kind(property: &Value) -> String {
    let word = |word: &str| match word {
        "boolean" => "bool".to_owned(),
        "object" => "map".to_owned(),
        word => word.to_owned(),
    };
    let mut words: Vec<String> = Vec::new();
    for one in alternatives(property) {
        match one.get("type") {
            Some(Value::String(name)) => words.push(word(name)),
            Some(Value::Array(names)) => words.extend(names.iter().filter_map(Value::as_str).map(word)),
            _ if one.get("const").is_some() || one.get("enum").is_some() => words.push("string".to_owned()),
            _ => words.push("any".to_owned()),
        }
    }
    words.retain(|word| word != "null");
    let mut seen = std::collections::HashSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words.join(" or ")
}

fn choices(property: &Value) -> Vec<String> {
    alternatives(property)
        .into_iter()
        .flat_map(|one| match (one.get("const"), one.get("enum")) {
            (Some(Value::String(only)), _) => vec![only.clone()],
            (_, Some(Value::Array(all))) => {
                all.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
            }
            _ => Vec::new(),
        })
        .collect()
}

/// Brings the values of a call into one map: positional ones by their names, then the options.
///
/// A last value that is a map is the options, unless the function takes a positional argument there that can be a map and
/// nothing else was left to give.
///
/// # Errors
/// Too many values, or one given twice.
pub fn gather(name: &str, positional: &[&str], mut values: Vec<Value>) -> Result<Value, Failure> {
    let options = match values.last() {
        Some(Value::Object(_)) => match values.pop() {
            Some(Value::Object(options)) => options,
            _ => Map::new(),
        },
        _ => Map::new(),
    };
    if values.len() > positional.len() {
        return Err(Failure::Argument {
            message: format!(
                "`{name}` takes {} argument{} and a map of options, got {}",
                positional.len(),
                if positional.len() == 1 { "" } else { "s" },
                values.len()
            ),
            argument: None,
            hint: Some(format!("{name}({}, #{{ … }})", positional.join(", "))),
        });
    }
    let mut all = Map::new();
    for (name, value) in positional.iter().zip(values) {
        all.insert((*name).to_owned(), value);
    }
    for (key, value) in options {
        if all.contains_key(&key) {
            return Err(Failure::argument(&key, format!("`{key}` is given twice")));
        }
        all.insert(key, value);
    }
    Ok(Value::Object(all))
}

/// The arguments of a type. Worked out once per thread: schemas are not free.
fn known<T: JsonSchema + 'static>(positional: &[&str]) -> Rc<[Argument]> {
    thread_local! {
        static KNOWN: RefCell<HashMap<TypeId, Rc<[Argument]>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|all| {
        let known = all.entry(TypeId::of::<T>()).or_insert_with(|| list(&schema::<T>(), positional).into());
        Rc::clone(known)
    })
}

/// The arguments as the module's type.
///
/// Names are held against the type's schema, so that a type may take in shared options with `#[serde(flatten)]`, which
/// serde's own `deny_unknown_fields` does not allow.
///
/// # Errors
/// An unknown, missing or ill-typed argument, with its name and what would do; a secret where it would be seen.
pub(super) fn parse<T: DeserializeOwned + JsonSchema + 'static>(
    positional: &[&str],
    arguments: &Value,
) -> Result<T, Failure> {
    if let Some(name) =
        misplaced::<T>(positional, arguments, secrets::value_has_mark, |known| known.takes_secret)
    {
        return Err(Failure::argument(
            &name,
            format!("the argument `{name}` can't be a secret: it would be seen"),
        )
        .advise("secrets go into files, standard input and `environment`"));
    }
    let known = known::<T>(positional);
    let nothing = Map::new();
    let given = arguments.as_object().unwrap_or(&nothing);
    check_names(&known, given)?;
    serde_path_to_error::deserialize(arguments).map_err(|error| explain::<T>(&known, given, &error))
}

fn check_names(known: &[Argument], given: &Map<String, Value>) -> Result<(), Failure> {
    if let Some(unknown) = given.keys().find(|name| known.iter().all(|known| known.name != **name)) {
        let names: Vec<&str> = known.iter().map(|argument| argument.name.as_str()).collect();
        let hint = match near_match(unknown, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it takes {}", names.join(", ")),
        };
        return Err(Failure::argument(unknown, format!("unknown argument `{unknown}`")).advise(hint));
    }
    match known.iter().find(|argument| argument.required && !given.contains_key(&argument.name)) {
        None => Ok(()),
        Some(missing) => Err(Failure::Argument {
            message: format!("missing argument `{}`", missing.name),
            argument: None,
            hint: Some(missing.documentation.lines().next().unwrap_or_default().to_owned())
                .filter(|hint| !hint.is_empty()),
        }),
    }
}

/// Why the values don't make up the type, whose arguments have the right names.
fn explain<T: DeserializeOwned>(
    known: &[Argument],
    given: &Map<String, Value>,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> Failure {
    // Serde loses the path in flattened fields, and its words for a wrong type are a programmer's.
    let ill_typed = known.iter().find_map(|argument| {
        let value = given.get(&argument.name)?;
        let absent = value.is_null() && !argument.required;
        (!absent && !fits(&argument.kind, value)).then_some((argument, value))
    });
    if let Some((argument, value)) = ill_typed {
        let message =
            format!("argument `{}` has to be {}, not {}", argument.name, argument.kind, type_of(value));
        return Failure::argument(&argument.name, message);
    }
    let path = match error.path().to_string() {
        // The way to a value is lost where a type takes in the arguments of another one.
        lost if lost == "." => culprit::<T>(known, given, &error.inner().to_string()).unwrap_or(lost),
        path => path,
    };
    let argument = path.split(['.', '[']).next().unwrap_or_default();
    Failure::argument(argument, format!("argument `{path}`: {}", error.inner()))
}

/// The type of a value, in the words of [`Argument::kind`].
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "map",
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    let is = type_of(value);
    kind.split(" or ").any(|one| one == is || one == "any" || (one == "number" && is == "integer"))
}

/// The argument without which there would be no such error.
fn culprit<T: DeserializeOwned>(
    known: &[Argument],
    given: &Map<String, Value>,
    error: &str,
) -> Option<String> {
    let optional = known.iter().filter(|argument| !argument.required && given.contains_key(&argument.name));
    let mut names = optional.map(|argument| argument.name.as_str());
    let found = names.find(|name| {
        let rest = given.iter().filter(|(given, _)| given != name);
        let rest = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
        T::deserialize(Value::Object(rest)).err().is_none_or(|other| other.to_string() != error)
    });
    found.map(ToOwned::to_owned)
}

/// The first argument whose value check mode does not know although the function has to.
pub(super) fn unknown<T: JsonSchema + 'static>(positional: &[&str], arguments: &Value) -> Option<String> {
    misplaced::<T>(positional, arguments, marks::value_has_unknown, |known| known.takes_unknown)
}

/// The first argument with a value of a kind that it does not take.
fn misplaced<T: JsonSchema + 'static>(
    positional: &[&str],
    arguments: &Value,
    is_one: fn(&Value) -> bool,
    takes: fn(&Argument) -> bool,
) -> Option<String> {
    let Value::Object(map) = arguments else { return None };
    // Schemas are not free, and nearly no call has such a value.
    if !map.values().any(is_one) {
        return None;
    }
    let known = known::<T>(positional);
    map.iter()
        .find(|(name, value)| {
            is_one(value) && !known.iter().any(|known| known.name == **name && takes(known))
        })
        .map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)] // Only its schema and its errors matter here.
    struct Whole {
        /// Where it goes.
        path: String,
        #[serde(default)]
        count: Option<u8>,
        #[serde(flatten)]
        shared: Shared,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Shared {
        /// Who it belongs to.
        #[serde(default)]
        owner: Option<String>,
    }

    fn error(arguments: Value) -> (String, Option<String>) {
        let failure = parse::<Whole>(&["path"], &arguments).unwrap_err();
        (failure.to_string(), failure.hint())
    }

    #[test]
    fn flattened_arguments_are_arguments() {
        let known = known::<Whole>(&["path"]);
        let names: Vec<&str> = known.iter().map(|argument| argument.name.as_str()).collect();
        assert_eq!(names, ["path", "count", "owner"]);
        assert_eq!((known[2].documentation.as_str(), known[2].required), ("Who it belongs to.", false));
        assert!(
            parse::<Whole>(&["path"], &json!({"path": "/a", "count": null, "owner": "x"}))
                .is_ok_and(|whole| whole.shared.owner.as_deref() == Some("x"))
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        let cases = [
            (json!({"path": "/a", "onwer": "x"}), "unknown argument `onwer`", Some("did you mean `owner`?")),
            (json!({"owner": "x"}), "missing argument `path`", Some("Where it goes.")),
            (json!({"path": 1}), "argument `path` has to be string, not integer", None),
            (json!({"path": "/a", "owner": true}), "argument `owner` has to be string, not bool", None),
            (
                json!({"path": "/a", "count": 300}),
                "argument `count`: invalid value: integer `300`, expected u8",
                None,
            ),
        ];
        for (arguments, message, hint) in cases {
            assert_eq!(error(arguments), (message.to_owned(), hint.map(ToOwned::to_owned)));
        }
    }

    #[test]
    fn the_way_to_a_flattened_argument_is_found_again() {
        #[derive(Debug, Deserialize, JsonSchema)]
        #[allow(dead_code)]
        struct Outer {
            name: String,
            #[serde(flatten)]
            inner: Inner,
        }
        #[derive(Debug, Deserialize, JsonSchema)]
        #[allow(dead_code)]
        struct Inner {
            #[serde(default)]
            count: u8,
        }
        let failure = parse::<Outer>(&["name"], &json!({ "name": "a", "count": 300 })).unwrap_err();
        assert_eq!(failure.to_string(), "argument `count`: invalid value: integer `300`, expected u8");
    }
}
