//! `query('sequence', 'start=1 end=5')`: numbers as texts.

use minijinja::{Error, Value};

use super::arguments::{fail, unknown};
use super::percent;

/// More numbers than anybody means to have.
const MOST: u64 = 1_000_000;

const FIELDS: [&str; 5] = ["start", "end", "count", "stride", "format"];

struct Sequence {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

/// The numbers of a term: `[start-]end[/stride][:format]`, or fields by their names.
pub(super) fn numbers(term: &str) -> Result<Value, Error> {
    let sequence = match short(term) {
        Some(sequence) => sequence,
        None => named(term)?,
    };
    sequence.numbers()
}

fn short(term: &str) -> Option<Sequence> {
    let (range, format) = term.split_once(':').map_or((term, None), |(range, format)| (range, Some(format)));
    let (range, stride) =
        range.split_once('/').map_or((range, None), |(range, stride)| (range, Some(stride)));
    let (start, end) = range.split_once('-').map_or((None, range), |(start, end)| (Some(start), end));
    let whole = |text: &str| integer(text).filter(|number| *number >= 0);
    Some(Sequence {
        start: start.map_or(Some(1), whole)?,
        end: Some(whole(end)?),
        count: None,
        stride: stride.map_or(Some(1), whole)?,
        format: format.unwrap_or("%d").to_owned(),
    })
}

/// Decimal, hexadecimal after `0x`, octal after `0`.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    plain.then(|| i64::from_str_radix(digits, radix).ok()).flatten().map(|number| sign * number)
}

fn named(term: &str) -> Result<Sequence, Error> {
    let mut sequence = Sequence { start: 1, end: None, count: None, stride: 1, format: "%d".to_owned() };
    for pair in term.split_whitespace() {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(fail(format!("`{pair}` in `{term}` is not a pair like `end=5`")));
        };
        let value = value.trim_matches(['"', '\'']);
        let number = || integer(value).ok_or_else(|| fail(format!("`{value}` in `{term}` is not a number")));
        match name {
            "start" => sequence.start = number()?,
            "end" => sequence.end = Some(number()?),
            "count" => sequence.count = Some(number()?),
            "stride" => sequence.stride = number()?,
            "format" => sequence.format = value.to_owned(),
            other => return Err(unknown(format!("a sequence has no `{other}`"), other, FIELDS)),
        }
    }
    Ok(sequence)
}

impl Sequence {
    fn numbers(&self) -> Result<Value, Error> {
        let end = match (self.count, self.end) {
            (None, None) => return Err(fail("a sequence needs its `end` or its `count`")),
            (Some(_), Some(_)) => return Err(fail("a sequence has an `end` or a `count`, not both")),
            (Some(0), None) => return Ok(Value::from(Vec::<Value>::new())),
            (Some(count), None) => self.start + count * self.stride - self.stride.signum(),
            (None, Some(end)) => end,
        };
        if (self.stride > 0 && end < self.start) || (self.stride < 0 && end > self.start) {
            return Err(fail(format!("from {} to {end} it is not {} a step", self.start, self.stride)));
        }
        if self.format.matches('%').count() != 1 {
            return Err(fail(format!(
                "the format `{}` has no place for a number, or more than one",
                self.format
            )));
        }
        if self.stride == 0 {
            return Ok(Value::from(Vec::<Value>::new()));
        }
        let count = (end - self.start).unsigned_abs() / self.stride.unsigned_abs() + 1;
        if count > MOST {
            return Err(fail(format!("more than {MOST} numbers")));
        }
        let number = |at: u64| self.start + i64::try_from(at).unwrap_or(0) * self.stride;
        (0..count)
            .map(|at| percent::format(&self.format, &[Value::from(number(at))]).map(Value::from))
            .collect()
    }
}
