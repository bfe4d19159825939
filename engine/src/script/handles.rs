//! The values `vars`, `facts`, `host`, `groups`, and what `hostvars()` and `handler()` give. They hold nothing: the host of the
//! current run answers.

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

use super::current;
use super::fault::{Ending, place};
use super::values::from_json;
use super::words::error;
use crate::diagnostic::Diagnostic;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// `vars`: the host's variables.
#[derive(Clone, Copy, Debug)]
pub struct Vars;

/// `facts`: what the host is.
#[derive(Clone, Copy, Debug)]
pub struct Facts;

/// `host`: its name and groups.
#[derive(Clone, Copy, Debug)]
pub struct HostRef;

/// `groups`: the inventory's groups and their hosts.
#[derive(Clone, Copy, Debug)]
pub struct Groups;

/// `hostvars("name")`: another host's variables.
#[derive(Clone, Debug)]
pub struct HostVars {
    /// The other host.
    pub name: ImmutableString,
}

/// A handler, by its name.
#[derive(Clone, Debug)]
pub struct HandlerRef {
    /// Its name.
    pub name: ImmutableString,
}

/// The word that a value of the engine's own stands for, if it is one: it travels by that name.
pub fn word(value: &Dynamic) -> Option<&'static str> {
    if value.is::<Vars>() {
        Some("vars")
    } else if value.is::<Facts>() {
        Some("facts")
    } else if value.is::<HostRef>() {
        Some("host")
    } else if value.is::<Groups>() {
        Some("groups")
    } else {
        None
    }
}

/// The value that a word stands for.
pub fn value(word: &str) -> Dynamic {
    match word {
        "vars" => Dynamic::from(Vars),
        "facts" => Dynamic::from(Facts),
        "host" => Dynamic::from(HostRef),
        "groups" => Dynamic::from(Groups),
        _ => Dynamic::UNIT,
    }
}

/// Registers the types.
pub(super) fn register(engine: &mut Engine) {
    register_vars(engine);
    register_host(engine);
    register_groups(engine);
    engine
        .register_type_with_name::<HandlerRef>("handler")
        .register_get("name", |handler: &mut HandlerRef| handler.name.clone())
        .register_type_with_name::<HostVars>("hostvars")
        .register_indexer_get(
            |context: NativeCallContext<'_>, vars: &mut HostVars, name: &str| -> Result<Dynamic> {
                let host = current::host(&context, "hostvars")?;
                match host.peer_variable(&context, &vars.name, name)? {
                    Some(value) => Ok(from_json(&value)),
                    None => {
                        error(&context, Diagnostic::new(format!("`{}` has no variable `{name}`", vars.name)))
                    }
                }
            },
        )
        .register_fn(
            "get",
            |context: NativeCallContext<'_>,
             vars: &mut HostVars,
             name: &str,
             otherwise: Dynamic|
             -> Result<Dynamic> {
                let host = current::host(&context, "hostvars")?;
                let value = host.peer_variable(&context, &vars.name, name)?;
                Ok(value.as_ref().map_or(otherwise, from_json))
            },
        );
}

fn register_vars(engine: &mut Engine) {
    engine
        .register_type_with_name::<Vars>("vars")
        .register_indexer_get(|context: NativeCallContext<'_>, _: &mut Vars, name: &str| -> Result<Dynamic> {
            let host = current::host(&context, "vars")?;
            match host.variable(&context, name)? {
                Some(value) => Ok(from_json(&value)),
                None => {
                    let names = host.near_variable_names();
                    error(
                        &context,
                        Diagnostic::new(format!("`{}` has no variable `{name}`", host.bundle.host.name))
                            .hint(format!("`vars.get(\"{name}\", default)` gives a default"))
                            .near(name, names.iter().map(String::as_str)),
                    )
                }
            }
        })
        .register_fn("get", |context: NativeCallContext<'_>, _: &mut Vars, name: &str| -> Result<Dynamic> {
            let value = current::host(&context, "vars")?.variable(&context, name)?;
            Ok(value.as_ref().map_or(Dynamic::UNIT, from_json))
        })
        .register_fn(
            "get",
            |context: NativeCallContext<'_>,
             _: &mut Vars,
             name: &str,
             otherwise: Dynamic|
             -> Result<Dynamic> {
                let value = current::host(&context, "vars")?.variable(&context, name)?;
                Ok(value.as_ref().map_or(otherwise, from_json))
            },
        )
        .register_fn("contains", |context: NativeCallContext<'_>, _: &mut Vars, name: &str| -> Result<bool> {
            Ok(current::host(&context, "vars")?.variable(&context, name)?.is_some())
        })
        .register_fn("names", |context: NativeCallContext<'_>, _: &mut Vars| -> Result<Array> {
            Ok(current::host(&context, "vars")?.variable_names().into_iter().map(Into::into).collect())
        });
}

fn register_host(engine: &mut Engine) {
    engine
        .register_type_with_name::<HostRef>("host")
        .register_get("name", |context: NativeCallContext<'_>, _: &mut HostRef| -> Result<String> {
            Ok(current::host(&context, "host")?.bundle.host.name.clone())
        })
        .register_get("groups", |context: NativeCallContext<'_>, _: &mut HostRef| -> Result<Array> {
            let host = current::host(&context, "host")?;
            Ok(host.bundle.host.groups.iter().map(|group| group.as_str().into()).collect())
        })
        .register_get("root_kind", |context: NativeCallContext<'_>, _: &mut HostRef| -> Result<String> {
            let host = current::host(&context, "host")?;
            Ok(host.here().system.root_kind().word().to_owned())
        })
        .register_get("check", |context: NativeCallContext<'_>, _: &mut HostRef| -> Result<bool> {
            Ok(current::host(&context, "host")?.checking())
        })
        .register_type_with_name::<Facts>("facts")
        .register_indexer_get(
            |context: NativeCallContext<'_>, _: &mut Facts, name: &str| -> Result<Dynamic> {
                let host = current::host(&context, "facts")?;
                match host.facts().get(name) {
                    Some(value) => Ok(from_json(&value)),
                    None if host.is_lost() => Err(Ending::Lost.throw(place(&context))),
                    None => {
                        let names: Vec<_> = crate::facts::names().collect();
                        error(
                            &context,
                            Diagnostic::new(format!(
                                "there is no fact `{name}` on `{}`",
                                host.bundle.host.name
                            ))
                            .hint(format!("the facts are {}", names.join(", ")))
                            .near(name, names.iter().copied()),
                        )
                    }
                }
            },
        )
        .register_fn(
            "get",
            |context: NativeCallContext<'_>,
             _: &mut Facts,
             name: &str,
             otherwise: Dynamic|
             -> Result<Dynamic> {
                let value = current::host(&context, "facts")?.facts().get(name);
                Ok(value.as_ref().map_or(otherwise, from_json))
            },
        );
}

fn register_groups(engine: &mut Engine) {
    engine
        .register_type_with_name::<Groups>("groups")
        .register_indexer_get(
            |context: NativeCallContext<'_>, _: &mut Groups, name: &str| -> Result<Dynamic> {
                match group(&context, name)? {
                    Some(hosts) => Ok(hosts.into()),
                    None => {
                        let names = group_names(&context)?;
                        error(
                            &context,
                            Diagnostic::new(format!("the inventory has no group `{name}`"))
                                .near(name, names.iter().map(String::as_str)),
                        )
                    }
                }
            },
        )
        .register_fn(
            "get",
            |context: NativeCallContext<'_>,
             _: &mut Groups,
             name: &str,
             otherwise: Dynamic|
             -> Result<Dynamic> { Ok(group(&context, name)?.map_or(otherwise, Into::into)) },
        )
        .register_fn(
            "contains",
            |context: NativeCallContext<'_>, _: &mut Groups, name: &str| -> Result<bool> {
                Ok(group(&context, name)?.is_some())
            },
        )
        .register_fn("names", |context: NativeCallContext<'_>, _: &mut Groups| -> Result<Array> {
            Ok(group_names(&context)?.into_iter().map(Into::into).collect())
        });
}

fn group(context: &NativeCallContext<'_>, name: &str) -> Result<Option<Array>> {
    let host = current::host(context, "groups")?;
    let hosts = host.bundle.neighbours.groups.get(name);
    Ok(hosts.map(|hosts| hosts.iter().map(|host| host.as_str().into()).collect()))
}

fn group_names(context: &NativeCallContext<'_>) -> Result<Vec<String>> {
    Ok(current::host(context, "groups")?.bundle.neighbours.groups.keys().cloned().collect())
}
