//! What came of each host.

use console::{Style, style};
use indexmap::IndexMap;
use refrain_engine::event::Recap;
use refrain_engine::printable;

use super::host_names;
use crate::plural::plural;

/// The last lines of a run that took so many milliseconds: hosts of which the same came are one.
pub(super) fn lines(hosts: &IndexMap<String, Recap>, duration: u64, run: &str, check: bool) -> Vec<String> {
    let mut alike: IndexMap<String, Vec<&str>> = IndexMap::new();
    for (host, recap) in hosts {
        alike.entry(counts(*recap, check)).or_default().push(host);
    }
    let alike: Vec<(String, String)> = alike
        .into_iter()
        .map(|(counts, hosts)| (printable::line(&host_names::folded(hosts)).into_owned(), counts))
        .collect();
    let width = alike.iter().map(|(names, _)| names.chars().count()).max().unwrap_or(0).min(super::NAMES);
    let mut lines = vec![String::new()];
    lines.extend(alike.iter().map(|(names, counts)| format!("{names:<width$}  {counts}")));
    let undeclared: u64 = hosts.values().map(|recap| u64::from(recap.undeclared)).sum();
    if undeclared > 0 {
        let actions = plural(undeclared, "action");
        lines.push(format!("{actions} whose effects nobody declared: check mode can't know them"));
    }
    #[allow(clippy::cast_precision_loss)] // Milliseconds of a run are far below 2^52.
    let seconds = duration as f64 / 1000.0;
    // By this name it can be taken back.
    let changed = !check && hosts.values().any(|recap| recap.changed > 0);
    let run = if changed { format!(", run {}", printable::line(run)) } else { String::new() };
    lines.push(style(format!("{seconds:.2} s{run}")).dim().to_string());
    lines
}

fn counts(recap: Recap, check: bool) -> String {
    let changed = if check { "would change" } else { "changed" };
    let mut parts = vec![
        paint(recap.changed, changed, &Style::new().yellow()),
        paint(recap.ok, "ok", &Style::new().green()),
    ];
    if recap.may_change > 0 {
        parts.push(paint(recap.may_change, "may change", &Style::new().magenta()));
    }
    if recap.skipped > 0 {
        parts.push(paint(recap.skipped, "skipped", &Style::new().cyan()));
    }
    if recap.failed {
        parts.push(Style::new().red().bold().apply_to("failed").to_string());
    }
    if recap.unreachable {
        parts.push(Style::new().red().bold().apply_to("unreachable").to_string());
    }
    if recap.interrupted {
        parts.push(Style::new().yellow().apply_to("interrupted").to_string());
    }
    parts.join(", ")
}

fn paint(count: u32, what: &str, color: &Style) -> String {
    let text = format!("{count} {what}");
    if count == 0 { text } else { color.apply_to(text).to_string() }
}
