//! The command line of refrain: arguments in, terminal out. Everything else is the engine's.

mod arguments;
mod commands;
mod exit;
mod junit;
mod plural;
mod prompt;
mod reporter;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use refrain_engine::transport::process::answer_as_askpass;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    if let Some(code) = answer_as_askpass() {
        return code.into();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nowhere to complain to if even this can't be printed.
            let _ = error.print();
            return if error.use_stderr() { exit::BAD_INPUT.into() } else { ExitCode::SUCCESS };
        }
    };
    let code = match arguments.command {
        Command::Run(run) => commands::run::execute(*run),
        Command::Rollback(rollback) => commands::rollback::execute(&rollback),
        Command::Exec(exec) => commands::exec::execute(*exec),
        Command::Call(call) => commands::call::execute(&call),
        Command::Facts(facts) => commands::facts::execute(*facts),
        Command::Lint(lint) => commands::lint::execute(&lint),
        Command::Init(init) => commands::init::execute(&init),
        Command::Inventory(inventory) => commands::inventory::execute(&inventory),
        Command::Vendor(vendor) => commands::vendor::execute(&vendor),
        Command::Vars(vars) => commands::vars::execute(&vars),
        Command::Test(test) => commands::test::execute(&test),
        Command::Doc(doc) => commands::doc::execute(&doc),
        Command::Definitions(definitions) => commands::definitions::execute(&definitions),
        Command::Completions(completions) => commands::completions::execute(&completions),
        Command::Man(man) => commands::man::execute(&man),
        Command::Agent => commands::agent::execute(),
    };
    code.into()
}
