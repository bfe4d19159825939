//! Times read from texts, as `strptime` does it.

use super::{DAY, DateTime, MICROS, MONTHS, Result, WEEKDAYS};
use crate::facts::clock::{civil, days_from_civil};
use crate::template::arguments::fail;

/// The moment that a text is, as the format has it.
pub(super) fn moment(text: &str, format: &str) -> Result<Option<DateTime>> {
    let mut parsed = Parsed { year: 1900, month: 1, day: 1, ..Parsed::default() };
    let rest = parsed.read(text, format)?;
    Ok(rest.filter(|rest| rest.is_empty()).and_then(|_| parsed.moment()))
}

/// What was read of a time.
#[derive(Default)]
struct Parsed {
    year: i64,
    month: u32,
    day: u32,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
    afternoon: Option<bool>,
    yearday: Option<i64>,
    /// Seconds ahead of UTC, which Python keeps beside the time.
    offset: i64,
}

impl Parsed {
    /// Reads what a format says; `None` if the text is something else, otherwise what is left of it.
    fn read<'t>(&mut self, text: &'t str, format: &str) -> Result<Option<&'t str>> {
        let mut rest = text;
        let mut format = format.chars();
        while let Some(c) = format.next() {
            let next = match c {
                '%' => {
                    let letter = format.next().ok_or_else(|| fail("the format ends with a `%`"))?;
                    self.directive(rest, letter)?
                }
                c if c.is_whitespace() => {
                    let trimmed = rest.trim_start();
                    (trimmed.len() < rest.len()).then_some(trimmed)
                }
                c => rest.strip_prefix(c),
            };
            let Some(next) = next else { return Ok(None) };
            rest = next;
        }
        Ok(Some(rest))
    }

    fn directive<'t>(&mut self, text: &'t str, letter: char) -> Result<Option<&'t str>> {
        let number = |most: usize| {
            let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
            Some((text[..length].parse::<i64>().ok()?, &text[length..]))
        };
        let name = |names: &[&str], shortest: usize| {
            names.iter().zip(1u32..).find_map(|(name, number)| {
                let whole = [name.len(), shortest].into_iter().find(|length| {
                    text.get(..*length).is_some_and(|start| start.eq_ignore_ascii_case(&name[..*length]))
                })?;
                Some((number, &text[whole..]))
            })
        };
        let two = |slot: &mut i64| number(2).map(|(value, rest)| (*slot = value, rest).1);
        Ok(match letter {
            'Y' => number(4).filter(|(_, rest)| text.len() - rest.len() == 4).map(|(year, rest)| {
                self.year = year;
                rest
            }),
            'y' => number(2).map(|(year, rest)| {
                self.year = if year < 69 { 2000 + year } else { 1900 + year };
                rest
            }),
            'm' => number(2).and_then(|(month, rest)| {
                self.month = u32::try_from(month).ok()?;
                Some(rest)
            }),
            'd' => number(2).and_then(|(day, rest)| {
                self.day = u32::try_from(day).ok()?;
                Some(rest)
            }),
            'H' | 'I' => two(&mut self.hour),
            'M' => two(&mut self.minute),
            'S' => two(&mut self.second),
            'f' => number(6).and_then(|(micro, rest)| {
                let digits = u32::try_from(text.len() - rest.len()).ok()?;
                self.micro = micro * 10i64.pow(6 - digits);
                Some(rest)
            }),
            'j' => number(3).map(|(day, rest)| {
                self.yearday = Some(day);
                rest
            }),
            'b' | 'B' => name(&MONTHS, 3).map(|(month, rest)| {
                self.month = month;
                rest
            }),
            'a' | 'A' => name(&WEEKDAYS, 3).map(|(_, rest)| rest),
            'p' => name(&["AM", "PM"], 2).map(|(half, rest)| {
                self.afternoon = Some(half == 2);
                rest
            }),
            'z' => self.zone(text),
            'Z' => ["UTC", "GMT"].iter().find_map(|zone| text.strip_prefix(zone)),
            '%' => text.strip_prefix('%'),
            other => return Err(fail(format!("`%{other}` can't be read in a time"))),
        })
    }

    fn zone<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix('Z') {
            return Some(rest);
        }
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let rest = text.strip_prefix(['+', '-'])?;
        let (hours, rest) = (rest.get(..2)?.parse::<i64>().ok()?, rest.get(2..)?);
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let (minutes, rest) = (rest.get(..2)?.parse::<i64>().ok()?, rest.get(2..)?);
        self.offset = sign * (hours * 3600 + minutes * 60);
        Some(rest)
    }

    fn moment(&self) -> Option<DateTime> {
        let hour = match self.afternoon {
            Some(afternoon) if (1..=12).contains(&self.hour) => {
                self.hour % 12 + if afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
            None => self.hour,
        };
        let days = match self.yearday {
            Some(day) => days_from_civil(self.year, 1, 1) + day - 1,
            None => days_from_civil(self.year, self.month, self.day),
        };
        let real = self.yearday.is_some() || civil(days) == (self.year, self.month, self.day);
        let inside = hour < 24 && self.minute < 60 && self.second < 62 && self.year > 0;
        let seconds = days * DAY + hour * 3600 + self.minute * 60 + self.second;
        (real && inside).then(|| DateTime(seconds * MICROS + self.micro))
    }
}
