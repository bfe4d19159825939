//! Merging and removing, on values.

use serde_json::{Map, Value};

use super::Lists;

/// Merges the wanted entries into a map. Anything that is no map becomes one.
pub fn merge(value: &mut Value, wanted: &Map<String, Value>, lists: Lists) {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    for (key, wanted) in wanted {
        match (map.get_mut(key), wanted) {
            (Some(value @ Value::Object(_)), Value::Object(wanted)) => merge(value, wanted, lists),
            (Some(Value::Array(list)), Value::Array(wanted)) => *list = merged_list(list, wanted, lists),
            (_, wanted) => {
                map.insert(key.clone(), wanted.clone());
            }
        }
    }
}

/// What a value becomes of which another is wanted: maps are merged, anything else gives way.
pub fn merged(value: &Value, wanted: &Value, lists: Lists) -> Value {
    match (value, wanted) {
        (Value::Object(_), Value::Object(wanted)) => {
            let mut merged = value.clone();
            merge(&mut merged, wanted, lists);
            merged
        }
        _ => wanted.clone(),
    }
}

/// What a list becomes.
pub fn merged_list(list: &[Value], wanted: &[Value], lists: Lists) -> Vec<Value> {
    if lists == Lists::Replace {
        return wanted.to_vec();
    }
    let mut merged = list.to_vec();
    for item in wanted {
        if !merged.contains(item) {
            merged.push(item.clone());
        }
    }
    merged
}

/// Removes what is at these paths.
pub fn remove(value: &mut Value, paths: &[Vec<String>]) {
    for path in paths {
        let Some((last, above)) = path.split_last() else { continue };
        let map = above.iter().try_fold(&mut *value, |value, key| value.get_mut(key));
        if let Some(Value::Object(map)) = map {
            map.shift_remove(last);
        }
    }
}

/// Whether there is something at a path.
pub fn has(map: &Map<String, Value>, path: &[String]) -> bool {
    match path.split_first() {
        None => true,
        Some((key, rest)) => match map.get(key) {
            Some(Value::Object(inner)) => has(inner, rest),
            found => found.is_some(),
        },
    }
}

/// How two lists differ: how many entries they have in common at the beginning, and how many at the end.
pub fn common_ends(before: &[Value], after: &[Value]) -> (usize, usize) {
    let same = |(a, b): &(&Value, &Value)| a == b;
    let start = before.iter().zip(after).take_while(same).count();
    let end = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(same).count();
    (start, end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(mut value: Value, wanted: &Value, lists: Lists) -> Value {
        merge(&mut value, wanted.as_object().unwrap(), lists);
        value
    }

    #[test]
    fn maps_are_merged_and_anything_else_replaced() {
        let before = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        let wanted = json!({"a": {"b": 2, "c": [2, 3, 3], "e": {}}, "d": {"f": null}});
        assert_eq!(
            merged(before.clone(), &wanted, Lists::Replace),
            json!({"a": {"b": 2, "c": [2, 3, 3], "e": {}}, "d": {"f": null}})
        );
        assert_eq!(merged(before, &wanted, Lists::Append)["a"]["c"], json!([1, 2, 3]));
    }

    #[test]
    fn what_is_not_there_is_removed_already() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        let path = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        remove(
            &mut value,
            &[path(&["a", "b"]), path(&["d", "0"]), path(&["x", "y"]), path(&["a", "b", "c"])],
        );
        assert_eq!(value, json!({"a": {"c": 2}, "d": [1]}));
    }

    #[test]
    fn lists_are_compared_from_both_ends() {
        let ends =
            |before: Value, after: Value| common_ends(before.as_array().unwrap(), after.as_array().unwrap());
        assert_eq!(ends(json!([1, 2, 3]), json!([1, 4, 3])), (1, 1));
        assert_eq!(ends(json!([1, 1]), json!([1])), (1, 0));
        assert_eq!(ends(json!([]), json!([1])), (0, 0));
        assert_eq!(ends(json!([2, 3]), json!([1, 2, 3])), (0, 2));
    }
}
