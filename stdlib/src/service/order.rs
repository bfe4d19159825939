//! Orders that are given each time: what the actions of this namespace have in common.

use std::borrow::Cow;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::System;
use refrain_engine::system::preview::Overlay;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::choice::Manager;
use super::found::Planned;
use super::manager::{self, Order};
use super::names::Services;
use super::running::{Call, predict};
use crate::one_or_many::OneOrMany;
use crate::runit;
use crate::runit::service_name::ServiceName;
use crate::seconds::Seconds;

/// A function that gives an order to services.
pub trait Ordering: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function.
    const NAME: &'static str;
    /// The order.
    const ORDER: Order;
    /// What the namespace `runit` has for it.
    type Runit: runit::order::Order;

    /// To whom.
    fn services(&self) -> &Services;

    /// How long each service may take.
    fn timeout(&self) -> Option<Seconds>;

    /// The same call of `runit`.
    fn for_runit(&self, names: OneOrMany<ServiceName>) -> Self::Runit;
}

/// A call of such a function.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Give<O>(pub O);

impl<O: JsonSchema> JsonSchema for Give<O> {
    fn schema_name() -> Cow<'static, str> {
        O::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        O::json_schema(generator)
    }
}

impl<O: Ordering> Give<O> {
    fn runit(&self, names: &OneOrMany<ServiceName>) -> runit::order::Give<O::Runit> {
        runit::order::Give(self.0.for_runit(names.clone()))
    }

    fn call<'a>(
        &self,
        context: &'a Context<'a>,
        chosen: Manager,
        manager: &'static dyn manager::ServiceManager,
    ) -> Call<'a> {
        Call { context, chosen, manager, timeout: self.0.timeout() }
    }
}

impl<O: Ordering> Action for Give<O> {
    const NAME: &'static str = O::NAME;
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn subject(&self) -> String {
        self.0.services().subject()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        let (chosen, names) = self.0.services().of(context.host)?;
        let Some(manager) = manager::of(chosen) else { return self.runit(names).needless(context) };
        if !chosen.is_at_work(context.host)? {
            return Ok(Some(runit::order::NOTHING_RUNS.to_owned()));
        }
        let Some(notified) = context.materials.notified_at().filter(|_| O::ORDER == Order::Restart) else {
            return Ok(None);
        };
        // A time may be known to the second only.
        let is_new =
            |name| manager.started(context, name).is_some_and(|start| start.seconds > notified.seconds);
        Ok(names.0.iter().all(is_new).then(|| "it was started after the change".to_owned()))
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        let (chosen, names) = self.0.services().of(overlay)?;
        if manager::of(chosen).is_none() {
            return self.runit(names).predict(overlay);
        }
        names.0.iter().for_each(|name| predict(overlay, name, true));
        Ok(true)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let (chosen, names) = self.0.services().of(context.host)?;
        let Some(manager) = manager::of(chosen) else { return self.runit(names).run(system, context) };
        let call = self.call(context, chosen, manager);
        let all: Vec<&ServiceName> = names.0.iter().collect();
        for name in &all {
            if !manager.exists(context.host, name)? {
                return Err(call.missing(name));
            }
        }
        let is_outdated = call.conditions(&all)?.iter().any(|condition| condition.is_outdated);
        let reread = call.reread().filter(|_| is_outdated);
        for step in reread.into_iter().chain(all.into_iter().map(|name| call.order(O::ORDER, name))) {
            if let Planned::Command(step) = step {
                system.run(&step.command)?.require_success(&step.command)?;
            }
        }
        Ok(Done { changed: true, ..Done::default() })
    }
}
