//! How Rhai treats a secret.

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

use super::current;
use super::values::Secret;
use super::words::error;
use crate::diagnostic::Diagnostic;
use crate::secrets::{HIDDEN, mark};

/// Registers the type: as text it is its mark, and it can be compared with a text or another secret.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Secret>("secret")
        .register_fn("to_string", |secret: &mut Secret| ImmutableString::from(mark(secret.0)))
        .register_fn("to_debug", |_: &mut Secret| ImmutableString::from(HIDDEN))
        .register_fn("==", |a: Secret, b: Secret| a == b)
        .register_fn("!=", |a: Secret, b: Secret| a != b)
        .register_fn("==", |a: Secret, b: &str| value(a).as_deref() == Some(b))
        .register_fn("!=", |a: Secret, b: &str| value(a).as_deref() != Some(b))
        .register_fn("==", |a: &str, b: Secret| value(b).as_deref() == Some(a))
        .register_fn("!=", |a: &str, b: Secret| value(b).as_deref() != Some(a));
    for method in ["len", "chars", "bytes", "to_blob", "split", "sub_string", "to_upper", "to_lower", "trim"]
    {
        engine
            .register_fn(method, refuse)
            .register_fn(method, |context: NativeCallContext<'_>, secret: &mut Secret, _: Dynamic| {
                refuse(context, secret)
            });
    }
}

fn value(secret: Secret) -> Option<String> {
    current::secrets()?.value(secret.0)
}

/// What takes a text apart would find a mark instead of the value.
fn refuse(context: NativeCallContext<'_>, _: &mut Secret) -> Result<Dynamic, Box<EvalAltResult>> {
    let message = format!("`{}` can't look into a secret", context.fn_name());
    error(&context, Diagnostic::new(message).hint("a secret can be passed on, joined with text and compared"))
}
