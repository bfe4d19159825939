//! What all functions of the namespace do, whatever it is that they run.

use std::borrow::Cow;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, Output, System};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::options::{FIELDS, Options};
use super::words::Word;

/// As much of a command line is shown of a call.
const SHOWN: usize = 100;

/// Something that can be run.
pub trait Runnable: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function.
    const NAME: &'static str;
    /// The arguments that can be given without a name, in order.
    const POSITIONAL: &'static [&'static str];

    /// How it is run.
    fn options(&self) -> &Options;

    /// What people know it as: a command line.
    fn line(&self) -> String;

    /// The words of the command.
    ///
    /// # Errors
    /// They make no sense.
    fn words(&self) -> Result<Vec<Word>, Failure>;

    /// The program itself, where it is none of the host's.
    ///
    /// # Errors
    /// The play did not bring it.
    fn program(&self, _context: &Context<'_>) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}

/// A call of a function that runs something.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Invocation<R>(pub R);

impl<R: JsonSchema> JsonSchema for Invocation<R> {
    fn schema_name() -> Cow<'static, str> {
        R::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        R::json_schema(generator)
    }
}

impl<R: Runnable> Invocation<R> {
    /// What people know the command as, in one line.
    fn name(&self) -> String {
        let line = self.0.line();
        match line.trim().split_once('\n') {
            Some((first, _)) => format!("{first} …"),
            None => line.trim().to_owned(),
        }
    }

    fn finish(&self, output: Result<Output, Failure>) -> Result<Done, Failure> {
        match output {
            Ok(output) => Ok(self.0.options().done(&output, self.name())),
            // The system knows it by the words that it was given, which for a script are not the playbook's.
            Err(Failure::Timeout { seconds, output, .. }) => {
                Err(Failure::Timeout { what: format!("`{}`", self.name()), seconds, output })
            }
            Err(failure) => Err(failure),
        }
    }

    fn command(&self, context: &Context<'_>) -> Result<Command, Failure> {
        let known: Option<Vec<String>> = self.0.words()?.iter().map(Word::known).collect();
        let Some(argv) = known else {
            return Err(Failure::state("a word of the command is known only in a real run"));
        };
        let program = self.0.program(context)?;
        Ok(Command { program, ..self.0.options().command(context, argv)? })
    }
}

impl<R: Runnable> Action for Invocation<R> {
    const NAME: &'static str = R::NAME;
    const POSITIONAL: &'static [&'static str] = R::POSITIONAL;
    const FIELDS: &'static [&'static str] = FIELDS;

    fn subject(&self) -> String {
        let name = self.name();
        match name.char_indices().nth(SHOWN) {
            Some((cut, _)) => format!("{}…", &name[..cut]),
            None => name,
        }
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        // Before anything else, so that check mode complains about a command that makes no sense.
        self.0.words()?;
        self.0.options().effects().needless(context.host)
    }

    fn only_reads(&self) -> bool {
        let words_known =
            || self.0.words().is_ok_and(|words| words.iter().all(|word| word.known().is_some()));
        self.0.options().probe() && self.0.options().known() && words_known()
    }

    fn probe(&self, context: &Context<'_>) -> Result<Done, Failure> {
        self.finish(context.host.probe(&self.command(context)?))
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        let declared = self.0.options().effects().predict(overlay)?;
        // A probe gets here when what it reads with is not known yet: it has no effects all the same.
        Ok(declared || self.0.options().probe())
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        self.finish(system.run(&self.command(context)?))
    }
}
