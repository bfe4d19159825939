//! `refrain lint --bundle HOST`: what a host would get to know.

use std::fmt::Write;

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::module::Registry;
use refrain_engine::runner::listing::{ListedVariable, Listing};
use refrain_engine::runner::{self, ConnectionOptions, Options};
use refrain_engine::transport::ssh::LocalUser;

use crate::arguments::Lint;
use crate::commands::complain;
use crate::plural::plural;
use crate::{exit, prompt};

/// Shows the bundles of all plays on `host`.
pub(super) fn show(arguments: &Lint, host: &str, registry: &Registry) -> u8 {
    match listings(arguments, host, registry) {
        Ok(listings) => {
            let texts: Vec<String> = listings.iter().map(|listing| text(listing, host)).collect();
            print!("{}", texts.join("\n"));
            exit::DONE
        }
        Err(problems) => {
            complain(&problems);
            exit::BAD_INPUT
        }
    }
}

fn listings(arguments: &Lint, host: &str, registry: &Registry) -> Result<Vec<Listing>, Vec<Diagnostic>> {
    let options = Options {
        playbooks: arguments.playbooks.clone(),
        inventories: arguments.inventories.clone(),
        extra: arguments.extra_vars.clone(),
        connection: ConnectionOptions { local_user: LocalUser::current(), ..ConnectionOptions::default() },
        ..Options::default()
    };
    let prepared = runner::prepare(options, registry, || Box::new(prompt::ask))?;
    let listings = prepared.listings(host).map_err(|error| vec![error])?;
    if listings.is_empty() {
        let plays = prepared.playbooks.iter().flat_map(|playbook| &playbook.plays);
        let hosts = plays.flat_map(|play| &play.hosts).map(String::as_str);
        return Err(vec![Diagnostic::new(format!("no play runs on `{host}`")).near(host, hosts)]);
    }
    Ok(listings)
}

/// A bundle as text.
fn text(listing: &Listing, host: &str) -> String {
    let Listing { playbook, play, size, .. } = listing;
    let mut text = format!("{playbook} — {play} — {host}: {size} bytes\n");
    let sized = |(path, size): &(String, u64)| (path.clone(), size.to_string());
    section(&mut text, "scripts", listing.scripts.iter().map(sized));
    section(&mut text, "templates", listing.templates.iter().map(sized));
    let files = listing.files.iter().map(|file| {
        let when = if file.is_inside { "" } else { ", sent when it is needed" };
        (file.path.clone(), format!("{}{when}", file.size))
    });
    section(&mut text, "files", files);
    section(&mut text, "variables", listing.variables.iter().map(|variable| row("", variable)));
    let others = listing.others.iter().flat_map(|(host, variables)| {
        let rows = variables.iter().map(move |variable| row(&format!("{host}: "), variable));
        let alone = variables.is_empty().then(|| (host.clone(), String::new()));
        rows.chain(alone)
    });
    section(&mut text, "other hosts", others);
    let groups = listing.groups.iter().map(|(name, hosts)| (name.clone(), plural(*hosts, "host")));
    section(&mut text, "groups", groups);
    let environment = listing.environment.iter().map(|name| (name.clone(), String::new()));
    section(&mut text, "environment", environment);
    let names = listing.withheld.iter().map(|name| (name.clone(), String::new()));
    section(&mut text, "names without values", names);
    if listing.captures > 0 {
        let _ = writeln!(text, "  {} of the top level", plural(listing.captures, "value"));
    }
    if listing.secrets > 0 {
        let _ = writeln!(text, "  {}", plural(listing.secrets, "secret"));
    }
    text
}

fn row(before: &str, variable: &ListedVariable) -> (String, String) {
    let secret = if variable.is_secret { ", secret" } else { "" };
    (format!("{before}{}", variable.name), format!("{}{secret}", variable.origin))
}

/// Names and what is to be said of each, under a title. Nothing where there are none.
fn section(text: &mut String, title: &str, rows: impl Iterator<Item = (String, String)>) {
    let rows: Vec<(String, String)> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    // Writing to a `String` can't fail.
    let _ = writeln!(text, "  {title}");
    for (name, about) in rows {
        let line = format!("    {name:width$}  {about}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
