//! Sections and options among the lines of an INI file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::lines::{self, body};
use crate::one_or_many::OneOrMany;

/// Options that a section has to have, with the values that will do. Any value, where none is given.
pub type Conditions = BTreeMap<String, Option<OneOrMany<String>>>;

type Lines<'t> = Vec<Cow<'t, str>>;

/// What is said about a section.
pub struct Section<'a> {
    /// Its name. `None` for the lines before the first section.
    pub name: Option<&'a str>,
    /// What it has to have.
    pub conditions: &'a Conditions,
    /// What stands between an option and its value where something is written: `=` or ` = `.
    pub separator: &'a str,
}

impl Section<'_> {
    /// The lines of every section that is meant, headers included.
    fn find(&self, all: &[Cow<'_, str>]) -> Vec<Range<usize>> {
        let mut bounds: Vec<usize> = (0..all.len()).filter(|index| all[*index].starts_with('[')).collect();
        bounds.push(all.len());
        let Some(name) = self.name else { return std::iter::once(0..bounds[0]).collect() };
        let named = bounds.windows(2).map(|pair| pair[0]..pair[1]);
        named.filter(|range| is_header(&all[range.start], name) && self.fits(&all[range.clone()])).collect()
    }

    fn fits(&self, section: &[Cow<'_, str>]) -> bool {
        self.conditions.iter().all(|(option, values)| {
            section.iter().filter_map(|line| OptionLine::read(line, option)).any(|line| {
                let right =
                    values.as_ref().is_none_or(|values| values.0.iter().any(|value| value == line.value));
                !line.inactive && right
            })
        })
    }

    /// Removes the sections with all that is in them.
    pub fn remove(&self, all: &mut Lines<'_>) {
        for range in self.find(all).into_iter().rev() {
            all.drain(range);
        }
    }

    /// Changes the lines of each section that is there. The last one goes first, so that the places of the others hold.
    pub fn each(&self, all: &mut Lines<'_>, change: impl Fn(&mut Lines<'_>)) {
        for range in self.find(all).into_iter().rev() {
            self.change(all, range, &change);
        }
    }

    fn change<'t>(&self, all: &mut Lines<'t>, range: Range<usize>, change: impl FnOnce(&mut Lines<'t>)) {
        let start = range.start + usize::from(self.name.is_some());
        let mut inner: Lines<'t> = all.splice(start..range.end, []).collect();
        change(&mut inner);
        lines::insert(all, start, inner);
    }

    /// Sets the option in the first section that is there, or in a new one at the end.
    pub fn set(&self, all: &mut Lines<'_>, setting: Option<&Setting<'_>>, wanted: Vec<Option<String>>) {
        let set = |lines: &mut Lines<'_>| {
            if let Some(setting) = setting {
                setting.set(lines, wanted);
            }
        };
        if let Some(range) = self.find(all).into_iter().next() {
            return self.change(all, range, set);
        }
        let mut new = Vec::new();
        for (option, values) in self.conditions {
            let values = values.iter().flat_map(|values| values.0.iter().cloned().map(Some));
            Setting::added(option, self.separator).set(&mut new, values.collect());
        }
        set(&mut new);
        let header = self.name.map(|name| Cow::Owned(format!("[{name}]\n")));
        let end = all.len();
        lines::insert(all, end, header.into_iter().chain(new));
    }
}

/// Whether a line is the header of this section.
fn is_header(line: &str, name: &str) -> bool {
    let inner = line.strip_prefix('[').and_then(|line| line.trim_start().strip_prefix(name.trim()));
    inner.is_some_and(|rest| rest.trim_start().starts_with(']'))
}

/// A line that sets an option, or did before it was commented out.
struct OptionLine<'l> {
    inactive: bool,
    has_separator: bool,
    value: &'l str,
}

impl<'l> OptionLine<'l> {
    fn read(line: &'l str, option: &str) -> Option<Self> {
        const BLANKS: [char; 2] = [' ', '\t'];
        let line = body(line).trim_start_matches(BLANKS);
        let (inactive, named) = match line.strip_prefix(option) {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix(['#', ';'])?.trim_start_matches(BLANKS).strip_prefix(option)?),
        };
        let rest = named.trim_start_matches(BLANKS);
        let value = match rest.strip_prefix('=') {
            Some(value) => value.trim_start_matches(BLANKS),
            None if rest.is_empty() => rest,
            None => return None,
        };
        Some(Self { inactive, has_separator: !rest.is_empty(), value })
    }

    /// Whether it says this, `None` being an option without `=`.
    fn says(&self, wanted: Option<&str>) -> bool {
        match wanted {
            Some(value) => self.has_separator && self.value == value,
            None => !self.has_separator,
        }
    }
}

/// What is said about an option.
pub struct Setting<'a> {
    /// Its name.
    pub option: &'a str,
    /// What stands between name and value: `=` or ` = `.
    pub separator: &'a str,
    /// Whether lines with other values go.
    pub exclusive: bool,
    /// Whether a line with the right value is right, however it is written.
    pub ignore_spaces: bool,
    /// Whether it takes the place of a line that is commented out.
    pub inactive: bool,
}

impl<'a> Setting<'a> {
    /// An option that a section gets beside what is in it.
    fn added(option: &'a str, separator: &'a str) -> Self {
        Self { option, separator, exclusive: false, ignore_spaces: false, inactive: false }
    }

    /// Removes the lines whose value goes.
    pub fn remove(&self, lines: &mut Lines<'_>, goes: impl Fn(&str) -> bool) {
        lines.retain(|line| {
            OptionLine::read(line, self.option).is_none_or(|found| found.inactive || !goes(found.value))
        });
    }

    /// Makes the lines say all that is wanted, `None` being the option without `=`.
    pub fn set(&self, lines: &mut Lines<'_>, mut wanted: Vec<Option<String>>) {
        let mut settled = vec![false; lines.len()];
        self.settle(lines, &mut settled, &mut wanted, |line, value| !line.inactive && line.says(value));
        if self.exclusive {
            self.settle(lines, &mut settled, &mut wanted, |line, _| !line.inactive);
            let mut settled = settled.iter();
            lines.retain(|line| {
                let settled = settled.next().is_some_and(|settled| *settled);
                settled || OptionLine::read(line, self.option).is_none_or(|found| found.inactive)
            });
        }
        if self.inactive {
            let mut settled = vec![false; lines.len()];
            self.settle(lines, &mut settled, &mut wanted, |line, value| line.inactive && line.says(value));
            if self.exclusive {
                self.settle(lines, &mut settled, &mut wanted, |line, _| line.inactive && line.has_separator);
            }
        }
        let at = lines.iter().rposition(|line| !is_blank_or_comment(line)).map_or(0, |last| last + 1);
        lines::insert(lines, at, wanted.iter().map(|value| Cow::Owned(self.line(value.as_deref()))));
    }

    /// Gives wanted values to lines that are not settled and take them. What is left over stays wanted.
    fn settle(
        &self,
        lines: &mut Lines<'_>,
        settled: &mut [bool],
        wanted: &mut Vec<Option<String>>,
        takes: impl Fn(&OptionLine<'_>, Option<&str>) -> bool,
    ) {
        for (line, settled) in lines.iter_mut().zip(settled).filter(|(_, settled)| !**settled) {
            let Some(found) = OptionLine::read(line, self.option) else { continue };
            let Some(index) = wanted.iter().position(|value| takes(&found, value.as_deref())) else {
                continue;
            };
            let value = wanted.remove(index);
            *settled = true;
            let right = self.ignore_spaces && !found.inactive && found.says(value.as_deref());
            if !right {
                *line = Cow::Owned(self.line(value.as_deref()));
            }
        }
    }

    fn line(&self, value: Option<&str>) -> String {
        match value {
            Some(value) => format!("{}{}{value}\n", self.option, self.separator),
            None => format!("{}\n", self.option),
        }
    }
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = body(line).trim_start_matches([' ', '\t']);
    line.is_empty() || line.starts_with(['#', ';'])
}
