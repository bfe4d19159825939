//! Hundreds of generated trees, and some that are written by hand: what comes out is what Ansible prints, to the byte.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use refrain_engine::inventory::Inventory;
use serde_json::Value;

use crate::ansible::Ansible;
use crate::generated::{self, File, NAMES, Random};
use crate::support::project::Project;

/// How many trees are generated.
const CASES: u64 = 400;

fn written(files: &[File]) -> Project {
    let project = Project::new();
    for (path, text) in files {
        project.file(path, text);
    }
    project
}

fn sources<'a>(sources: &[&'a str]) -> Vec<&'a str> {
    sources.iter().flat_map(|source| ["-i", source]).collect()
}

fn shown(files: &[File]) -> String {
    files.iter().map(|(path, text)| format!("==> {path}\n{text}")).collect()
}

/// What differs of what two programs print, or of whether they fail.
fn difference(theirs: &Result<String, String>, ours: &Result<String, String>) -> Option<String> {
    match (theirs, ours) {
        (Err(_), Err(_)) => None,
        (Ok(theirs), Ok(ours)) => {
            let line = |text: &str, at: usize| text.lines().nth(at).unwrap_or("(the end)").to_owned();
            let count = theirs.lines().count().max(ours.lines().count());
            let at = (0..count).find(|at| line(theirs, *at) != line(ours, *at))?;
            Some(format!("line {}\n  theirs: {}\n  ours:   {}", at + 1, line(theirs, at), line(ours, at)))
        }
        (Err(theirs), Ok(_)) => Some(format!("only theirs fails: {theirs}")),
        (Ok(_), Err(ours)) => Some(format!("only ours fails: {ours}")),
    }
}

/// What we and Ansible make of a generated tree, where that differs.
fn compare(seed: u64, ansible: &mut Ansible) -> Option<String> {
    let (files, named) = generated::tree(seed);
    let project = written(&files);
    let ours = project.refrain(&[&["inventory", "--list"], &*sources(&named)].concat());
    let ours = if ours.code == 0 { Ok(ours.stdout) } else { Err(ours.stderr) };
    let theirs = ansible.inventory(&project.path(""), &[&["--list"], &*sources(&named)].concat());
    let found =
        difference(&theirs, &ours).or_else(|| different_values(&project, &named, &ours.ok()?, ansible));
    found.map(|found| format!("seed {seed}: {found}\n{}", shown(&files)))
}

/// The first variable of a host whose rendered value differs.
fn different_values(project: &Project, named: &[&str], list: &str, ansible: &mut Ansible) -> Option<String> {
    let list: Value = serde_json::from_str(list).expect("JSON");
    let hosts: Vec<String> = list["_meta"]["hostvars"].as_object()?.keys().take(3).cloned().collect();
    let names: Vec<String> = NAMES.map(str::to_owned).to_vec();
    let theirs = ansible.values(&project.path(""), named, &hosts, &names);
    hosts.iter().find_map(|host| {
        let ours = project.refrain(&[&["vars", "--json", host], &*sources(named)].concat());
        let ours: Value = serde_json::from_str(&ours.stdout).expect("JSON");
        names.iter().find_map(|name| {
            let (theirs, ours) = (theirs[host].get(name)?, &ours[name]);
            let same = match (theirs.get("value"), ours.get("value")) {
                (None, None) => true,
                (Some(theirs), Some(ours)) => same(theirs, ours),
                _ => false,
            };
            (!same).then(|| format!("{name} of {host}\n  theirs: {theirs}\n  ours:   {ours}"))
        })
    })
}

/// Whether values are the same. `debug` makes a template of the name: so a text that looks like a map is read as one, and what
/// is a template itself becomes text.
fn same(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::String(theirs), Value::Number(ours)) => *theirs == ours.to_string(),
        (Value::String(theirs), Value::Null) => theirs.is_empty(),
        (Value::Object(_), Value::String(ours)) => {
            serde_json::from_str(ours).is_ok_and(|ours: Value| ours == *theirs)
        }
        (theirs, ours) => theirs == ours,
    }
}

/// The seeds of the trees, in as many parts as there are processors: each part has an Ansible of its own.
fn parts(cases: u64) -> Vec<Vec<u64>> {
    let count = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    (0..count).map(|part| (part..cases).step_by(count as usize).collect()).collect()
}

/// What is found wrong with each of the seeds, one process of Ansible for many of them. None if there is no Ansible.
fn all(cases: u64, compare: impl Fn(u64, &mut Ansible) -> Option<String> + Sync) -> Option<Vec<String>> {
    let found = parts(cases).into_par_iter().map(|seeds| -> Option<Vec<String>> {
        let mut ansible = Ansible::start()?;
        Some(seeds.into_iter().filter_map(|seed| compare(seed, &mut ansible)).collect())
    });
    Some(found.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

fn assert_none(found: Option<Vec<String>>, cases: u64) {
    let Some(found) = found else { return };
    let some: Vec<&str> = found.iter().take(12).map(String::as_str).collect();
    assert!(found.is_empty(), "{} of {cases} differ\n{}", found.len(), some.join("\n----\n"));
}

#[test]
fn generated_trees_resolve_as_ansible_does() {
    assert_none(all(CASES, compare), CASES);
}

#[test]
fn generated_patterns_select_what_ansible_selects() {
    assert_none(all(100, compare_patterns), 100);
}

fn compare_patterns(seed: u64, ansible: &mut Ansible) -> Option<String> {
    let (files, named) = generated::tree(seed + 10_000);
    let project = written(&files);
    let mut random = Random::new(seed);
    let patterns: Vec<Vec<String>> = (0..12).map(|_| generated::pattern(&mut random)).collect();
    let whole: Vec<String> = patterns.iter().map(|terms| terms.join(":")).collect();
    let theirs = ansible.select(&project.path(""), &named, &whole);
    let inventory: Vec<String> =
        named.iter().map(|source| project.path(source).to_string_lossy().into_owned()).collect();
    let inventory = Inventory::load(&inventory, Path::new("/")).ok()?;
    patterns.iter().zip(&whole).zip(theirs.as_array()?).find_map(|((terms, pattern), theirs)| {
        let names = |found: &Value| -> Vec<String> {
            found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let ours = inventory.select(pattern);
        let same = match &ours {
            Ok(ours) if terms.len() == 1 => *ours == names(theirs),
            Ok(ours) => BTreeSet::from_iter(ours) == names(theirs).iter().collect(),
            // We refuse what has a part that selects nothing, for which Ansible warns.
            Err(_) => {
                let alone: Vec<String> =
                    terms.iter().map(|term| term.trim_start_matches(['&', '!']).to_owned()).collect();
                let alone = ansible.select(&project.path(""), &named, &alone);
                alone.as_array()?.iter().any(|found| names(found).is_empty())
            }
        };
        (!same).then(|| {
            format!("seed {seed}: `{pattern}`\n  theirs: {theirs}\n  ours:   {ours:?}\n{}", shown(&files))
        })
    })
}
