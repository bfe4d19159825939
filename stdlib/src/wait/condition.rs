//! What all functions of the namespace do, whatever it is that they wait for.

use std::borrow::Cow;
use std::thread;
use std::time::{Duration, Instant};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::System;
use refrain_engine::system::preview::Overlay;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::seconds::Seconds;

/// How long is waited when nothing is said.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How often it is looked when nothing is said.
const INTERVAL: Duration = Duration::from_secs(1);
/// The first looks come one soon after the other: most of what is waited for is there soon.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How long is waited, and how.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Patience {
    /// How long it may take, in seconds. Default 300. An enclosing task's `timeout` holds beside it.
    #[serde(default)]
    timeout: Option<Seconds>,
    /// How many seconds are between two looks. Default 1; the first ones come sooner.
    #[serde(default)]
    interval: Option<Seconds>,
    /// How many seconds pass before the first look. Absent, there is one at once.
    #[serde(default)]
    delay: Option<Seconds>,
}

/// What a look has found.
pub struct Seen {
    /// Whether it is what is waited for.
    pub is_met: bool,
    /// In words, for when it never is.
    pub words: String,
    /// Fields of the outcome.
    pub fields: Map<String, Value>,
}

impl Seen {
    /// Something without fields.
    pub fn new(is_met: bool, words: impl Into<String>) -> Self {
        Self { is_met, words: words.into(), fields: Map::new() }
    }
}

/// Something that can be waited for.
pub trait Condition: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function.
    const NAME: &'static str;
    /// The arguments that can be given without a name, in order.
    const POSITIONAL: &'static [&'static str];
    /// The fields of the outcome beside `seconds`.
    const FIELDS: &'static [&'static str];

    /// What is waited for, for people.
    fn subject(&self) -> String;

    /// How long.
    fn patience(&self) -> &Patience;

    /// Why nothing of the kind can be seen on this host, ever.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn is_beyond(&self, _context: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// Whether a look has no effects at all, and may be had in check mode.
    fn looks_only(&self) -> bool {
        true
    }

    /// Looks, for at most so long.
    ///
    /// # Errors
    /// The arguments make no sense, or the host can't be looked at. What is just not yet so is no error.
    fn look(&self, context: &Context<'_>, left: Duration) -> Result<Seen, Failure>;
}

/// A call of a function that waits.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Waiting<C>(pub C);

impl<C: JsonSchema> JsonSchema for Waiting<C> {
    fn schema_name() -> Cow<'static, str> {
        C::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        C::json_schema(generator)
    }
}

impl<C: Condition> Action for Waiting<C> {
    const NAME: &'static str = C::NAME;
    const POSITIONAL: &'static [&'static str] = C::POSITIONAL;
    const FIELDS: &'static [&'static str] = C::FIELDS;

    fn subject(&self) -> String {
        self.0.subject()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        if let Some(reason) = self.0.is_beyond(context)? {
            return Ok(Some(reason));
        }
        // Nothing is known of its effects before it is run, and fields have to be had from a real look.
        if !context.host.is_predicted()
            || !self.0.looks_only()
            || self.0.patience().delay.is_some()
            || !C::FIELDS.is_empty()
        {
            return Ok(None);
        }
        Ok(self.0.look(context, TIMEOUT)?.is_met.then(|| "it is so already".to_owned()))
    }

    fn predict(&self, _: &Overlay) -> Result<bool, Failure> {
        // All of its effects are known: there are none.
        Ok(true)
    }

    fn run(&self, _: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let Patience { timeout, interval, delay } = self.0.patience();
        let timeout = timeout.map_or(TIMEOUT, |timeout| timeout.0);
        let timeout = context.materials.time_left().map_or(timeout, |left| left.min(timeout));
        let interval = interval.map_or(INTERVAL, |interval| interval.0);
        let start = Instant::now();
        let left = || timeout.saturating_sub(start.elapsed());
        thread::sleep(delay.map_or(Duration::ZERO, |delay| delay.0.min(left())));
        let mut pause = FIRST_PAUSE.min(interval);
        loop {
            let seen = self.0.look(context, left())?;
            if seen.is_met {
                return Ok(Done { changed: false, fields: seen.fields, failure: None });
            }
            if left().is_zero() {
                let (what, seconds) = (format!("waiting for {}", self.0.subject()), timeout.as_secs_f64());
                return Err(Failure::Timeout { what, seconds, output: seen.words });
            }
            thread::sleep(pause.min(left()));
            pause = (pause * 2).min(interval);
        }
    }
}
