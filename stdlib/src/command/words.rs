//! The words of a command line and the values of an environment.

use refrain_engine::failure::Failure;
use refrain_engine::module::Text;
use refrain_engine::system::{Content, quote};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text; numbers, `true` and `false` are written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(pub Text);

impl Word {
    /// The text, if it is known.
    pub fn known(&self) -> Option<String> {
        // It was a text when the playbook gave it.
        self.0.content.known().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

impl TryFrom<Value> for Word {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::String(text) => Ok(Self(Text::new(text))),
            Value::Number(number) => Ok(Self(Text::new(number.to_string()))),
            Value::Bool(flag) => Ok(Self(Text::new(flag.to_string()))),
            Value::Null => Err("a word can't be `()`"),
            Value::Array(_) => Err("a word can't be an array"),
            Value::Object(_) => Err("a word can't be a map"),
        }
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// The schema of the words of a command line: check mode need not know them, but other users of the host see them.
pub fn words_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": ["string", "number", "boolean"], "x-unknown": true } })
}

/// The schema of an environment, which nobody else sees.
pub fn environment_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": ["string", "number", "boolean"], "x-unknown": true, "x-secret": true
        }
    })
}

/// Whether these can be the names of variables.
///
/// # Errors
/// One of them can't.
pub fn check_variable_names<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
    match names.find(|name| name.is_empty() || name.contains(['=', '\0'])) {
        None => Ok(()),
        Some(name) => {
            Err(Failure::argument("environment", format!("`{name}` can't be the name of a variable")))
        }
    }
}

/// A program with its arguments: an array, or the program alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argv {
    /// Only a program.
    Program(Word),
    /// A program and its arguments.
    Words(Vec<Word>),
}

impl Argv {
    /// The words, the program first.
    ///
    /// # Errors
    /// There are none, or the program alone looks like a whole line for a shell.
    pub fn words(&self) -> Result<&[Word], Failure> {
        let words = match self {
            Self::Program(program) => std::slice::from_ref(program),
            Self::Words(words) => words,
        };
        match (self, words.first().map(Word::known)) {
            (_, None) => Err(Failure::argument("argv", "the command is empty")),
            (Self::Program(_), Some(Some(line))) if line.trim().contains(char::is_whitespace) => {
                let words: Vec<String> = line.split_whitespace().map(|word| format!("{word:?}")).collect();
                Err(Failure::argument("argv", format!("`{line}` is no program: it is a line for a shell"))
                    .advise(format!(
                        "give the words, [{}], or let a shell read it: command::shell(…)",
                        words.join(", ")
                    )))
            }
            _ => Ok(words),
        }
    }
}

impl<'de> Deserialize<'de> for Argv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let argv = match Value::deserialize(deserializer)? {
            Value::Array(words) => {
                words.into_iter().map(Word::try_from).collect::<Result<_, _>>().map(Self::Words)
            }
            program => Word::try_from(program).map(Self::Program),
        };
        argv.map_err(D::Error::custom)
    }
}

impl JsonSchema for Argv {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Argv".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let program = json_schema!({ "type": "string", "x-unknown": true });
        json_schema!({ "anyOf": [program, words_schema(generator)] })
    }
}

/// Words as a shell would be given them, for people.
pub fn line<'a>(words: impl IntoIterator<Item = &'a Word>) -> String {
    let shown = words.into_iter().map(|word| match &word.0.content {
        Content::Known(bytes) => quote(&String::from_utf8_lossy(bytes)),
        Content::Unknown => "(unknown)".to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}
