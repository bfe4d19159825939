//! `refrain man`: the manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;
use refrain_engine::diagnostic::Diagnostic;

use super::{complain, print};
use crate::arguments::{Arguments, Man};
use crate::exit;

/// Writes a page, or all of them into a directory.
pub fn execute(arguments: &Man) -> u8 {
    let pages = pages();
    if let Some(directory) = &arguments.directory {
        return match write(&pages, directory) {
            Ok(()) => exit::DONE,
            Err(error) => {
                let what = format!("could not write the pages to {}: {error}", directory.display());
                complain(&[Diagnostic::new(what)]);
                exit::FAILED
            }
        };
    }
    let name = match &arguments.command {
        None => "refrain".to_owned(),
        Some(command) => format!("refrain-{command}"),
    };
    match pages.iter().find(|(page, _)| *page == name) {
        Some((_, text)) => print(&String::from_utf8_lossy(text)),
        None => {
            let command = name.trim_start_matches("refrain-");
            let names = pages.iter().filter_map(|(page, _)| page.strip_prefix("refrain-"));
            complain(&[Diagnostic::new(format!("there is no command `{command}`")).near(command, names)]);
            exit::BAD_INPUT
        }
    }
}

fn write(pages: &[(String, Vec<u8>)], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    pages.iter().try_for_each(|(name, text)| fs::write(directory.join(format!("{name}.1")), text))
}

/// The pages by their names: that of the whole, and that of each command.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut all = Arguments::command().disable_help_subcommand(true);
    // Works out the names that commands are called by.
    all.build();
    let commands = all.get_subcommands().filter(|command| !command.is_hide_set());
    [&all].into_iter().chain(commands).map(|command| (name(command), page(command))).collect()
}

fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: &Command) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing to memory can't fail.
    let _ = Page::new(command.clone()).render(&mut text);
    text
}
