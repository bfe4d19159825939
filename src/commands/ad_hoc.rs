//! What commands share that run something without a playbook: one play, written for them.

use std::sync::Arc;

use refrain_engine::bundle::Settings;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::Reporter;
use refrain_engine::module::Registry;
use refrain_engine::project::Script;
use refrain_engine::runner::{self, Options, Prepared};
use refrain_engine::script::engine::{compile, engine};

use super::{reaching, running};
use crate::arguments::{Connection, Hosts};
use crate::prompt;
use crate::signals::Signals;

/// The lines of the play before what somebody has written.
const LINES_BEFORE: usize = 2;

/// One play.
pub struct AdHoc<'a> {
    /// What it is called, and its text in messages.
    pub name: &'a str,
    /// Its hosts: a pattern.
    pub pattern: &'a str,
    /// Its body, the second line of the script and what follows.
    pub body: String,
    /// What of the body somebody has written, from its second line on; the rest was written for them.
    pub own: &'a str,
    /// Check mode and the like.
    pub settings: Settings,
    /// Whether to tell by the exit code that something would change.
    pub tells_changes: bool,
    /// Whether it is for one host only.
    pub asks_one_host: bool,
}

impl AdHoc<'_> {
    /// Runs it. Returns the exit code.
    pub fn run(self, hosts: &Hosts, connection: &Connection, reporter: Box<dyn Reporter>) -> u8 {
        let signals = Signals::watch();
        let registry = Arc::new(refrain_stdlib::registry());
        let prepared = reaching::options(hosts, connection, self.settings.clone())
            .map(|options| Options { script: Some(self.script()), ..options })
            .map_err(|problem| vec![problem])
            .and_then(|options| runner::prepare(options, &registry, || Box::new(prompt::ask)))
            .map_err(|problems| self.at_own_places(problems, &registry))
            .and_then(|prepared| self.of_hosts(prepared));
        running::run(prepared, registry, &signals, || Ok(vec![reporter]), self.tells_changes)
    }

    /// The problems at places that somebody has written: a slip in the syntax is not to be met where the play goes on, nor is the
    /// play's own line theirs.
    fn at_own_places(&self, mut problems: Vec<Diagnostic>, registry: &Registry) -> Vec<Diagnostic> {
        let text = format!("{}{}", "\n".repeat(LINES_BEFORE), self.own);
        if let Err(problem) = compile(&engine(registry), self.name, &text.into()) {
            return vec![problem];
        }
        for problem in &mut problems {
            problem.at.take_if(|at| at.line <= LINES_BEFORE);
        }
        problems
    }

    /// The same, if it is about as many hosts as the command is for.
    fn of_hosts(&self, prepared: Prepared) -> Result<Prepared, Vec<Diagnostic>> {
        let plays = prepared.playbooks.iter().flat_map(|playbook| &playbook.plays);
        let problem = match plays.map(|play| play.hosts.len()).sum() {
            0 => format!("`{}` selects no host", self.pattern),
            count if count > 1 && self.asks_one_host => {
                format!("`{}` are {count} hosts, and one is asked", self.pattern)
            }
            _ => return Ok(prepared),
        };
        Err(vec![Diagnostic::new(problem)])
    }

    fn script(&self) -> Script {
        let (name, hosts) = (literal(self.name), literal(self.pattern));
        let text = format!("play({name}, #{{ hosts: {hosts} }}, || {{\n{}\n}});\n", self.body);
        Script { name: self.name.to_owned(), text: text.into() }
    }
}

/// A text as a script has it.
pub fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => literal.extend(['\\', letter]),
            '\n' => literal.push_str("\\n"),
            letter if letter.is_control() => literal.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => literal.push(letter),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_what_was_written() {
        let engine = engine(&refrain_stdlib::registry());
        for text in ["", "plain", "a \"b\" \\ `c` ${d}", "two\nlines\r\t\0\u{7f}\u{9b}", "größer 🎵"] {
            let read = engine.eval_expression::<String>(&literal(text));
            assert_eq!(read.ok().as_deref(), Some(text));
        }
    }
}
