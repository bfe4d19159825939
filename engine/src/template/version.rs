//! Versions compared as the test `version` compares them.

use std::cmp::Ordering;

use minijinja::Error;

use super::arguments::fail;

/// Compares by `version_type`: `loose` (the default), `strict`, `semver`/`semantic`, `pep440`.
pub(super) fn compare(kind: &str, a: &str, b: &str) -> Result<Ordering, Error> {
    match kind {
        "loose" => loose(a, b),
        "strict" => Ok(strict(a)?.cmp(&strict(b)?)),
        "semver" | "semantic" => semantic(a, b),
        "pep440" => Ok(pep440(a)?.cmp(&pep440(b)?)),
        other => Err(fail(format!(
            "unknown version type `{other}`; it is one of `loose`, `strict`, `semver`, `semantic`, `pep440`"
        ))),
    }
}

#[derive(PartialEq, Eq)]
enum Part<'a> {
    Number(&'a str),
    Word(&'a str),
}

/// Digits, lower case letters and whatever lies between the dots, as `LooseVersion` cuts them.
fn parts(version: &str) -> Vec<Part<'_>> {
    let class = |c: char| match c {
        '.' => 0,
        '0'..='9' => 1,
        'a'..='z' => 2,
        _ => 3,
    };
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let kind = class(first);
        let end = rest.find(|c| class(c) != kind).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        match kind {
            0 => {}
            1 => parts.push(Part::Number(part)),
            _ => parts.push(Part::Word(part)),
        }
        rest = behind;
    }
    parts
}

/// Numbers of any length.
fn digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn loose(a: &str, b: &str) -> Result<Ordering, Error> {
    let (left, right) = (parts(a), parts(b));
    for pair in left.iter().zip(&right) {
        let order = match pair {
            (Part::Number(a), Part::Number(b)) => digits(a, b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            (Part::Number(n), Part::Word(w)) | (Part::Word(w), Part::Number(n)) => {
                return Err(fail(format!("can't compare `{a}` with `{b}`: `{n}` is a number, `{w}` is not")));
            }
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// `1.2`, `1.2.3`, each optionally with `a1` or `b1`: numbers, then final versions after pre-releases.
fn strict(version: &str) -> Result<([u64; 3], (char, u64)), Error> {
    let wrong = || fail(format!("`{version}` is not a strict version like 1.2.3"));
    let (numbers, pre) = match version.find(['a', 'b']) {
        Some(at) => {
            let number = version[at + 1..].parse().map_err(|_| wrong())?;
            (&version[..at], (if version[at..].starts_with('a') { 'a' } else { 'b' }, number))
        }
        None => (version, ('z', 0)),
    };
    let mut out = [0; 3];
    let fields: Vec<&str> = numbers.split('.').collect();
    if !(2..=3).contains(&fields.len()) {
        return Err(wrong());
    }
    for (slot, field) in out.iter_mut().zip(fields) {
        *slot = field.parse().map_err(|_| wrong())?;
    }
    Ok((out, pre))
}

fn semantic(a: &str, b: &str) -> Result<Ordering, Error> {
    let (a, b) = (Semantic::parse(a)?, Semantic::parse(b)?);
    Ok(a.core.cmp(&b.core).then_with(|| match (a.pre.is_empty(), b.pre.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => pre_release(&a.pre, &b.pre),
    }))
}

struct Semantic<'a> {
    core: [u64; 3],
    pre: Vec<&'a str>,
}

impl<'a> Semantic<'a> {
    fn parse(version: &'a str) -> Result<Self, Error> {
        let wrong = || fail(format!("`{version}` is not a semantic version like 1.2.3-rc.1"));
        let plain = version.split('+').next().unwrap_or(version);
        let (core, pre) = plain.split_once('-').map_or((plain, None), |(core, pre)| (core, Some(pre)));
        let fields: Vec<&str> = core.split('.').collect();
        let [major, minor, patch] = fields[..] else { return Err(wrong()) };
        let number = |field: &str| field.parse::<u64>().map_err(|_| wrong());
        let pre: Vec<&str> = pre.map(|pre| pre.split('.').collect()).unwrap_or_default();
        if pre.iter().any(|part| part.is_empty()) {
            return Err(wrong());
        }
        Ok(Self { core: [number(major)?, number(minor)?, number(patch)?], pre })
    }
}

fn pre_release(a: &[&str], b: &[&str]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// What PEP 440 sorts by: epoch, release without trailing zeros, pre-release, post-release, development release.
type Pep440 = (u64, Vec<u64>, (i8, u64), (i8, u64), (i8, u64));

fn pep440(version: &str) -> Result<Pep440, Error> {
    let wrong = || fail(format!("`{version}` is not a version as PEP 440 has them"));
    let lower = version.trim().to_ascii_lowercase();
    let text = lower.strip_prefix('v').unwrap_or(&lower);
    let text = text.split('+').next().unwrap_or(text);
    let (epoch, text) = match text.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().map_err(|_| wrong())?, rest),
        None => (0, text),
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (release, mut suffix) = text.split_at(end);
    let fields = release.trim_end_matches('.').split('.');
    let mut release = fields.map(|n| n.parse().map_err(|_| wrong())).collect::<Result<Vec<u64>, _>>()?;
    while release.last() == Some(&0) {
        release.pop();
    }
    let (mut pre, mut post, mut dev) = (None, None, None);
    while !suffix.is_empty() {
        suffix = suffix.trim_start_matches(['.', '-', '_']);
        let end = suffix.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(suffix.len());
        let (word, rest) = suffix.split_at(end);
        let rest = rest.trim_start_matches(['.', '-', '_']);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = if end == 0 { 0 } else { rest[..end].parse().map_err(|_| wrong())? };
        match word {
            "a" | "alpha" => pre = Some((0, number)),
            "b" | "beta" => pre = Some((1, number)),
            "rc" | "c" | "pre" | "preview" => pre = Some((2, number)),
            "post" | "rev" | "r" => post = Some(number),
            "" if end > 0 => post = Some(number),
            "dev" => dev = Some(number),
            _ => return Err(wrong()),
        }
        suffix = &rest[end..];
    }
    let pre = match pre {
        Some(pre) => pre,
        None if post.is_none() && dev.is_some() => (-1, 0),
        None => (3, 0),
    };
    Ok((epoch, release, pre, post.map_or((-1, 0), |n| (0, n)), dev.map_or((1, 0), |n| (0, n))))
}
