//! A transaction, shown, confirmed and carried out.

use super::super::commit::{self, Manner, Tool, bare};
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::transaction::{Action, Entry, Refusal, Totals, Transaction, humanized};
use super::super::version;

/// What the user said.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Only the plan is shown.
    pub is_dry_run: bool,
    /// No question is asked.
    pub says_yes: bool,
}

/// Prepares a transaction, shows it, asks, and carries it out.
///
/// # Errors
/// It can't be done or failed, which is printed.
pub fn transact(
    xbps: &mut Xbps<'_, '_>,
    transaction: &mut Transaction,
    wish: Wish,
    manner: Manner,
) -> Result<(), Errno> {
    if let Err(refusal) = transaction.prepare(xbps) {
        return Err(tell_refusal(xbps, refusal));
    }
    let totals = transaction.sum_up(xbps);
    let is_too_large = totals.installed_size > totals.free_size;
    if is_too_large {
        let (needed, free) = (humanized(totals.installed_size), humanized(totals.free_size));
        xbps.error(format!(
            "Transaction aborted due to insufficient disk space (need {needed}, got {free} free)."
        ));
    }
    if wish.is_dry_run {
        transaction.entries.iter().for_each(|entry| show_plan(xbps, entry));
    }
    if is_too_large {
        return Err(Errno::ENOSPC);
    }
    if wish.is_dry_run {
        return Ok(());
    }
    if transaction.entries.iter().all(|entry| entry.action == Action::Hold) {
        return Ok(());
    }
    show_packages(xbps, transaction, &totals);
    show_sizes(xbps, &totals);
    show_messages(xbps, transaction);
    xbps.flush();
    if !wish.says_yes && !xbps.asks("Do you want to continue?") {
        xbps.say("Aborting!");
        return Ok(());
    }
    if let Err(errno) = commit::commit(xbps, transaction, manner) {
        xbps.error("Transaction failed! see above for errors.");
        return Err(errno);
    }
    let Totals { downloads, installs, updates, configures, removes, holds, .. } = totals;
    let configures = configures + installs + updates;
    xbps.say(format!(
        "\n{downloads} downloaded, {installs} installed, {updates} updated, {configures} configured, \
         {removes} removed, {holds} on hold."
    ));
    Ok(())
}

fn tell_refusal(xbps: &mut Xbps<'_, '_>, refusal: Refusal) -> Errno {
    let (lines, reason, errno) = match refusal {
        Refusal::Dependencies(lines) => (lines, "unresolved dependencies", Errno::ENODEV),
        Refusal::Conflicts(lines) => (lines, "conflicting packages", Errno::EAGAIN),
        Refusal::Libraries(lines) => (lines, "unresolved shlibs", Errno::ENOEXEC),
        Refusal::Other(errno) => {
            if errno != Errno::ENODEV {
                xbps.error(format!("Unexpected error: {errno} ({})", errno.0));
            }
            return errno;
        }
    };
    lines.into_iter().for_each(|line| xbps.complain(line));
    xbps.error(format!("Transaction aborted due to {reason}."));
    errno
}

fn show_plan(xbps: &mut Xbps<'_, '_>, entry: &Entry) {
    let package = &entry.package;
    let or_dash = |property: &str| match package.text(property) {
        "" => "-".to_owned(),
        text => text.to_owned(),
    };
    let (architecture, repository) = (or_dash("architecture"), or_dash("repository"));
    let (installed, file) = (package.number("installed_size"), package.number("filename-size"));
    let (pkgver, action) = (package.pkgver(), entry.action.word());
    xbps.say(format!("{pkgver} {action} {architecture} {repository} {installed} {file}"));
}

fn show_packages(xbps: &mut Xbps<'_, '_>, transaction: &Transaction, totals: &Totals) {
    let is = |actions: &'static [Action]| move |entry: &&Entry| actions.contains(&entry.action);
    let entries = &transaction.entries;
    let downloaded = entries.iter().filter(|entry| entry.needs_download).collect();
    show_list(xbps, totals.downloads, "will be downloaded", downloaded, false);
    let installed = entries.iter().filter(is(&[Action::Install, Action::Reinstall])).collect();
    show_list(xbps, totals.installs, "will be installed", installed, false);
    let updated = entries.iter().filter(is(&[Action::Update])).collect();
    show_list(xbps, totals.updates, "will be updated", updated, true);
    let configured = entries.iter().filter(is(&[Action::Configure])).collect();
    show_list(xbps, totals.configures, "will be configured", configured, false);
    let removed = entries.iter().filter(is(&[Action::Remove])).collect();
    show_list(xbps, totals.removes, "will be removed", removed, false);
    let held = entries.iter().filter(is(&[Action::Hold])).collect();
    show_list(xbps, totals.holds, "are on hold", held, false);
}

fn show_list(xbps: &mut Xbps<'_, '_>, count: usize, what: &str, entries: Vec<&Entry>, with_versions: bool) {
    if count == 0 {
        return;
    }
    let plural = if count == 1 { "" } else { "s" };
    xbps.say(format!("{count} package{plural} {what}:"));
    for entry in entries {
        let pkgver = entry.package.pkgver();
        let installed = xbps.database.get(bare(pkgver)).map(|installed| installed.version().to_owned());
        let shown = match installed.filter(|_| with_versions) {
            Some(installed) => {
                format!("{} ({installed} -> {})", bare(pkgver), version::version(pkgver).unwrap_or_default())
            }
            None => pkgver.to_owned(),
        };
        xbps.print(format!("\n  {shown} "));
    }
    xbps.say("");
}

fn show_sizes(xbps: &mut Xbps<'_, '_>, totals: &Totals) {
    xbps.say("");
    let lines = [
        (totals.download_size, "Size to download:             "),
        (totals.installed_size, "Size required on disk:        "),
        (totals.removed_size, "Size freed on disk:           "),
        (totals.free_size, "Space available on disk:      "),
    ];
    for (size, text) in lines {
        if size > 0 {
            xbps.say(format!("{text}{:>6}", humanized(size)));
        }
    }
    xbps.say("");
}

fn show_messages(xbps: &mut Xbps<'_, '_>, transaction: &Transaction) {
    for entry in &transaction.entries {
        let property = match entry.action {
            Action::Remove => "remove-msg",
            Action::Update | Action::Install => "install-msg",
            _ => continue,
        };
        let Some(message) = entry.package.data(property) else { continue };
        let name = entry.package.name();
        let before = xbps.database.get(name).filter(|_| entry.action == Action::Update);
        if message.is_empty() || before.is_some_and(|before| before.data(property) == Some(message)) {
            continue;
        }
        let message = String::from_utf8_lossy(message);
        xbps.say(format!("[*] {name} {} message:\n{message}\n", entry.action.word()));
    }
}

/// The manner of a tool that was told nothing special.
pub fn plain(tool: Tool) -> Manner {
    Manner {
        tool,
        overwrites: false,
        ignores_file_conflicts: false,
        unpack_only: false,
        is_reproducible: false,
        removes_changed: false,
    }
}
