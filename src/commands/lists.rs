//! What `--list-hosts`, `--list-tasks` and `--list-tags` show of a run instead of running it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use console::style;
use refrain_engine::analysis::outline::{Item, Kind};
use refrain_engine::module::Registry;
use refrain_engine::printable;
use refrain_engine::runner::{Prepared, PreparedPlay};

use crate::arguments::Lists;
use crate::plural::plural;

/// The lists that are wanted, play by play. Each has a heading of its own where there are several.
pub fn of(prepared: &Prepared, registry: &Registry, wanted: Lists) -> String {
    let mut text = String::new();
    let mut started = false;
    let is_alone =
        [wanted.list_hosts, wanted.list_tasks, wanted.list_tags].iter().filter(|wanted| **wanted).count()
            == 1;
    for playbook in &prepared.playbooks {
        for play in &playbook.plays {
            let _ = writeln!(text, "{} — {}", playbook.name, heading(play));
            let outline = playbook.outline(play, registry);
            let items = outline.selected(&prepared.settings, &mut started);
            let mut list = |wanted: bool, name: &str, lines: &dyn Fn() -> Vec<String>| {
                if !wanted {
                    return;
                }
                if !is_alone {
                    let _ = writeln!(text, "  {name}:");
                }
                let indent = if is_alone { "  " } else { "    " };
                lines().iter().for_each(|line| _ = writeln!(text, "{indent}{}", line.trim_end()));
            };
            list(wanted.list_hosts, "hosts", &|| play.hosts.clone());
            list(wanted.list_tasks, "tasks", &|| tasks(&items));
            list(wanted.list_tags, "tags", &|| tags(&items));
        }
    }
    text
}

fn heading(play: &PreparedPlay) -> String {
    let definition = &play.definition.play;
    let count = plural(play.hosts.len(), "host");
    let tags = in_brackets(&definition.tags);
    format!("{}: {count}{tags}", style(printable::line(&definition.name)).bold())
}

/// One line each, with the place where it stands in a column of its own.
fn tasks(items: &[&Item]) -> Vec<String> {
    /// What stands behind longer lines follows them directly.
    const WIDEST: usize = 60;
    let named: Vec<String> = items.iter().map(|item| name(item)).collect();
    let widths = named.iter().map(|name| name.chars().count());
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or_default();
    let lines = items.iter().zip(named).map(|(item, name)| {
        let mut tags = in_brackets(&item.tags);
        if item.has_computed_tags {
            tags.push_str(" [computed tags]");
        }
        format!(
            "{name:<width$}  {}{}",
            style(format!("{}:{}", item.path, item.line)).dim(),
            style(tags).cyan()
        )
    });
    lines.collect()
}

fn name(item: &Item) -> String {
    let computed = |what: &str| format!("(a {what} whose name is computed)");
    let name = match item.kind {
        Kind::Role => item.name.as_ref().map_or(computed("role"), |name| format!("role {name}")),
        Kind::Task => item.name.as_ref().map_or(computed("task"), |name| format!("task {name}")),
        Kind::Call => item.name.clone().unwrap_or_default(),
    };
    let words: Vec<&str> = std::iter::once(&name).chain(&item.arguments).map(String::as_str).collect();
    format!("{:indent$}{}", "", printable::line(&words.join(" ")), indent = 2 * item.depth)
}

/// All tags, sorted.
fn tags(items: &[&Item]) -> Vec<String> {
    let tags: BTreeSet<&String> = items.iter().flat_map(|item| &item.tags).collect();
    let computed = items.iter().any(|item| item.has_computed_tags).then(|| "(some are computed)".to_owned());
    tags.into_iter().cloned().chain(computed).collect()
}

fn in_brackets(tags: &[String]) -> String {
    if tags.is_empty() { String::new() } else { format!(" [{}]", tags.join(", ")) }
}
