//! YAML as PyYAML reads and writes it.

use minijinja::value::Serde;
use minijinja::{Error, State, Value};

use crate::origin::SourceText;
use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::yaml_writer::{Style, write};
use crate::yaml::Document;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("to_yaml", &["value", "*", "default_flow_style", "indent", "**"], |_, call| {
        let flow = call.extra("default_flow_style").filter(|flow| !flow.is_none()).map(Value::is_true);
        dump(call, flow, call.extra("indent"), 2)
    }),
    callable("to_nice_yaml", &["value", "indent", "**"], |_, call| {
        if call.extra("default_flow_style").is_some() {
            return Err(fail("`default_flow_style` is what makes it nice; `to_yaml` takes it"));
        }
        dump(call, Some(false), call.get("indent"), 4)
    }),
    callable("from_yaml", &["value"], from_yaml),
    callable("from_yaml_all", &["value"], from_yaml_all),
];

/// What PyYAML's `dump` can be told, beside the style and the indentation.
const OPTIONS: [&str; 4] = ["width", "sort_keys", "explicit_start", "explicit_end"];

fn dump(call: &Call, flow: Option<bool>, indent: Option<&Value>, default_indent: usize) -> Result<Value> {
    let mut style = Style {
        flow,
        indent: indent
            .map_or(Some(default_indent), Value::as_usize)
            .filter(|n| (2..=9).contains(n))
            .unwrap_or(2),
        ..Style::default()
    };
    for (name, value) in call.named().filter(|(name, _)| !["indent", "default_flow_style"].contains(name)) {
        match name {
            "width" => {
                let width =
                    value.as_usize().or_else(|| f64::try_from(value.clone()).ok().map(|_| usize::MAX));
                style.width = width.ok_or_else(|| fail("its argument `width` is not a number"))?;
            }
            "sort_keys" => style.sort = value.is_true(),
            "explicit_start" => style.explicit_start = value.is_true(),
            "explicit_end" => style.explicit_end = value.is_true(),
            other => {
                return Err(fail(format!(
                    "its argument `{other}` is not supported; it takes {}",
                    OPTIONS.map(|option| format!("`{option}`")).join(", ")
                )));
            }
        }
    }
    write(call.value()?, &style).map(Value::from)
}

fn from_yaml(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    match call.value()?.as_str() {
        Some(text) => read(text),
        None => call.value().cloned(),
    }
}

/// Several documents: each begins at a line `---`.
fn from_yaml_all(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let Some(text) = call.value()?.as_str() else { return call.value().cloned() };
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let marker = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        };
        if marker("---") || marker("...") {
            documents.push(line.get(3..).unwrap_or("").to_owned());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
        }
    }
    // Nothing stands before the first mark.
    if documents.len() > 1 && documents[0].trim().is_empty() {
        documents.remove(0);
    }
    documents.iter().map(|document| read(document)).collect::<Result<Vec<Value>>>().map(Value::from)
}

fn read(text: &str) -> Result<Value> {
    let document = Document::parse(&SourceText::new("the text", text));
    let document = document.map_err(|error| {
        let place = error.at.as_ref().map(|at| format!(" in its line {}", at.line)).unwrap_or_default();
        fail(format!("not YAML: {}{place}", error.message))
    })?;
    Ok(document.root.map_or(Value::from(()), |root| Value::from(Serde(root.to_json()))))
}
