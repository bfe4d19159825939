//! What the words of the language take, give and mean: for lint, near matches, `refrain doc` and the language server.

/// A parameter: its name, and the name of its type in Rhai. `?` is any.
pub type Parameter = (&'static str, &'static str);

/// A function that every script sees, or a method of one of the values.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// The ways to call it, each with its parameters.
    pub calls: &'static [&'static [Parameter]],
    /// The type of what it gives back. Empty for nothing.
    pub gives: &'static str,
    /// What it means, in Markdown.
    pub documentation: &'static str,
}

impl Word {
    /// The numbers of arguments that it takes.
    pub fn arities(&self) -> impl Iterator<Item = usize> + '_ {
        self.calls.iter().map(|parameters| parameters.len())
    }

    /// The ways to call it, as they are written: `role(name, parameters)`.
    pub fn spelled(&self) -> impl Iterator<Item = String> + '_ {
        self.calls.iter().map(|parameters| {
            let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
            format!("{}({})", self.name, names.join(", "))
        })
    }
}

/// A value that every script sees.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Its name.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub documentation: &'static str,
    /// Its methods. The value itself is not among their parameters.
    pub methods: &'static [Word],
}

/// The functions that every script sees.
pub const WORDS: [Word; 19] = [
    Word {
        name: "play",
        calls: &[&[("name", "String"), ("options", "Map"), ("body", "FnPtr")]],
        gives: "",
        documentation: "Runs the body on each host that `hosts` selects. Stands at the top level of a playbook.\n\n\
            Options: `hosts` (a pattern, required), `become`, `become_user`, `become_method`, `vars`, `environment`, `tags`, \
            `connection`, `placement`, `serial`, `max_failures`, `stop_on_first_failure`, `order`, `uses`, `files`.",
    },
    Word {
        name: "role",
        calls: &[&[("name", "String")], &[("name", "String"), ("parameters", "Map")]],
        gives: "",
        documentation: "Runs `roles/NAME/role.rhai`, once per host and play for the same parameters, which are variables inside.",
    },
    Word {
        name: "defaults",
        calls: &[&[("variables", "Map")]],
        gives: "",
        documentation: "The lowest layer of variables, in a role.",
    },
    Word {
        name: "handler",
        calls: &[&[("name", "String"), ("body", "FnPtr")]],
        gives: "Handler",
        documentation: "Defines a handler: it runs once, at the end of the play, if it was notified, also when something else failed.",
    },
    Word {
        name: "notify",
        calls: &[&[("handler", "Handler | String")]],
        gives: "",
        documentation: "Notifies a handler. As a method of an outcome, `r.notify(handler)`, it does so if the call changed something, \
            and gives back the outcome.",
    },
    Word {
        name: "flush_handlers",
        calls: &[&[]],
        gives: "",
        documentation: "Runs now the handlers that were notified so far.",
    },
    Word {
        name: "task",
        calls: &[
            &[("name", "String"), ("body", "FnPtr")],
            &[("name", "String"), ("options", "Map"), ("body", "FnPtr")],
        ],
        gives: "?",
        documentation: "Groups calls under a name, and gives back what its body does.\n\n\
            Options: `tags`, `become`, `become_user`, `become_method`, `environment`, `timeout`, `retries`, `delay`, `retry_until`, \
            `check`, `no_log`.",
    },
    Word {
        name: "on",
        calls: &[&[("host", "String"), ("body", "FnPtr")]],
        gives: "?",
        documentation: "Runs the body against another host: its system and its `facts`, with the variables of the play's own host. \
            The play is then evaluated on the controller.",
    },
    Word {
        name: "once",
        calls: &[&[("body", "FnPtr")]],
        gives: "?",
        documentation: "Runs the body on the first host of the play that comes to it, and gives what it gave back to all. The play is \
            then evaluated on the controller.",
    },
    Word {
        name: "barrier",
        calls: &[&[("name", "String")]],
        gives: "",
        documentation: "Waits until all hosts of the play have come there, or have ended. The play is then evaluated on the controller.",
    },
    Word {
        name: "fail",
        calls: &[&[("message", "String")]],
        gives: "",
        documentation: "Fails: the play ends on this host, unless a `try` catches it.",
    },
    Word {
        name: "assert",
        calls: &[&[("condition", "bool")], &[("condition", "bool"), ("message", "String")]],
        gives: "",
        documentation: "Fails unless the condition holds.",
    },
    Word {
        name: "warn",
        calls: &[&[("message", "String")]],
        gives: "",
        documentation: "Says something that a person should know, though nothing failed.",
    },
    Word {
        name: "prompt",
        calls: &[&[("question", "String")], &[("question", "String"), ("options", "Map")]],
        gives: "String",
        documentation: "Asks the person at the controller, at the top level of a playbook. With `#{ secret: true }`, what is typed is \
            not shown, and the answer is a secret.",
    },
    Word {
        name: "hostvars",
        calls: &[&[("host", "String")]],
        gives: "Variables",
        documentation: "The variables of another host: `hostvars(\"node1\").port`, or `.get(\"port\", 80)`.",
    },
    Word {
        name: "end_host",
        calls: &[&[]],
        gives: "",
        documentation: "Ends the play on this host for good, as a success.",
    },
    Word {
        name: "end_play",
        calls: &[&[]],
        gives: "",
        documentation: "Ends the play on this host, and keeps hosts that have not begun from beginning.",
    },
    Word {
        name: "print",
        calls: &[&[("value", "?")]],
        gives: "",
        documentation: "Says something, as a line of the run's output.",
    },
    Word {
        name: "debug",
        calls: &[&[("value", "?")]],
        gives: "",
        documentation: "Says something as `print` does, with texts in quotes.",
    },
];

/// The method that a lookup by name has, with a default.
const GET: Word = Word {
    name: "get",
    calls: &[&[("name", "String"), ("otherwise", "?")]],
    gives: "?",
    documentation: "What has this name, or `otherwise` if nothing has.",
};

const CONTAINS: Word = Word {
    name: "contains",
    calls: &[&[("name", "String")]],
    gives: "bool",
    documentation: "Whether anything has this name.",
};

const NAMES: Word = Word { name: "names", calls: &[&[]], gives: "Array", documentation: "All names." };

/// The values that every script sees.
pub const VALUES: [Value; 4] = [
    Value {
        name: "vars",
        documentation: "The variables of the host, by their names: `vars.port`. Jinja inside them is resolved when they are read. One \
            that there is not is an error; `vars.get(\"port\", 80)` has a default.",
        methods: &[
            Word {
                calls: &[&[("name", "String")], &[("name", "String"), ("otherwise", "?")]],
                documentation: "The variable of this name, or `otherwise` if there is none; without that, `()`.",
                ..GET
            },
            CONTAINS,
            NAMES,
        ],
    },
    Value {
        name: "facts",
        documentation: "What the host is: `facts.os.id`, `facts.memory.total`. Each is gathered when it is first asked for.",
        methods: &[GET],
    },
    Value {
        name: "host",
        documentation: "The host: `host.name`, `host.groups`, `host.root_kind` (`live`, `live-through-container` or `offline`), and \
            `host.check`, whether changes are only predicted.",
        methods: &[],
    },
    Value {
        name: "groups",
        documentation: "The hosts of each group of the inventory, by its name: `groups.web`, `groups[\"nomad_server\"]`.",
        methods: &[GET, CONTAINS, NAMES],
    },
];

/// The word of this name.
pub fn word(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

/// The names of all words.
pub fn words<'a>() -> impl Iterator<Item = &'a str> {
    WORDS.iter().map(|word| word.name)
}

/// The value of this name.
pub fn value(name: &str) -> Option<&'static Value> {
    VALUES.iter().find(|value| value.name == name)
}

/// The names of all values.
pub fn values<'a>() -> impl Iterator<Item = &'a str> {
    VALUES.iter().map(|value| value.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rhai::{Engine, Module};

    use super::*;

    /// What the engine has of this name: the numbers of arguments.
    fn registered(engine: &Engine, name: &str) -> BTreeSet<usize> {
        let arity = |function: rhai::FuncInfo<'_>| {
            (function.metadata.name == name).then_some(function.metadata.num_params)
        };
        engine.collect_fn_metadata(None, arity, true).into_iter().collect()
    }

    #[test]
    fn every_word_is_in_the_engine_with_the_arguments_that_are_told() {
        let mut engine = Engine::new_raw();
        engine.register_global_module(Module::new().into());
        super::super::words::register(&mut engine);
        for word in WORDS.iter().filter(|word| !matches!(word.name, "print" | "debug")) {
            let told: BTreeSet<usize> = word.arities().collect();
            let has = registered(&engine, word.name);
            assert!(told.is_subset(&has), "{}: {told:?} of {has:?}", word.name);
        }
        for value in VALUES {
            for method in value.methods {
                let has = registered(&engine, method.name);
                assert!(
                    method.arities().all(|told| has.contains(&(told + 1))),
                    "{}.{}",
                    value.name,
                    method.name
                );
            }
        }
    }
}
