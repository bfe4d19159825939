//! The time in the calendar.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment in the calendar.
pub(super) struct Moment {
    /// Seconds since 1970 in UTC, wherever the calendar hangs.
    pub epoch: i64,
    pub nanosecond: u32,
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// Days since Sunday.
    pub weekday: u32,
    /// Days since the first of January.
    pub yearday: u32,
}

impl Moment {
    /// The moment in UTC.
    pub(super) fn of(time: SystemTime) -> Self {
        Self::local(time, 0)
    }

    /// The moment where clocks are `offset` seconds ahead of UTC.
    pub(super) fn local(time: SystemTime, offset: i32) -> Self {
        let (epoch, nanosecond) = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
            Err(before) => (-i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX), 0),
        };
        let shown = epoch.saturating_add(offset.into());
        let (days, seconds) = (shown.div_euclid(86_400), small(shown.rem_euclid(86_400)));
        let (year, month, day) = civil(days);
        Self {
            epoch,
            nanosecond,
            year,
            month,
            day,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            // The epoch was a Thursday.
            weekday: small((days + 4).rem_euclid(7)),
            yearday: small(days - days_before(year)),
        }
    }

    /// `2026-02-01`.
    pub(super) fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `08:05:09`.
    pub(super) fn time(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// `20260201T080509`.
    pub(super) fn basic(&self) -> String {
        format!("{}T{}", self.date().replace('-', ""), self.time().replace(':', ""))
    }

    /// `2026-02-01T08:05:09Z`, of a moment in UTC.
    pub(super) fn iso8601(&self) -> String {
        format!("{}T{}Z", self.date(), self.time())
    }

    /// The same with six decimals.
    pub(super) fn iso8601_micro(&self) -> String {
        format!("{}T{}.{:06}Z", self.date(), self.time(), self.microsecond())
    }

    pub(super) fn microsecond(&self) -> u32 {
        self.nanosecond / 1000
    }

    pub(super) fn weekday_name(&self) -> &'static str {
        WEEKDAYS[self.weekday as usize % WEEKDAYS.len()]
    }

    /// The week of the year from 0, weeks beginning on Monday, as strftime(3) has it in `%W`.
    pub(super) fn week(&self) -> u32 {
        (self.yearday + 7 - (self.weekday + 6) % 7) / 7
    }
}

/// Gathers `facts.date_time`, in UTC.
pub(super) fn fact(time: SystemTime) -> Value {
    let now = Moment::of(time);
    json!({
        "iso8601": now.iso8601(),
        "iso8601_micro": now.iso8601_micro(),
        "epoch": now.epoch,
        "date": now.date(),
        "time": now.time(),
        "year": now.year,
        "month": now.month,
        "day": now.day,
        "hour": now.hour,
        "minute": now.minute,
        "second": now.second,
        "weekday": now.weekday_name(),
        "tz": "UTC",
    })
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01.
///
/// Years begin in March here, so that the leap day is the last one, and are counted within eras of 400 years, which all
/// have 146,097 days.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), small(month), small(day))
}

/// Days from 1970-01-01 to the first day of `year`.
pub(super) fn days_before(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - 719_162
}

/// Days from 1970-01-01 to a day of the Gregorian calendar; before all days if there is no such month.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let Some(before) = month.checked_sub(1).and_then(|month| BEFORE.get(month as usize)) else {
        return i64::MIN / 2;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let leap_day = i64::from(leap && month > 2);
    days_before(year) + before + leap_day + i64::from(day) - 1
}

/// For numbers that arithmetic has kept small.
fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn moment(epoch: u64) -> Moment {
        Moment::of(UNIX_EPOCH + Duration::from_secs(epoch))
    }

    #[test]
    fn moments_have_their_day() {
        // date -u -d @N '+%F %T %A %W %j'
        let cases = [
            (0, "1970-01-01 00:00:00 Thursday 00 001"),
            (951_782_399, "2000-02-28 23:59:59 Monday 09 059"),
            (951_782_400, "2000-02-29 00:00:00 Tuesday 09 060"),
            (1_735_689_599, "2024-12-31 23:59:59 Tuesday 53 366"),
            (1_735_689_600, "2025-01-01 00:00:00 Wednesday 00 001"),
            (4_107_542_400, "2100-03-01 00:00:00 Monday 09 060"),
        ];
        for (epoch, expected) in cases {
            let m = moment(epoch);
            let text = format!(
                "{} {} {} {:02} {:03}",
                m.date(),
                m.time(),
                m.weekday_name(),
                m.week(),
                m.yearday + 1
            );
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn clocks_elsewhere_are_ahead_or_behind() {
        let time = UNIX_EPOCH + Duration::from_secs(1_735_689_599);
        let ahead = Moment::local(time, 3600);
        assert_eq!((ahead.date().as_str(), ahead.time().as_str()), ("2025-01-01", "00:59:59"));
        assert_eq!(
            (ahead.epoch, ahead.week(), ahead.basic().as_str()),
            (1_735_689_599, 0, "20250101T005959")
        );
        assert_eq!(Moment::local(time, -86_400).date(), "2024-12-30");
    }

    #[test]
    fn time_before_the_epoch_and_far_away_is_time() {
        assert_eq!(Moment::of(UNIX_EPOCH - Duration::from_secs(1)).date(), "1969-12-31");
        if let Some(late) = UNIX_EPOCH.checked_add(Duration::from_secs(u64::MAX >> 2)) {
            assert!(Moment::of(late).year > 1_000_000);
        }
    }
}
