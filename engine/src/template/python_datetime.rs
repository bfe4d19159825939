//! Python's `datetime` and `timedelta`, as `to_datetime` and `now` give them. They know of no time zone; where one is asked
//! for it is UTC.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::fail;
use super::python;
use crate::facts::clock::{civil, days_from_civil};

mod parse;

type Result<T> = std::result::Result<T, Error>;

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment: microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DateTime(i64);

/// What lies between two moments, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeDelta(i64);

/// A moment in the calendar.
struct Fields {
    year: i64,
    month: u32,
    day: u32,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
    /// Days since Sunday.
    weekday: i64,
    /// Days since the first of January.
    yearday: i64,
}

impl DateTime {
    pub fn of_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
    }

    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    fn fields(self) -> Fields {
        let (days, seconds) = (self.seconds().div_euclid(DAY), self.seconds().rem_euclid(DAY));
        let (year, month, day) = civil(days);
        Fields {
            year,
            month,
            day,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micro: self.0.rem_euclid(MICROS),
            weekday: (days + 4).rem_euclid(7),
            yearday: days - days_from_civil(year, 1, 1),
        }
    }

    /// `datetime.strptime(text, format)`.
    pub fn parse(text: &str, format: &str) -> Result<Self> {
        match parse::moment(text, format)? {
            Some(moment) => Ok(moment),
            None => Err(fail(format!("`{text}` is not a time as `{format}` has it"))),
        }
    }

    /// `strftime(format)`; `zone` is what UTC is called, if it is known to be that.
    pub fn format(self, format: &str, zone: Option<&str>) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let before = chars.as_str();
            let mut flag = None;
            let mut letter = chars.next();
            while let Some(c @ ('-' | '_' | '0' | '^' | '#')) = letter {
                flag = Some(c);
                letter = chars.next();
            }
            match letter.and_then(|letter| self.directive(letter, flag, zone)) {
                Some(text) if flag == Some('^') => out.push_str(&text.to_uppercase()),
                Some(text) => out.push_str(&text),
                None => {
                    out.push('%');
                    out.push_str(&before[..before.len() - chars.as_str().len()]);
                }
            }
        }
        out
    }

    fn directive(self, letter: char, flag: Option<char>, zone: Option<&str>) -> Option<String> {
        let at = self.fields();
        let padded = |number: i64, width: usize, fill: char| match flag {
            Some('-') => number.to_string(),
            Some('_') => format!("{number:>width$}"),
            Some('0') => format!("{number:0>width$}"),
            _ if fill == ' ' => format!("{number:>width$}"),
            _ => format!("{number:0>width$}"),
        };
        let two = |number: i64| padded(number, 2, '0');
        let hour12 = (at.hour + 11) % 12 + 1;
        let (iso_year, iso_week) = iso_week(&at);
        let month = MONTHS[at.month as usize - 1];
        // It is below 7.
        let weekday = WEEKDAYS[usize::try_from(at.weekday).unwrap_or(0)];
        let all = |format: &str| Some(self.format(format, zone));
        Some(match letter {
            'Y' => padded(at.year, 1, '0'),
            'C' => two(at.year / 100),
            'y' => two(at.year.rem_euclid(100)),
            'G' => iso_year.to_string(),
            'g' => two(iso_year.rem_euclid(100)),
            'm' => two(at.month.into()),
            'd' => two(at.day.into()),
            'e' => padded(at.day.into(), 2, ' '),
            'H' => two(at.hour),
            'k' => padded(at.hour, 2, ' '),
            'I' => two(hour12),
            'l' => padded(hour12, 2, ' '),
            'M' => two(at.minute),
            'S' => two(at.second),
            'f' if zone.is_none() => format!("{:06}", at.micro),
            'j' => padded(at.yearday + 1, 3, '0'),
            'U' => two((at.yearday + 7 - at.weekday) / 7),
            'W' => two((at.yearday + 7 - (at.weekday + 6) % 7) / 7),
            'V' => two(iso_week),
            'u' => ((at.weekday + 6) % 7 + 1).to_string(),
            'w' => at.weekday.to_string(),
            'a' => weekday[..3].to_owned(),
            'A' => weekday.to_owned(),
            'b' | 'h' => month[..3].to_owned(),
            'B' => month.to_owned(),
            'p' => if at.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'P' => if at.hour < 12 { "am" } else { "pm" }.to_owned(),
            's' => self.seconds().to_string(),
            'z' => if zone.is_some() { "+0000" } else { "" }.to_owned(),
            'Z' => zone.unwrap_or("").to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            'D' | 'x' => return all("%m/%d/%y"),
            'F' => return all("%Y-%m-%d"),
            'T' | 'X' => return all("%H:%M:%S"),
            'R' => return all("%H:%M"),
            'r' => return all("%I:%M:%S %p"),
            'c' => return all("%a %b %e %H:%M:%S %Y"),
            _ => return None,
        })
    }
}

/// The year and week of ISO 8601: a week belongs to the year that its Thursday is in.
fn iso_week(at: &Fields) -> (i64, i64) {
    let monday_based = (at.weekday + 6) % 7;
    let thursday = days_from_civil(at.year, 1, 1) + at.yearday - monday_based + 3;
    let (year, _, _) = civil(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micro = self.fields().micro;
        let fraction = if micro == 0 { String::new() } else { format!(".{micro:06}") };
        write!(f, "{}{fraction}", self.format("%Y-%m-%d %H:%M:%S", None))
    }
}

impl fmt::Display for TimeDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds, micros) = self.parts();
        match days {
            0 => {}
            1 | -1 => write!(f, "{days} day, ")?,
            _ => write!(f, "{days} days, ")?,
        }
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros == 0 { Ok(()) } else { write!(f, ".{micros:06}") }
    }
}

impl TimeDelta {
    /// Days, and from there seconds and microseconds forwards.
    fn parts(self) -> (i64, i64, i64) {
        let seconds = self.0.div_euclid(MICROS);
        (seconds.div_euclid(DAY), seconds.rem_euclid(DAY), self.0.rem_euclid(MICROS))
    }

    #[allow(clippy::cast_precision_loss, reason = "a float is what Python gives")]
    fn total_seconds(self) -> f64 {
        self.0 as f64 / MICROS as f64
    }
}

/// What Python calls an object of these.
pub(super) fn type_name(value: &Value) -> Option<&'static str> {
    let moment = value.downcast_object_ref::<DateTime>().map(|_| "datetime");
    moment.or_else(|| value.downcast_object_ref::<TimeDelta>().map(|_| "timedelta"))
}

/// `a - b`, of moments as of numbers.
pub(super) fn minus(a: &Value, b: &Value) -> Result<Value> {
    let (moment, other) = (a.downcast_object_ref::<DateTime>(), b.downcast_object_ref::<DateTime>());
    let length = b.downcast_object_ref::<TimeDelta>();
    match (moment, other, length) {
        (Some(a), Some(b), _) => return Ok(Value::from_object(TimeDelta(a.0.saturating_sub(b.0)))),
        (Some(a), _, Some(b)) => return Ok(Value::from_object(DateTime(a.0.saturating_sub(b.0)))),
        _ => {}
    }
    let number = |value: &Value| {
        let wrong = || fail(format!("{} can't be subtracted from", python::type_name(value)));
        f64::try_from(value.clone()).map_err(|_| wrong())
    };
    match (i128::try_from(a.clone()), i128::try_from(b.clone())) {
        (Ok(x), Ok(y)) if a.is_integer() && b.is_integer() => {
            let difference = x - y;
            Ok(i64::try_from(difference).map_or_else(|_| Value::from(difference), Value::from))
        }
        _ => Ok(Value::from(number(a)? - number(b)?)),
    }
}

impl Object for DateTime {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = self.fields();
        Some(match key.as_str()? {
            "year" => Value::from(at.year),
            "month" => Value::from(at.month),
            "day" => Value::from(at.day),
            "hour" => Value::from(at.hour),
            "minute" => Value::from(at.minute),
            "second" => Value::from(at.second),
            "microsecond" => Value::from(at.micro),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value> {
        let at = self.fields();
        Ok(match method {
            "strftime" => {
                let format = args.first().and_then(Value::as_str);
                Value::from(self.format(format.ok_or_else(|| fail("`strftime` needs a format"))?, None))
            }
            "isoformat" => {
                let separator = args.first().and_then(Value::as_str).unwrap_or("T");
                Value::from(self.to_string().replacen(' ', separator, 1))
            }
            "timestamp" => Value::from(TimeDelta(self.0).total_seconds()),
            "weekday" => Value::from((at.weekday + 6) % 7),
            "isoweekday" => Value::from((at.weekday + 6) % 7 + 1),
            "date" => Value::from(self.format("%Y-%m-%d", None)),
            "time" => Value::from(self.format("%H:%M:%S", None)),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some((**self).cmp(other.downcast_ref::<Self>()?))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl Object for TimeDelta {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (days, seconds, micros) = self.parts();
        Some(Value::from(match key.as_str()? {
            "days" => days,
            "seconds" => seconds,
            "microseconds" => micros,
            _ => return None,
        }))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, _: &[Value]) -> Result<Value> {
        match method {
            "total_seconds" => Ok(Value::from(self.total_seconds())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some((**self).cmp(other.downcast_ref::<Self>()?))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
