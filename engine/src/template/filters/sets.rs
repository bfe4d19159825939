//! Lists as sets, and their combinations.

use std::collections::HashSet;

use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

/// More results than anybody means to have.
const MOST: usize = 1_000_000;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("unique", &["value", "case_sensitive", "attribute"], unique),
    callable("union", TWO, |_, call| {
        let (a, b) = two(call)?;
        Ok(distinct(a.into_iter().chain(b)))
    }),
    callable("intersect", TWO, |_, call| {
        let (a, b) = two(call)?;
        let other = Members::of(&b);
        Ok(distinct(a.into_iter().filter(|item| other.contains(item))))
    }),
    callable("difference", TWO, |_, call| {
        let (a, b) = two(call)?;
        let other = Members::of(&b);
        Ok(distinct(a.into_iter().filter(|item| !other.contains(item))))
    }),
    callable("symmetric_difference", TWO, |_, call| {
        let (a, b) = two(call)?;
        let (in_a, in_b) = (Members::of(&a), Members::of(&b));
        let only_a = a.iter().filter(|item| !in_b.contains(item));
        let only_b = b.iter().filter(|item| !in_a.contains(item));
        Ok(distinct(only_a.chain(only_b).cloned()))
    }),
    callable("zip", &["value", "*lists"], |_, call| {
        let lists = lists(call)?;
        let length = lists.iter().map(Vec::len).min().unwrap_or(0);
        Ok((0..length).map(|row| python::tuple(lists.iter().map(|list| list[row].clone()))).collect())
    }),
    callable("zip_longest", &["value", "*lists", "fillvalue"], |_, call| {
        let lists = lists(call)?;
        let fill = call.extra("fillvalue").cloned().unwrap_or(Value::from(()));
        let length = lists.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |list: &Vec<Value>, row: usize| list.get(row).unwrap_or(&fill).clone();
        Ok((0..length).map(|row| python::tuple(lists.iter().map(|list| cell(list, row)))).collect())
    }),
    callable("batch", &["value", "linecount", "fill_with"], batch),
    callable("slice", &["value", "slices", "fill_with"], slice),
    callable("product", &["value", "*lists", "repeat"], product),
    callable("permutations", &["value", "r"], |_, call| {
        let items = call.items()?;
        let size = call.integer("r")?.map_or(items.len(), |r| usize::try_from(r).unwrap_or(0));
        choose(&items, size, false)
    }),
    callable("combinations", &["value", "r"], |_, call| {
        let size = call.integer("r")?.ok_or_else(|| fail("its argument `r` is missing"))?;
        choose(&call.items()?, usize::try_from(size).unwrap_or(0), true)
    }),
];

/// Lists of so many items, the last one filled up if there is something to do it with.
fn batch(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let size = usize::try_from(call.integer("linecount")?.unwrap_or(0)).unwrap_or(0);
    if size == 0 {
        return Err(fail("its argument `linecount` has to be at least 1"));
    }
    let mut rows: Vec<Vec<Value>> = call.items()?.chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(last), Some(fill)) = (rows.last_mut(), call.some("fill_with")) {
        last.resize(size, fill.clone());
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

/// So many lists, the first ones longer by one, the others filled up if there is something to do it with.
fn slice(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let count = usize::try_from(call.integer("slices")?.unwrap_or(0)).unwrap_or(0);
    if count == 0 || count > MOST {
        return Err(fail("its argument `slices` has to be at least 1"));
    }
    let items = call.items()?;
    let (length, longer) = (items.len() / count, items.len() % count);
    let mut items = items.into_iter();
    let mut columns = Vec::with_capacity(count);
    for column in 0..count {
        let mut taken: Vec<Value> = items.by_ref().take(length + usize::from(column < longer)).collect();
        if column >= longer {
            taken.extend(call.some("fill_with").cloned());
        }
        columns.push(Value::from(taken));
    }
    Ok(Value::from(columns))
}

const TWO: &[&str] = &["value", "other"];

/// Membership by hash, so that the set filters stay linear.
pub(in crate::template) struct Members(HashSet<Value>);

impl Members {
    pub fn of(items: &[Value]) -> Self {
        Self(items.iter().cloned().collect())
    }

    pub fn contains(&self, item: &Value) -> bool {
        self.0.contains(item)
    }
}

/// The first of each, in order. (Ansible goes through a Python set and gives an order that differs from run to run.)
fn distinct(items: impl IntoIterator<Item = Value>) -> Value {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| seen.insert(item.clone())).collect()
}

fn two(call: &Call) -> Result<(Vec<Value>, Vec<Value>)> {
    Ok((call.items()?, python::items(call.need("other")?)?))
}

fn unique(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let sensitive = call.flag("case_sensitive", false);
    let attribute = call.some("attribute").map(python::text).transpose()?;
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for item in call.items()? {
        let mut key = item.clone();
        for part in attribute.iter().flat_map(|path| path.split('.')) {
            key = match part.parse::<usize>() {
                Ok(index) => key.get_item_by_index(index)?,
                Err(_) => key.get_attr(part)?,
            };
        }
        if let (false, Some(text)) = (sensitive, key.as_str()) {
            key = Value::from(text.to_lowercase());
        }
        if seen.insert(key) {
            out.push(item);
        }
    }
    Ok(Value::from(out))
}

fn lists(call: &Call) -> Result<Vec<Vec<Value>>> {
    std::iter::once(call.value()?).chain(&call.rest).map(python::items).collect()
}

fn product(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let lists = lists(call)?;
    let repeat = call.extra("repeat").and_then(Value::as_usize).unwrap_or(1);
    let size = lists.iter().map(Vec::len).try_fold(1usize, usize::checked_mul);
    let size = size.and_then(|size| size.checked_pow(u32::try_from(repeat).unwrap_or(u32::MAX)));
    if size.is_none_or(|size| size > MOST) || repeat > 64 {
        return Err(fail(format!("more than {MOST} results")));
    }
    let all = (0..repeat).flat_map(|_| &lists);
    Ok(rows(all).into_iter().map(python::tuple).collect())
}

/// Each way to take one item of every list.
fn rows<'l>(lists: impl Iterator<Item = &'l Vec<Value>>) -> Vec<Vec<Value>> {
    lists.fold(vec![Vec::new()], |rows, list| {
        let longer = |row: &Vec<Value>| {
            let row = row.clone();
            list.iter().map(move |item| [row.clone(), vec![item.clone()]].concat()).collect::<Vec<_>>()
        };
        rows.iter().flat_map(longer).collect()
    })
}

/// The lookup `nested`: as `product`, of lists.
pub(in crate::template) fn nested(terms: &[Value]) -> Result<Vec<Value>> {
    let lists = terms.iter().map(python::items).collect::<Result<Vec<Vec<Value>>>>()?;
    let size = lists.iter().map(Vec::len).try_fold(1usize, usize::checked_mul);
    if size.is_none_or(|size| size > MOST) {
        return Err(fail(format!("more than {MOST} results")));
    }
    Ok(rows(lists.iter()).into_iter().map(Value::from).collect())
}

/// The lookup `together`: as `zip_longest`, of lists.
pub(in crate::template) fn together(terms: &[Value]) -> Result<Vec<Value>> {
    let lists = terms.iter().map(python::items).collect::<Result<Vec<Vec<Value>>>>()?;
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |list: &Vec<Value>, row: usize| list.get(row).cloned().unwrap_or(Value::from(()));
    Ok((0..length).map(|row| lists.iter().map(|list| cell(list, row)).collect::<Value>()).collect())
}

/// All ways to take `size` of the items, in order of position; with `sorted`, each set once.
fn choose(items: &[Value], size: usize, sorted: bool) -> Result<Value> {
    if size > items.len() {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    if count(items.len(), size, sorted).is_none_or(|count| count > MOST) {
        return Err(fail(format!("more than {MOST} results")));
    }
    let mut out = Vec::new();
    extend(items.len(), size, sorted, &mut Vec::new(), &mut |row: &[usize]| {
        out.push(python::tuple(row.iter().map(|at| items[*at].clone())));
    });
    Ok(Value::from(out))
}

fn count(length: usize, size: usize, sorted: bool) -> Option<usize> {
    (0..size).try_fold(1usize, |count, step| {
        let count = count.checked_mul(length - step)?;
        Some(if sorted { count / (step + 1) } else { count })
    })
}

fn extend(length: usize, size: usize, sorted: bool, row: &mut Vec<usize>, found: &mut impl FnMut(&[usize])) {
    if row.len() == size {
        return found(row);
    }
    let first = if sorted { row.last().map_or(0, |last| last + 1) } else { 0 };
    for at in first..length {
        if sorted || !row.contains(&at) {
            row.push(at);
            extend(length, size, sorted, row, found);
            row.pop();
        }
    }
}
