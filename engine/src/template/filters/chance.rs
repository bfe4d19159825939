//! Filters that draw lots: the same ones for the same seed, as Python draws them.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};

use crate::template::python_random::Random;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("random", &["value", "start", "step", "seed"], random),
    callable("shuffle", &["value", "seed"], shuffle),
];

/// `random_mac`, which is from another collection.
pub(in crate::template) const GENERAL: &[Callable] =
    &[callable("random_mac", &["value", "seed"], random_mac)];

fn generator(call: &Call) -> Result<Random> {
    call.some("seed").map_or_else(|| Ok(Random::unseeded()), Random::of)
}

fn random(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let (start, step) = (call.integer("start")?.unwrap_or(0), call.integer("step")?.unwrap_or(0));
    if matches!(value.kind(), ValueKind::Number | ValueKind::Bool) {
        let end = i128::try_from(value.clone())
            .map_err(|_| fail("a float has no numbers below it to choose from"))?;
        let (start, step) = (i128::from(start), if step == 0 { 1 } else { i128::from(step) });
        let width = end - start;
        let count =
            if step > 0 { (width + step - 1).div_euclid(step) } else { (width + step + 1).div_euclid(step) };
        let count = u128::try_from(count).ok().filter(|count| *count > 0);
        let count = count.ok_or_else(|| fail(format!("there is no number from {start} to {end}")))?;
        // It is below the number that was given.
        let drawn = i128::try_from(generator(call)?.below(count)).unwrap_or(0);
        let number = start + step * drawn;
        return Ok(i64::try_from(number).map_or_else(|_| Value::from(number), Value::from));
    }
    let items = call.items()?;
    if start != 0 || step != 0 {
        return Err(fail("`start` and `step` are for numbers only"));
    }
    if items.is_empty() {
        return Err(Error::new(ErrorKind::InvalidOperation, "there is nothing to choose from"));
    }
    let at = generator(call)?.below(items.len() as u128);
    // It is below the length of the list.
    Ok(items[usize::try_from(at).unwrap_or(0)].clone())
}

/// What has no items is given back as it is, as Ansible does.
fn shuffle(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let Ok(mut items) = call.items() else { return call.value().cloned() };
    let mut random = match call.some("seed").filter(|seed| seed.is_true()) {
        Some(seed) => Random::of(seed)?,
        None => Random::unseeded(),
    };
    random.shuffle(&mut items);
    Ok(Value::from(items))
}

/// A hardware address that begins with the given bytes.
fn random_mac(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    const FIRST: u128 = 0x10_0000_0000;
    const BEHIND_LAST: u128 = 0x100_0000_0000;
    let prefix = call.input()?.to_lowercase();
    let bytes: Vec<&str> = prefix.split(':').collect();
    if bytes.len() > 5 {
        return Err(fail(format!("`{prefix}` has more than the 5 bytes that a prefix can have")));
    }
    let is_byte = |byte: &&str| byte.len() == 2 && byte.chars().all(|c| c.is_ascii_hexdigit());
    if let Some(byte) = bytes.iter().find(|byte| !is_byte(byte)) {
        return Err(fail(format!("`{byte}` in `{prefix}` is not a byte in hexadecimal")));
    }
    let drawn = FIRST + generator(call)?.below(BEHIND_LAST - FIRST);
    let digits: Vec<char> = format!("{drawn:x}").chars().take(2 * (6 - bytes.len())).collect();
    let rest: String =
        digits.chunks(2).flat_map(|pair| [':'].into_iter().chain(pair.iter().copied())).collect();
    Ok(Value::from(format!("{prefix}{rest}")))
}
