//! The host's time zone: `/etc/localtime`, in the format of tzfile(5).

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::clock::{Moment, civil, days_before};
use super::source::FactSource;
use super::text::file;
use rule::Rule;

mod rule;

const DAY: i64 = 86_400;

/// How clocks are set for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Seconds ahead of UTC.
    pub offset: i32,
    /// `CET`.
    pub abbreviation: String,
}

impl Setting {
    fn utc() -> Self {
        Self { offset: 0, abbreviation: "UTC".to_owned() }
    }

    /// `+0100`.
    pub(super) fn hours_and_minutes(&self) -> String {
        let minutes = self.offset.unsigned_abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

/// The clocks of a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// When clocks were changed, and to which of the settings.
    changes: Vec<(i64, usize)>,
    settings: Vec<Setting>,
    /// What holds after the last change.
    rule: Option<Rule>,
}

impl Zone {
    /// The zone of the root. UTC where none is set or its file is not there, as the C library has it.
    pub(super) fn of(source: &dyn FactSource) -> Self {
        let zone = source.read("/etc/localtime").and_then(|bytes| Self::parse(&bytes));
        zone.unwrap_or_else(|| Self { changes: Vec::new(), settings: vec![Setting::utc()], rule: None })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let old = Block::parse(bytes, 4)?;
        if old.version == 0 {
            return old.zone(None);
        }
        // The same again follows with times of 64 bits, and then a rule for the future.
        let new = Block::parse(bytes.get(old.length..)?, 8)?;
        let footer = bytes.get(old.length + new.length..)?;
        let rule = footer.split(|byte| *byte == b'\n').nth(1).and_then(|line| std::str::from_utf8(line).ok());
        new.zone(rule.and_then(Rule::parse))
    }

    /// How clocks are set `epoch` seconds after 1970.
    pub(super) fn at(&self, epoch: i64) -> &Setting {
        let next = self.changes.partition_point(|(time, _)| *time <= epoch);
        if let (true, Some(rule)) = (next == self.changes.len(), &self.rule) {
            return rule.at(epoch);
        }
        // Before the first change the first setting holds.
        let setting = next.checked_sub(1).map_or(0, |last| self.changes[last].1);
        &self.settings[setting]
    }

    /// The setting of the summer of this year, whenever that is here. Without one it is the only one.
    pub(super) fn in_summer(&self, epoch: i64) -> &Setting {
        let january = days_before(civil(epoch.div_euclid(DAY)).0).saturating_mul(DAY);
        let (january, july) = (self.at(january), self.at(january.saturating_add(182 * DAY)));
        if january.offset > july.offset { january } else { july }
    }
}

/// The part of a file for times of one width.
struct Block<'a> {
    version: u8,
    length: usize,
    times: &'a [u8],
    chosen: &'a [u8],
    settings: &'a [u8],
    names: &'a [u8],
    width: usize,
}

impl<'a> Block<'a> {
    fn parse(bytes: &'a [u8], width: usize) -> Option<Self> {
        const HEADER: usize = 44;

        let (head, mut rest) = bytes.split_at_checked(HEADER)?;
        let count = |index: usize| {
            let digits = head.get(20 + 4 * index..24 + 4 * index)?;
            usize::try_from(u32::from_be_bytes(digits.try_into().ok()?)).ok()
        };
        let (utc, standard, leaps) = (count(0)?, count(1)?, count(2)?);
        let (times, settings, names) = (count(3)?, count(4)?, count(5)?);
        let mut take = |number: usize, size: usize| {
            let (taken, left) = rest.split_at_checked(number.checked_mul(size)?)?;
            rest = left;
            Some(taken)
        };
        let mut block = Self {
            version: head.strip_prefix(b"TZif")?.first()?.saturating_sub(b'0'),
            length: 0,
            times: take(times, width)?,
            chosen: take(times, 1)?,
            settings: take(settings, 6)?,
            names: take(names, 1)?,
            width,
        };
        // Leap seconds and how rules are to be read concern nobody here.
        take(leaps, width + 4).and(take(standard, 1)).and(take(utc, 1))?;
        block.length = bytes.len() - rest.len();
        Some(block)
    }

    fn zone(&self, rule: Option<Rule>) -> Option<Zone> {
        let settings: Vec<Setting> =
            self.settings.chunks_exact(6).map(|entry| self.setting(entry)).collect::<Option<_>>()?;
        let time = |digits: &[u8]| match self.width {
            8 => digits.try_into().ok().map(i64::from_be_bytes),
            _ => digits.try_into().ok().map(|digits| i32::from_be_bytes(digits).into()),
        };
        let times = self.times.chunks_exact(self.width).map(time);
        let changes = times.zip(self.chosen).map(|(time, index)| Some((time?, usize::from(*index))));
        let changes: Vec<(i64, usize)> = changes.collect::<Option<_>>()?;
        let sound = !settings.is_empty() && changes.iter().all(|(_, index)| *index < settings.len());
        sound.then_some(Zone { changes, settings, rule })
    }

    fn setting(&self, entry: &[u8]) -> Option<Setting> {
        let [a, b, c, d, _, name] = *entry else { return None };
        let name = self.names.get(usize::from(name)..)?.split(|byte| *byte == 0).next()?;
        Some(Setting {
            offset: i32::from_be_bytes([a, b, c, d]),
            abbreviation: String::from_utf8_lossy(name).into_owned(),
        })
    }
}

/// Gathers `facts.timezone`: the name of the zone where the root says it, and how clocks are set now.
pub(super) fn fact(source: &dyn FactSource, time: SystemTime) -> Value {
    let zone = Zone::of(source);
    let setting = zone.at(Moment::of(time).epoch);
    let mut fact = Map::new();
    fact.extend(name(source).map(|name| ("name".to_owned(), name.into())));
    fact.insert("abbreviation".into(), setting.abbreviation.as_str().into());
    fact.insert("offset".into(), setting.offset.into());
    fact.into()
}

/// `Europe/Berlin`: where the link leads, else what Debian and Alpine write beside it.
fn name(source: &dyn FactSource) -> Option<String> {
    if let Some(target) = source.link("/etc/localtime") {
        return target.split_once("zoneinfo/").map(|(_, name)| name.to_owned());
    }
    let written = || file(source, "/etc/timezone").map(|text| text.trim().to_owned());
    if source.exists("/etc/localtime") { written() } else { Some("UTC".to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::fake::Fake;
    use super::*;

    /// A file with the given changes, settings and rule: offset and abbreviation of three letters.
    fn tzfile(changes: &[(i64, u8)], settings: &[(i32, &str)], rule: &str) -> Vec<u8> {
        let header = |times: usize, settings: usize| {
            let mut bytes = b"TZif2".to_vec();
            bytes.resize(20, 0);
            for count in [0, 0, 0, times, settings, 4 * settings] {
                bytes.extend(u32::try_from(count).unwrap().to_be_bytes());
            }
            bytes
        };
        let mut bytes = header(0, 1);
        bytes.extend([0, 0, 0, 0, 0, 0, b'L', b'M', b'T', 0]);
        bytes.extend(header(changes.len(), settings.len()));
        bytes.extend(changes.iter().flat_map(|(time, _)| time.to_be_bytes()));
        bytes.extend(changes.iter().map(|(_, index)| index));
        for (index, (offset, _)) in settings.iter().enumerate() {
            bytes.extend(offset.to_be_bytes());
            bytes.extend([0, u8::try_from(4 * index).unwrap()]);
        }
        bytes.extend(settings.iter().flat_map(|(_, name)| format!("{name}\0").into_bytes()));
        bytes.extend(format!("\n{rule}\n").into_bytes());
        bytes
    }

    #[test]
    fn changes_hold_until_the_next_and_the_rule_after_the_last() {
        let bytes = tzfile(&[(100, 1), (200, 0)], &[(600, "LMT"), (3600, "AAA")], "BBB-2");
        let zone = Zone::parse(&bytes).unwrap();
        let names = [0, 100, 199, 200].map(|epoch| zone.at(epoch).abbreviation.as_str());
        assert_eq!(names, ["LMT", "AAA", "AAA", "BBB"]);
        let zone = Zone::parse(&tzfile(&[(100, 1)], &[(600, "LMT"), (3600, "AAA")], "")).unwrap();
        assert_eq!(zone.at(i64::MAX).abbreviation, "AAA");
    }

    #[test]
    fn a_setting_that_is_not_there_spoils_the_file() {
        assert_eq!(Zone::parse(&tzfile(&[(100, 2)], &[(600, "LMT")], "")), None);
        assert_eq!(Zone::parse(&tzfile(&[], &[], "UTC0")), None);
        assert_eq!(Zone::parse(b"TZif"), None);
    }

    #[test]
    fn the_summer_is_where_the_clock_is_ahead() {
        let zone = |rule| Zone::parse(&tzfile(&[], &[(0, "UTC")], rule)).unwrap();
        let summer = |rule| zone(rule).in_summer(1_767_225_600).abbreviation.clone();
        assert_eq!(summer("CET-1CEST,M3.5.0,M10.5.0/3"), "CEST");
        assert_eq!(summer("AEST-10AEDT,M10.1.0,M4.1.0/3"), "AEDT");
        assert_eq!(summer("UTC0"), "UTC");
    }

    #[test]
    fn zones_have_the_name_that_the_root_gives_them() {
        let epoch = SystemTime::UNIX_EPOCH;
        let bytes = tzfile(&[], &[(3600, "CET")], "CET-1CEST,M3.5.0,M10.5.0/3");
        let linked = Fake::default()
            .link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
            .file("/usr/share/zoneinfo/Europe/Berlin", &bytes);
        let cet = json!({ "name": "Europe/Berlin", "abbreviation": "CET", "offset": 3600 });
        assert_eq!(fact(&linked, epoch), cet);
        let copied = Fake::default().file("/etc/localtime", &bytes).file("/etc/timezone", "Europe/Berlin\n");
        assert_eq!(fact(&copied, epoch), cet);
        let utc = json!({ "name": "UTC", "abbreviation": "UTC", "offset": 0 });
        assert_eq!(fact(&Fake::default(), epoch), utc);
        let dangling = Fake::default().link("/etc/localtime", "../usr/share/zoneinfo/Asia/Tokyo");
        assert_eq!(
            fact(&dangling, epoch),
            json!({ "name": "Asia/Tokyo", "abbreviation": "UTC", "offset": 0 })
        );
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), epoch: i64) {
            let _ = Zone::parse(&bytes);
            let version_one = [&b"TZif2"[..], &bytes].concat();
            if let Some(zone) = Zone::parse(&version_one) {
                let _ = (zone.at(epoch), zone.in_summer(epoch));
            }
        }

        #[test]
        fn every_known_rule_holds_at_any_time(epoch: i64) {
            let bytes = tzfile(&[(0, 0)], &[(3600, "CET")], "CET-1CEST,M3.5.0,M10.5.0/3");
            let zone = Zone::parse(&bytes).unwrap();
            prop_assert!(["CET", "CEST"].contains(&zone.at(epoch).abbreviation.as_str()));
            prop_assert!(zone.in_summer(epoch).offset >= 3600);
        }
    }
}
