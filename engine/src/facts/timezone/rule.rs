//! The rule by which clocks are changed from now on, as the variable `TZ` has it: `CET-1CEST,M3.5.0,M10.5.0/3`.

use super::{DAY, Setting};
use crate::facts::clock::{civil, days_before};

/// Standard time, and the summer's where there is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    standard: Setting,
    summer: Option<Summer>,
}

#[derive(Debug, PartialEq, Eq)]
struct Summer {
    setting: Setting,
    start: Change,
    end: Change,
}

/// A day of the year and the seconds of the local clock on it, which may be those of another day.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    day: Day,
    seconds: i32,
}

#[derive(Debug, PartialEq, Eq)]
enum Day {
    /// Month, week (5 is the last one), days since Sunday: `M3.5.0`.
    Weekday(u32, u32, u32),
    /// From 1 to 365, the 29th of February not counted: `J60`.
    Julian(u32),
    /// From 0 to 365: `59`.
    Plain(u32),
}

impl Rule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = Text(text);
        let abbreviation = rest.name()?;
        let standard = Setting { offset: -rest.seconds()?, abbreviation };
        if rest.0.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let abbreviation = rest.name()?;
        let explicit = !rest.0.starts_with(',');
        let offset = if explicit { -rest.seconds()? } else { standard.offset.checked_add(3600)? };
        let (start, end) = (rest.change()?, rest.change()?);
        let summer = Summer { setting: Setting { offset, abbreviation }, start, end };
        rest.0.is_empty().then_some(Self { standard, summer: Some(summer) })
    }

    pub(super) fn at(&self, epoch: i64) -> &Setting {
        let Some(summer) = &self.summer else { return &self.standard };
        let year = civil(epoch.saturating_add(self.standard.offset.into()).div_euclid(DAY)).0;
        // The clock that strikes is the one that is about to be changed.
        let start = summer.start.in_year(year).saturating_sub(self.standard.offset.into());
        let end = summer.end.in_year(year).saturating_sub(summer.setting.offset.into());
        let in_summer =
            if start < end { (start..end).contains(&epoch) } else { !(end..start).contains(&epoch) };
        if in_summer { &summer.setting } else { &self.standard }
    }
}

impl Change {
    /// Seconds from 1970 to the change, on a clock that shows local time.
    fn in_year(&self, year: i64) -> i64 {
        let first = days_before(year);
        let leap = days_before(year + 1) - first == 366;
        let day = match self.day {
            Day::Plain(day) => day.into(),
            Day::Julian(day) => i64::from(day) - i64::from(!leap || day < 60),
            Day::Weekday(month, week, weekday) => {
                const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
                let index = usize::try_from(month - 1).unwrap_or(0).min(11);
                let of_month = |index: usize| LENGTHS[index] + i64::from(leap && index == 1);
                let before: i64 = (0..index).map(of_month).sum();
                // The epoch was a Thursday.
                let first_weekday = (first + before + 4).rem_euclid(7);
                let first_fit = (i64::from(weekday) - first_weekday).rem_euclid(7);
                let fit = first_fit + 7 * (i64::from(week) - 1);
                before + if fit < of_month(index) { fit } else { fit - 7 }
            }
        };
        (first + day).saturating_mul(DAY).saturating_add(self.seconds.into())
    }
}

/// What is left of a rule's text.
struct Text<'a>(&'a str);

impl Text<'_> {
    /// Letters, or anything in `<` and `>`.
    fn name(&mut self) -> Option<String> {
        if let Some(rest) = self.0.strip_prefix('<') {
            let (name, rest) = rest.split_once('>')?;
            self.0 = rest;
            return Some(name.to_owned());
        }
        let end = self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// `-3`, `5:30`, `+1:00:00` as seconds.
    fn seconds(&mut self) -> Option<i32> {
        let negative = self.0.starts_with('-');
        self.0 = self.0.strip_prefix(['-', '+']).unwrap_or(self.0);
        let mut seconds = 0;
        for unit in [3600, 60, 1] {
            seconds += i32::try_from(self.number(167)?).ok()? * unit;
            match self.0.strip_prefix(':') {
                Some(rest) if unit > 1 => self.0 = rest,
                _ => break,
            }
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn number(&mut self, most: u32) -> Option<u32> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().ok().filter(|number| *number <= most)
    }

    /// `,M3.5.0/2`; without a time it is two o'clock.
    fn change(&mut self) -> Option<Change> {
        self.skip(',')?;
        let day = if self.skip('M').is_some() {
            let month = self.number(12).filter(|month| *month > 0)?;
            self.skip('.')?;
            let week = self.number(5).filter(|week| *week > 0)?;
            self.skip('.')?;
            Day::Weekday(month, week, self.number(6)?)
        } else if self.skip('J').is_some() {
            Day::Julian(self.number(365).filter(|day| *day > 0)?)
        } else {
            Day::Plain(self.number(365)?)
        };
        let seconds = if self.skip('/').is_some() { self.seconds()? } else { 7200 };
        Some(Change { day, seconds })
    }

    fn skip(&mut self, letter: char) -> Option<()> {
        self.0 = self.0.strip_prefix(letter)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(rule: &str, epoch: i64) -> String {
        let rule = Rule::parse(rule).expect(rule);
        let setting = rule.at(epoch);
        format!("{} {}", setting.abbreviation, setting.hours_and_minutes())
    }

    #[test]
    fn rules_change_the_clocks_to_the_second() {
        // TZ=… date -d @N '+%Z %z'
        let cases = [
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_745_999, "CET +0100"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_746_000, "CEST +0200"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999, "CEST +0200"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_890_000, "CET +0100"),
            ("EST5EDT,M3.2.0,M11.1.0", 1_772_953_199, "EST -0500"),
            ("EST5EDT,M3.2.0,M11.1.0", 1_772_953_200, "EDT -0400"),
            ("EST5EDT,M3.2.0,M11.1.0", 1_793_512_800, "EST -0500"),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_767_225_600, "AEDT +1100"),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_782_864_000, "AEST +1000"),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_767_225_600, "GMT +0000"),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_782_864_000, "IST +0100"),
            ("<+0530>-5:30", 0, "+0530 +0530"),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_774_745_999, "-02 -0200"),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_774_746_000, "-01 -0100"),
            ("AAA0BBB,J60,J300", 1_709_258_399, "AAA +0000"),
            ("AAA0BBB,J60,J300", 1_709_258_400, "BBB +0100"),
            ("AAA0BBB,59/0,300", 1_709_164_800, "BBB +0100"),
        ];
        for (rule, epoch, expected) in cases {
            assert_eq!(at(rule, epoch), expected, "{rule} at {epoch}");
        }
    }

    #[test]
    fn broken_rules_are_none() {
        for rule in
            ["", "CET", "-1", "CET-1CEST", "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.0.0,M1.1.0", "A1B,J0,J1"]
        {
            assert_eq!(Rule::parse(rule), None, "{rule}");
        }
    }

    proptest! {
        #[test]
        fn no_rule_panics(text in r"[A-Z<>0-9:,./JM+-]{0,24}", epoch: i64) {
            if let Some(rule) = Rule::parse(&text) {
                let _ = rule.at(epoch);
            }
        }
    }
}
