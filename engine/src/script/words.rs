//! The words of the language: `play`, `role`, `task`, `handler` and the like, and the values `vars`, `facts`, `host`, `groups`.

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};

use super::call::options;
use super::current::{self, Current};
use super::fault::{Ending, Fault, place};
use super::handles::{Facts, Groups, HandlerRef, HostRef, HostVars, Vars};
use super::marks::readable;
use super::outcome::Outcome;
use super::values::{Secret, Unknown, from_json};
use crate::diagnostic::Diagnostic;
use crate::event::EventKind;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Those that are only possible where the play is evaluated on the controller.
pub const NEED_CONTROLLER: [&str; 3] = ["on", "once", "barrier"];

/// An error of a word, at the place of its call.
pub(super) fn error<T>(context: &NativeCallContext<'_>, mut diagnostic: Diagnostic) -> Result<T> {
    diagnostic.at = diagnostic.at.or_else(|| place(context));
    Err(Fault::new(diagnostic).throw(context.call_position()))
}

/// Registers all words.
pub(super) fn register(engine: &mut Engine) {
    #[allow(deprecated)]
    // Rhai's word for "may change": there is no other way to have values that functions see too.
    engine.on_var(|name, _, context| {
        let value = match name {
            "vars" => Dynamic::from(Vars),
            "facts" => Dynamic::from(Facts),
            "host" => Dynamic::from(HostRef),
            "groups" => Dynamic::from(Groups),
            _ => return Ok(None),
        };
        // A script's own variable of that name is the nearer one.
        Ok((!context.scope().contains(name)).then_some(value))
    });
    super::handles::register(engine);
    register_plays(engine);
    register_structure(engine);
    register_handlers(engine);
    register_endings(engine);
    register_faults(engine);
}

fn register_plays(engine: &mut Engine) {
    engine.register_fn(
        "play",
        |context: NativeCallContext<'_>, name: &str, options: Map, body: FnPtr| -> Result<()> {
            let Some(Current::TopLevel(top)) = current::current() else {
                return error(
                    &context,
                    Diagnostic::new("a play can't contain a play")
                        .hint("plays stand side by side at the top level"),
                );
            };
            top.add_play(&context, name, options, &body)
        },
    );
    engine.register_fn("prompt", |context: NativeCallContext<'_>, question: &str| -> Result<Dynamic> {
        prompt(&context, question, false)
    });
    engine.register_fn(
        "prompt",
        |context: NativeCallContext<'_>, question: &str, options: Map| -> Result<Dynamic> {
            let private = options.get("secret").is_some_and(|value| value.as_bool() == Ok(true));
            if let Some(unknown) = options.keys().find(|key| key.as_str() != "secret") {
                return error(
                    &context,
                    Diagnostic::new(format!("`prompt` has no option `{unknown}`")).near(unknown, ["secret"]),
                );
            }
            prompt(&context, question, private)
        },
    );
    // What the host appends to a playbook's imports and constants: the body of the play it was sent.
    engine.register_fn(super::host::ENTRY, |context: NativeCallContext<'_>| -> Result<()> {
        let host = current::host(&context, "play")?;
        host.run_body(&context)
    });
}

/// Asks; a private answer is a secret.
fn prompt(context: &NativeCallContext<'_>, question: &str, private: bool) -> Result<Dynamic> {
    match current::current() {
        Some(Current::TopLevel(top)) => match top.prompt(question, private) {
            Ok(answer) if private => Ok(Dynamic::from(Secret(top.secrets.add(&answer)))),
            Ok(answer) => Ok(answer.into()),
            Err(reason) => error(context, Diagnostic::new(format!("nobody answered `{question}`: {reason}"))),
        },
        _ => error(
            context,
            Diagnostic::new("`prompt` asks the person at the controller, not a host")
                .hint("ask at the top level of the playbook and use the answer in the play"),
        ),
    }
}

fn register_structure(engine: &mut Engine) {
    engine.register_fn("role", |context: NativeCallContext<'_>, name: &str| -> Result<()> {
        current::host(&context, "role")?.run_role(&context, name, Map::new())
    });
    engine.register_fn("role", |context: NativeCallContext<'_>, name: &str, parameters: Map| -> Result<()> {
        current::host(&context, "role")?.run_role(&context, name, parameters)
    });
    engine.register_fn("defaults", |context: NativeCallContext<'_>, values: Map| -> Result<()> {
        let host = current::host(&context, "defaults")?;
        match options(&Dynamic::from_map(values)) {
            Ok(values) => {
                host.set_defaults(values);
                Ok(())
            }
            Err(what) => error(&context, Diagnostic::new(format!("`defaults` can't take {what}"))),
        }
    });
    engine.register_fn(
        "task",
        |context: NativeCallContext<'_>, name: &str, body: FnPtr| -> Result<Dynamic> {
            current::host(&context, "task")?.run_task(&context, name, Map::new(), &body)
        },
    );
    engine.register_fn(
        "task",
        |context: NativeCallContext<'_>, name: &str, options: Map, body: FnPtr| -> Result<Dynamic> {
            current::host(&context, "task")?.run_task(&context, name, options, &body)
        },
    );
    engine.register_fn("on", |context: NativeCallContext<'_>, name: &str, body: FnPtr| -> Result<Dynamic> {
        current::host(&context, "on")?.run_on(&context, name, &body)
    });
    engine.register_fn("once", |context: NativeCallContext<'_>, body: FnPtr| -> Result<Dynamic> {
        current::host(&context, "once")?.run_once(&context, &body)
    });
    engine.register_fn("barrier", |context: NativeCallContext<'_>, name: &str| -> Result<()> {
        current::host(&context, "barrier")?.wait_at_barrier(&context, name)
    });
    engine.register_fn("hostvars", |context: NativeCallContext<'_>, name: &str| -> Result<HostVars> {
        current::host(&context, "hostvars")?.peer(&context, name)
    });
}

fn register_handlers(engine: &mut Engine) {
    engine.register_fn(
        "handler",
        |context: NativeCallContext<'_>, name: &str, body: FnPtr| -> Result<HandlerRef> {
            current::host(&context, "handler")?.define_handler(&context, name, body)
        },
    );
    engine.register_fn("notify", |context: NativeCallContext<'_>, name: &str| -> Result<()> {
        current::host(&context, "notify")?.notify(&context, name, None)
    });
    engine.register_fn("notify", |context: NativeCallContext<'_>, handler: HandlerRef| -> Result<()> {
        current::host(&context, "notify")?.notify(&context, &handler.name, None)
    });
    engine.register_fn(
        "notify",
        |context: NativeCallContext<'_>, outcome: &mut Outcome, name: &str| -> Result<Outcome> {
            current::host(&context, "notify")?.notify_if(&context, outcome, name)
        },
    );
    engine.register_fn(
        "notify",
        |context: NativeCallContext<'_>, outcome: &mut Outcome, handler: HandlerRef| -> Result<Outcome> {
            current::host(&context, "notify")?.notify_if(&context, outcome, &handler.name)
        },
    );
    engine.register_fn("flush_handlers", |context: NativeCallContext<'_>| -> Result<()> {
        current::host(&context, "flush_handlers")?.flush_handlers(context.engine())
    });
    engine
        .register_type_with_name::<Outcome>("outcome")
        .register_fn("to_string", |outcome: &mut Outcome| ImmutableString::from(outcome.to_string()))
        .register_indexer_get(
            |context: NativeCallContext<'_>, outcome: &mut Outcome, name: &str| -> Result<Dynamic> {
                outcome.field(&context, name)
            },
        );
}

fn register_endings(engine: &mut Engine) {
    engine.register_fn("end_host", |context: NativeCallContext<'_>| -> Result<()> {
        Err(Ending::Host.throw(place(&context)))
    });
    engine.register_fn("end_play", |context: NativeCallContext<'_>| -> Result<()> {
        Err(Ending::Play.throw(place(&context)))
    });
    engine.register_fn("fail", |context: NativeCallContext<'_>, message: &str| -> Result<()> {
        error(&context, Diagnostic::new(readable(message)))
    });
    engine.register_fn("assert", |context: NativeCallContext<'_>, condition: bool| -> Result<()> {
        if condition { Ok(()) } else { error(&context, Diagnostic::new("assertion failed")) }
    });
    engine.register_fn(
        "assert",
        |context: NativeCallContext<'_>, condition: bool, message: &str| -> Result<()> {
            if condition {
                return Ok(());
            }
            error(&context, Diagnostic::new(format!("assertion failed: {}", readable(message))))
        },
    );
    engine.register_fn("assert", |context: NativeCallContext<'_>, _: Unknown| -> Result<()> {
        Err(Ending::Unknown.throw(place(&context)))
    });
    engine.register_fn("assert", |context: NativeCallContext<'_>, _: Unknown, _: &str| -> Result<()> {
        Err(Ending::Unknown.throw(place(&context)))
    });
    engine.register_fn("warn", |context: NativeCallContext<'_>, message: &str| {
        let mut warning = Diagnostic::new(readable(message));
        warning.at = place(&context);
        match current::current() {
            Some(Current::Host(host)) => host.emit(EventKind::Warning(Box::new(warning))),
            Some(Current::TopLevel(top)) => top.warn(warning),
            None => {}
        }
    });
}

fn register_faults(engine: &mut Engine) {
    engine
        .register_type_with_name::<Fault>("error")
        .register_fn("to_string", |fault: &mut Fault| ImmutableString::from(fault.summary()))
        .register_indexer_get(
            |context: NativeCallContext<'_>, fault: &mut Fault, name: &str| -> Result<Dynamic> {
                let at = fault.diagnostic.at.as_ref();
                Ok(match name {
                    "message" => fault.summary().into(),
                    "function" => fault.function.as_str().into(),
                    "stderr" | "output" => fault.diagnostic.output.clone().unwrap_or_default().into(),
                    "rc" => fault.status.map_or(Dynamic::UNIT, |status| i64::from(status).into()),
                    "path" => at.map_or(Dynamic::UNIT, |at| at.path.as_str().into()),
                    "line" => at.map_or(Dynamic::UNIT, |at| from_json(&at.line.into())),
                    "column" => at.map_or(Dynamic::UNIT, |at| from_json(&at.column.into())),
                    "hint" => fault.diagnostic.hint.clone().map_or(Dynamic::UNIT, Into::into),
                    _ => {
                        let known = ["message", "function", "stderr", "rc", "path", "line", "column", "hint"];
                        return error(
                            &context,
                            Diagnostic::new(format!("an error has no field `{name}`"))
                                .hint(format!("it has {}", known.join(", "))),
                        );
                    }
                })
            },
        );
}
