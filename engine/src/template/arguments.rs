//! The arguments of a filter, test or function, bound to parameter names as Python binds them.

use std::borrow::Cow;
use std::fmt;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::python;
use crate::diagnostic::near_match;

/// The body of a filter, test or function.
pub(super) type Body = fn(&mut State<'_, '_>, &Call) -> Result<Value, Error>;

/// A filter, test or function as the tables list it.
#[derive(Clone, Copy)]
pub(super) struct Callable {
    pub name: &'static str,
    /// Names in order, the value in front of the `|` first. `*name` takes all further positional arguments, what stands
    /// behind it is given by name only; `**` takes any other name.
    pub parameters: &'static [&'static str],
    pub body: Body,
    /// Whether it accepts undefined values; otherwise they are an error before it is called.
    pub forgiving: bool,
}

/// An entry of a table.
pub(super) const fn callable(
    name: &'static str,
    parameters: &'static [&'static str],
    body: Body,
) -> Callable {
    Callable { name, parameters, body, forgiving: false }
}

/// An entry that accepts undefined values.
pub(super) const fn forgiving(
    name: &'static str,
    parameters: &'static [&'static str],
    body: Body,
) -> Callable {
    Callable { name, parameters, body, forgiving: true }
}

impl Callable {
    /// Binds the arguments and calls the body; its errors get the name in front.
    pub fn call(&self, kind: &str, state: &mut State<'_, '_>, args: Rest<Value>) -> Result<Value, Error> {
        if !self.forgiving
            && let Some(missing) = args.iter().find(|arg| arg.is_undefined())
        {
            return Err(python::undefined(missing));
        }
        let call = Call::bind(self, kind, args.0)?;
        (self.body)(state, &call).map_err(|error| named(error, kind, self.name))
    }
}

fn named(error: Error, kind: &str, name: &str) -> Error {
    let source = std::error::Error::source(&error);
    let hint = source.and_then(|source| source.downcast_ref::<Hint>());
    let plain = error.kind() == ErrorKind::InvalidOperation
        && error.line().is_none()
        && (source.is_none() || hint.is_some());
    match error.detail() {
        Some(detail) if plain => {
            let named = Error::new(ErrorKind::InvalidOperation, format!("{kind} `{name}`: {detail}"));
            match hint {
                Some(Hint(text)) => named.with_source(Hint(text.clone())),
                None => named,
            }
        }
        _ => error,
    }
}

/// What to do about an error; carried as its source.
#[derive(Debug)]
pub(super) struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Hint {}

/// An error with a message.
pub(super) fn fail(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// An error about a name that has a near match among `known`.
pub(super) fn unknown<'k>(message: String, name: &str, known: impl IntoIterator<Item = &'k str>) -> Error {
    let error = fail(message);
    match near_match(name, known) {
        Some(near) => error.with_source(Hint(format!("did you mean `{near}`?"))),
        None => error,
    }
}

/// The arguments of one call.
pub(super) struct Call {
    parameters: &'static [&'static str],
    slots: Vec<Option<Value>>,
    /// The positional arguments beyond the named parameters.
    pub rest: Vec<Value>,
    /// The named arguments that have no position.
    extra: Vec<(String, Value)>,
}

impl Call {
    fn bind(callable: &Callable, kind: &str, mut args: Vec<Value>) -> Result<Self, Error> {
        let named = match args.pop_if(|last| last.is_kwargs()) {
            Some(last) => Some(Kwargs::try_from(last)?),
            None => None,
        };
        let (all, stars) = match callable.parameters.iter().position(|name| name.starts_with('*')) {
            Some(at) => callable.parameters.split_at(at),
            None => (callable.parameters, &[][..]),
        };
        let mut slots: Vec<Option<Value>> = Vec::with_capacity(all.len());
        let rest = args.split_off(args.len().min(all.len()));
        slots.extend(args.into_iter().map(Some));
        slots.resize(all.len(), None);
        if !rest.is_empty() && stars.first().is_none_or(|name| *name == "**") {
            let most = all.len().saturating_sub(1);
            let plural = if most == 1 { "" } else { "s" };
            let got = most + rest.len();
            let name = callable.name;
            return Err(fail(format!("{kind} `{name}` takes at most {most} argument{plural}, got {got}")));
        }
        let mut call = Self { parameters: all, slots, rest, extra: Vec::new() };
        if let Some(named) = named {
            call.bind_named(callable.name, kind, &named, stars)?;
        }
        Ok(call)
    }

    fn bind_named(
        &mut self,
        callable: &str,
        kind: &str,
        named: &Kwargs,
        stars: &[&'static str],
    ) -> Result<(), Error> {
        for name in named.args() {
            let value: Value = named.peek(name)?;
            match self.parameters.iter().position(|known| *known == name) {
                Some(at) if self.slots[at].is_some() => {
                    return Err(fail(format!("{kind} `{callable}` got its argument `{name}` twice")));
                }
                Some(at) => self.slots[at] = Some(value),
                None if stars.contains(&name) || stars.contains(&"**") => {
                    self.extra.push((name.to_owned(), value))
                }
                None => {
                    let message = format!("{kind} `{callable}` has no argument `{name}`");
                    let known = self.parameters.iter().skip(1).chain(stars).copied();
                    return Err(unknown(message, name, known));
                }
            }
        }
        Ok(())
    }

    /// An argument, if it was given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.parameters.iter().position(|known| *known == name)?;
        self.slots[at].as_ref()
    }

    /// An argument that is neither absent nor `none`.
    pub fn some(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_none())
    }

    /// An argument that is given by name only.
    pub fn extra(&self, name: &str) -> Option<&Value> {
        self.extra.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The arguments that are given by name only.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.extra.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A flag that is given by name only.
    pub fn extra_flag(&self, name: &str) -> bool {
        self.extra(name).is_some_and(Value::is_true)
    }

    /// An argument that has to be there.
    pub fn need(&self, name: &str) -> Result<&Value, Error> {
        self.get(name).ok_or_else(|| fail(format!("its argument `{name}` is missing")))
    }

    /// The value in front of the `|`.
    pub fn value(&self) -> Result<&Value, Error> {
        self.slots.first().and_then(Option::as_ref).ok_or_else(|| fail("it has nothing to work on"))
    }

    /// The value in front of the `|`, as text.
    pub fn input(&self) -> Result<String, Error> {
        python::text(self.value()?)
    }

    /// The value in front of the `|`, which has to be a text.
    pub fn string(&self) -> Result<&str, Error> {
        let value = self.value()?;
        value.as_str().ok_or_else(|| fail(format!("expected a text, got {}", python::type_name(value))))
    }

    /// The items of the value in front of the `|`.
    pub fn items(&self) -> Result<Vec<Value>, Error> {
        python::items(self.value()?)
    }

    /// An argument as text, or `default`.
    pub fn text(&self, name: &str, default: &str) -> Result<String, Error> {
        self.get(name).map_or_else(|| Ok(default.to_owned()), python::text)
    }

    /// An argument as a flag, by Python's truth.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, Value::is_true)
    }

    /// An argument that has to be an integer, if given and not `none`.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        self.some(name)
            .map(|value| {
                let number = matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
                number.then(|| i64::try_from(value.clone()).ok()).flatten().ok_or_else(|| {
                    fail(format!("its argument `{name}` is not an integer but {}", python::type_name(value)))
                })
            })
            .transpose()
    }
}
