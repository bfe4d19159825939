//! Filters of community.general that people meet daily.

use flate2::Crc;
use indexmap::IndexMap;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Error, State, Value};

use super::data::{Map, map_of, merge};
use super::json;
use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::{jmespath, python, version};

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("dict", &["value"], |_, call| Ok(Value::from_pairs(python::pairs_of(call.value()?)?))),
    callable("dict_kv", &["value", "key"], |_, call| {
        Ok(Value::from_pairs([(call.need("key")?.clone(), call.value()?.clone())]))
    }),
    callable("counter", &["value"], counter),
    callable("crc32", &["value"], |_, call| {
        let mut crc = Crc::new();
        crc.update(call.input()?.as_bytes());
        Ok(Value::from(format!("{:x}", crc.sum())))
    }),
    callable("json_query", &["value", "expr"], |_, call| {
        let expression = python::text(call.need("expr")?)?;
        let found = jmespath::search(&expression, &json::plain(call.value()?)?);
        found.map(|found| Value::from(Serde(found))).map_err(|error| fail(format!("`{expression}`: {error}")))
    }),
    callable("groupby_as_dict", &["value", "attribute"], group_by),
    callable("lists_mergeby", &["value", "*lists", "recursive", "list_merge"], merge_lists_by),
    callable("version_sort", &["value", "reverse"], version_sort),
    callable("to_time_unit", UNIT, |_, call| in_unit(call, &call.text("unit", "ms")?)),
    callable("to_milliseconds", PLAIN, |_, call| in_unit(call, "ms")),
    callable("to_seconds", PLAIN, |_, call| in_unit(call, "s")),
    callable("to_minutes", PLAIN, |_, call| in_unit(call, "m")),
    callable("to_hours", PLAIN, |_, call| in_unit(call, "h")),
    callable("to_days", PLAIN, |_, call| in_unit(call, "d")),
    callable("to_weeks", PLAIN, |_, call| in_unit(call, "w")),
    callable("to_months", PLAIN, |_, call| in_unit(call, "mo")),
    callable("to_years", PLAIN, |_, call| in_unit(call, "y")),
];

const UNIT: &[&str] = &["value", "unit", "*", "year", "month"];
const PLAIN: &[&str] = &["value", "*", "year", "month"];

fn counter(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    if call.value()?.kind() == ValueKind::Number {
        return Err(fail("only what has items can be counted"));
    }
    let mut counts: IndexMap<Value, i64> = IndexMap::new();
    for item in call.items()? {
        *counts.entry(item).or_default() += 1;
    }
    Ok(Value::from_pairs(counts))
}

fn group_by(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let attribute = call.need("attribute")?;
    let mut map = Map::new();
    for item in call.items()? {
        let key = item.get_item(attribute)?;
        if key.is_undefined() {
            return Err(fail(format!("an item has no `{attribute}`: {}", python::repr(&item)?)));
        }
        if map.insert(key.clone(), item).is_some() {
            return Err(fail(format!("two items have the same `{attribute}`, {}", python::repr(&key)?)));
        }
    }
    Ok(Value::from_pairs(map))
}

/// The maps of several lists, those with the same value of a key made into one. The last argument is the key.
fn merge_lists_by(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let (key, lists) = call.rest.split_last().ok_or_else(|| fail("it needs the key to merge by"))?;
    let recursive = call.extra_flag("recursive");
    let how = call.extra("list_merge").map_or(Ok("replace".to_owned()), python::text)?;
    let mut all = vec![call.value()?.clone()];
    all.extend_from_slice(lists);
    // A list of lists is several lists.
    if let [only] = all.as_slice()
        && python::items(only)?.iter().all(python::is_list)
    {
        all = python::items(only)?;
    }
    let mut merged: IndexMap<Value, Map> = IndexMap::new();
    for list in &all {
        for item in python::items(list)? {
            let name = item.get_item(key)?;
            if !name.is_undefined() {
                merge(merged.entry(name).or_default(), map_of(&item)?, recursive, &how)?;
            }
        }
    }
    let mut keys: Vec<Value> = merged.keys().cloned().collect();
    python::sort(&mut keys, |key| Ok(key.clone()))?;
    let maps = keys.into_iter().filter_map(|key| merged.shift_remove(&key));
    Ok(maps.map(Value::from_pairs).collect())
}

fn version_sort(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let mut versions = call.items()?.iter().map(python::text).collect::<Result<Vec<String>>>()?;
    let mut wrong = None;
    // A version that can't be compared is told behind the sort, which has to have some order.
    versions.sort_by(|a, b| {
        version::compare("loose", a, b).unwrap_or_else(|error| {
            wrong.get_or_insert(error);
            a.cmp(b)
        })
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    if call.flag("reverse", false) {
        versions.reverse();
    }
    Ok(Value::from(versions))
}

/// The units of time by their names, in milliseconds.
fn unit(name: &str, year: f64, month: f64) -> Option<f64> {
    const SECOND: f64 = 1000.0;
    const DAY: f64 = 86_400.0 * SECOND;
    // `s` alone is a unit, and not the plural of none.
    let singular = name.trim_end_matches('s');
    Some(match if singular.is_empty() || singular == "m" { name } else { singular } {
        "ms" | "msec" | "msecond" | "millisecond" => 1.0,
        "s" | "sec" | "second" => SECOND,
        "m" | "min" | "minute" => 60.0 * SECOND,
        "h" | "hour" => 3600.0 * SECOND,
        "d" | "day" => DAY,
        "w" | "week" => 7.0 * DAY,
        "mo" | "month" => month * DAY,
        "y" | "year" => year * DAY,
        _ => return None,
    })
}

/// A text like `1h 30m` in another unit.
fn in_unit(call: &Call, wanted: &str) -> Result<Value> {
    let days = |name: &str, default: f64| match call.extra(name) {
        Some(days) => f64::try_from(days.clone()),
        None => Ok(default),
    };
    let (year, month) = (days("year", 365.0)?, days("month", 30.0)?);
    let factor = unit(wanted, year, month).ok_or_else(|| fail(format!("there is no unit `{wanted}`")))?;
    let text = call.input()?;
    let wrong = || fail(format!("`{text}` is not a time like `1h 30m`"));
    let mut total = 0.0;
    for word in text.split_whitespace() {
        let at = word.find(char::is_alphabetic).ok_or_else(wrong)?;
        let (number, name) = word.split_at(at);
        let number: i32 = number.parse().map_err(|_| wrong())?;
        total += f64::from(number) * unit(name, year, month).ok_or_else(wrong)?;
    }
    Ok(Value::from((total / factor * 1e12).round() / 1e12))
}
