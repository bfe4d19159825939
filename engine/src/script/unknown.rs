//! How Rhai treats a value that only a real run knows.

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

use super::fault::{Ending, place};
use super::marks;
use super::values::Unknown;

/// What a comparison gives: it ends the prediction.
type Never = Result<bool, Box<EvalAltResult>>;

fn ends(context: &NativeCallContext<'_>) -> Never {
    Err(Ending::Unknown.throw(place(context)))
}

/// Registers the type: rendering gives its mark, computing gives unknown again, comparing ends the prediction.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Unknown>("unknown")
        .register_fn("to_string", |_: &mut Unknown| ImmutableString::from(marks::UNKNOWN))
        .register_fn("to_debug", |_: &mut Unknown| ImmutableString::from(marks::UNKNOWN))
        .register_indexer_get(|_: &mut Unknown, _: Dynamic| Unknown)
        .register_fn("!", |context: NativeCallContext<'_>, _: Unknown| ends(&context));
    for operator in ["==", "!=", "<", ">", "<=", ">="] {
        engine
            .register_fn(operator, |context: NativeCallContext<'_>, _: Unknown, _: Dynamic| ends(&context))
            .register_fn(operator, |context: NativeCallContext<'_>, _: Dynamic, _: Unknown| ends(&context))
            .register_fn(operator, |context: NativeCallContext<'_>, _: Unknown, _: Unknown| ends(&context));
    }
    for operator in ["+", "-", "*", "/", "%"] {
        engine
            .register_fn(operator, |_: Unknown, _: Dynamic| Unknown)
            .register_fn(operator, |_: Dynamic, _: Unknown| Unknown);
    }
    for method in [
        "len",
        "trim",
        "is_empty",
        "to_int",
        "to_float",
        "parse_int",
        "parse_float",
        "to_upper",
        "to_lower",
        "make_upper",
        "make_lower",
        "keys",
        "values",
        "chars",
        "lines",
        "to_blob",
    ] {
        engine.register_fn(method, |_: &mut Unknown| Unknown);
    }
    for method in [
        "contains",
        "starts_with",
        "ends_with",
        "split",
        "replace",
        "sub_string",
        "index_of",
        "get",
        "remove",
        "crop",
        "truncate",
        "filter",
        "map",
        "find",
        "some",
        "all",
        "parse_int",
    ] {
        engine.register_fn(method, |_: &mut Unknown, _: Dynamic| Unknown);
        engine.register_fn(method, |_: &mut Unknown, _: Dynamic, _: Dynamic| Unknown);
    }
}
