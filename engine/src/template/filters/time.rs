//! Times and how they are written.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python_datetime::DateTime;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("strftime", &["value", "second", "utc"], strftime),
    callable("to_datetime", &["value", "format"], |_, call| {
        DateTime::parse(&call.input()?, &call.text("format", "%Y-%m-%d %H:%M:%S")?).map(Value::from_object)
    }),
];

/// The function `now`.
pub(in crate::template) fn now(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let now = DateTime::now();
    match call.some("fmt").and_then(Value::as_str) {
        Some(format) => Ok(Value::from(now.format(format, None))),
        None => Ok(Value::from_object(now)),
    }
}

/// A moment since 1970, or now, in UTC.
fn strftime(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let moment = match call.some("second") {
        Some(second) => {
            let text = crate::template::python::text(second)?;
            let number: f64 =
                text.trim().parse().map_err(|_| fail(format!("`{text}` is not a number of seconds")))?;
            #[allow(clippy::cast_possible_truncation, reason = "times beyond are cut off")]
            DateTime::of_seconds(number.floor() as i64)
        }
        None => DateTime::now(),
    };
    let zone = if call.flag("utc", false) { "GMT" } else { "UTC" };
    Ok(Value::from(moment.format(&call.input()?, Some(zone))))
}
