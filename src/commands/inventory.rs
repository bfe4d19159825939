//! `refrain inventory`: hosts and groups, as a tree or as JSON.

use std::collections::HashSet;
use std::fmt::Write;

use console::style;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::inventory;
use refrain_engine::runner::Written;
use refrain_engine::template;

use super::{complain, print, warn};
use crate::arguments::Inventory;
use crate::exit;

/// Shows the inventory.
pub fn execute(arguments: &Inventory) -> u8 {
    let hosts = &arguments.hosts;
    let (playbook, registry) = (arguments.playbook.as_deref(), refrain_stdlib::registry());
    let shown = Written::read(&hosts.sources.inventories, &hosts.sources.extra_vars, playbook, &registry)
        .and_then(|written| {
            warn(&written.warnings);
            text(arguments, &written).map_err(|problem| vec![problem])
        });
    match shown {
        Ok(text) => print(&text),
        Err(problems) => {
            complain(&problems);
            exit::BAD_INPUT
        }
    }
}

fn text(arguments: &Inventory, written: &Written) -> Result<String, Diagnostic> {
    let Written { inventory, extra, .. } = written;
    if let Some(host) = &arguments.host {
        known(inventory, host)?;
        return Ok(template::nice_json(&inventory.host_listing(host, extra))? + "\n");
    }
    let limit = arguments.hosts.limit.as_deref().map(|limit| inventory.limit(limit)).transpose()?;
    let wanted = |host: &&str| limit.as_ref().is_none_or(|limit| limit.contains(*host));
    let hosts: Vec<&str> = inventory.hosts().filter(wanted).collect();
    if arguments.list {
        return Ok(template::nice_json(&inventory.listing(&hosts, extra))? + "\n");
    }
    Ok(tree(inventory, &hosts))
}

/// Refuses a host that nobody knows.
///
/// # Errors
/// There is no such host.
pub(super) fn known(inventory: &inventory::Inventory, host: &str) -> Result<(), Diagnostic> {
    if inventory.knows(host) {
        return Ok(());
    }
    let problem = Diagnostic::new(format!("there is no host `{host}`"));
    Err(match inventory.has_group(host) {
        true => {
            problem.hint(format!("`{host}` is a group: `refrain inventory --limit {host}` lists its hosts"))
        }
        false => problem.near(host, inventory.hosts()),
    })
}

/// Groups inside of groups, with their hosts. A group that is in several is written out where it comes first.
fn tree(inventory: &inventory::Inventory, hosts: &[&str]) -> String {
    let wanted: HashSet<&str> = hosts.iter().copied().collect();
    let mut tree = Tree { inventory, wanted, seen: HashSet::new(), text: String::new() };
    tree.group("all", "", "");
    tree.text
}

struct Tree<'a> {
    inventory: &'a inventory::Inventory,
    wanted: HashSet<&'a str>,
    /// The groups that are written out.
    seen: HashSet<&'a str>,
    text: String,
}

impl<'a> Tree<'a> {
    /// Writes a group; `lead` is before its own line, `indent` before those of what is in it.
    fn group(&mut self, group: &'a str, lead: &str, indent: &str) {
        let again = if self.seen.insert(group) { "" } else { " (see above)" };
        self.line(lead, &format!("{}{again}", style(group).bold()));
        if !again.is_empty() {
            return;
        }
        let hosts: Vec<&str> = self
            .inventory
            .members(group)
            .filter(|host| group != "all" && self.wanted.contains(host))
            .collect();
        let wanted = |group: &&str| self.inventory.hosts_of(group).any(|host| self.wanted.contains(host));
        let children: Vec<&str> = self.inventory.children(group).filter(wanted).collect();
        let mut left = hosts.len() + children.len();
        let mut leads = move || {
            left -= 1;
            if left == 0 { ("└─ ", "   ") } else { ("├─ ", "│  ") }
        };
        for host in hosts {
            let (lead, _) = leads();
            self.line(&format!("{indent}{lead}"), host);
        }
        for child in children {
            let (lead, more) = leads();
            self.group(child, &format!("{indent}{lead}"), &format!("{indent}{more}"));
        }
    }

    fn line(&mut self, lead: &str, text: &str) {
        // Writing to a text can't fail.
        let _ = writeln!(self.text, "{}{text}", style(lead).dim());
    }
}
