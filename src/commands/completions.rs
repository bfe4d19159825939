//! `refrain completions`: the script by which a shell completes the command line.
//!
//! It holds all there is to complete, so that a key at the prompt starts no program: neither that of an inventory nor a playbook.

use std::fmt::Write as _;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::print;
use crate::arguments::{Arguments, Completions};

/// Writes the script.
pub fn execute(arguments: &Completions) -> u8 {
    let registry = refrain_stdlib::registry();
    // Whole functions would break at `::` in bash.
    let modules: Vec<&str> = registry.namespaces().map(|(name, _)| name).collect();
    let all = Arguments::command();
    let visible: Vec<&Command> = all.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    let commands: Vec<String> = visible.iter().map(|command| command.get_name().to_owned()).collect();
    // The script for bash would complete hidden commands, too.
    let mut command = Command::new("refrain")
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments())
        .subcommands(visible)
        .mut_subcommand("doc", |doc| {
            doc.mut_arg("name", |name| name.value_parser(PossibleValuesParser::new(modules.clone())))
        })
        .mut_subcommand("man", |man| {
            man.mut_arg("command", |name| name.value_parser(PossibleValuesParser::new(commands.clone())))
        });
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "refrain", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if arguments.shell == Shell::Fish {
        // The script for fish completes flags and their values, not what else stands there.
        for (name, words) in [("doc", modules.join(" ")), ("man", commands.join(" "))] {
            let _ = writeln!(
                script,
                "complete -c refrain -n \"__fish_refrain_using_subcommand {name}\" -f -a \"{words}\""
            );
        }
    }
    print(&script)
}
