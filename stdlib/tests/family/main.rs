//! What holds for every function of the standard library, asked of each one that is registered.
//!
//! A function's documented examples are its tests. Each is run in a sandbox and in a root of its own, after the script
//! `fixtures/NAMESPACE/before.rhai` has put in place what it needs; templates and files of the project are beside that.

mod examples;
mod host;
mod play;
mod tree;

use std::collections::BTreeMap;
use std::rc::Rc;

use refrain_engine::diagnostic::near_match;
use refrain_engine::event::{Status, TaskReport};
use refrain_engine::journal::Calls;
use refrain_engine::module::converge::{Call, Mode};
use refrain_engine::module::{Contract, Entry, NoMaterials};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
use serde_json::json;

use examples::{Example, examples, parts};
use host::{Host, Kind};
use play::{Play, Ran};

#[test]
fn everything_is_documented() {
    let registry = refrain_stdlib::registry();
    let mut missing = Vec::new();
    let mut need = |what: String, text: &str| {
        if text.trim().is_empty() {
            missing.push(what);
        }
    };
    for (namespace, about) in registry.namespaces() {
        need(format!("what `{namespace}` is for"), about);
    }
    for entry in registry.entries() {
        need(format!("what `{}` does", entry.name), &entry.documentation());
        for argument in entry.arguments() {
            need(format!("`{}` of `{}`", argument.name, entry.name), &argument.documentation);
        }
        let shown = examples(entry).iter().any(|example| example.text.contains(entry.name));
        need(format!("an example of `{}`", entry.name), if shown { "shown" } else { "" });
    }
    assert!(missing.is_empty(), "not documented: {missing:#?}");
}

#[test]
fn an_unknown_argument_is_refused_with_a_near_one() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
    let overlay = Overlay::new(Rc::new(sandbox));
    let registry = refrain_stdlib::registry();
    let mut asked = 0;
    for entry in registry.entries() {
        for (misspelled, near) in misspellings(entry) {
            let hint = format!("did you mean `{near}`?");
            let calls = Calls::default();
            let call = Call::new(Mode::Check(&overlay), &NoMaterials, &calls);
            let failure = entry.call(json!({ &misspelled: 1 }), &call).failure.expect(entry.name);
            assert_eq!(failure.to_string(), format!("unknown argument `{misspelled}`"), "{}", entry.name);
            assert_eq!(failure.hint().as_ref(), Some(&hint), "{}", entry.name);

            let body = format!("{}(#{{ {misspelled}: 1 }});", entry.name);
            let problems = Play::new(entry.namespace(), &body, false).err().expect("lint refuses it, too");
            assert!(problems.contains(&misspelled) && problems.contains(&hint), "{problems}");
            asked += 1;
        }
    }
    assert!(asked > registry.entries().count(), "nearly every argument can be misspelled");
}

/// Each argument with two letters at its end swapped, and the argument that is nearest to that.
fn misspellings(entry: &Entry) -> Vec<(String, String)> {
    let names: Vec<String> = entry.arguments().into_iter().map(|argument| argument.name).collect();
    let misspelled = names.iter().map(|name| {
        let mut letters: Vec<char> = name.chars().collect();
        let last = letters.len() - 1;
        letters.swap(last, last.saturating_sub(1));
        letters.into_iter().collect::<String>()
    });
    misspelled
        .filter(|misspelled| !names.contains(misspelled))
        .filter_map(|misspelled| {
            let near = near_match(&misspelled, names.iter().map(String::as_str))?.to_owned();
            Some((misspelled, near))
        })
        .collect()
}

#[test]
fn examples_pass_lint() {
    let registry = refrain_stdlib::registry();
    let problems: Vec<String> = registry
        .entries()
        .flat_map(examples)
        .filter_map(|example| Play::new(example.namespace, &example.text, false).err())
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn examples_keep_their_promises_in_a_sandbox() {
    hold_all(Kind::Sandbox);
}

#[test]
fn examples_keep_their_promises_in_a_root() {
    hold_all(Kind::Root);
}

#[test]
fn examples_keep_their_promises_through_a_connection() {
    hold_all(Kind::RemoteRoot);
}

/// Every example keeps its promises, and every statement has one that changes something.
fn hold_all(kind: Kind) {
    if let Err(reason) = kind.possible() {
        assert!(std::env::var_os("CI").is_none(), "needs {reason}");
        eprintln!("skipped: needs {reason}");
        return;
    }
    let registry = refrain_stdlib::registry();
    let mut broken = Vec::new();
    let mut changing: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in registry.entries() {
        for part in examples(entry).iter().filter(|example| kind.runs(example.runs)).flat_map(parts) {
            match hold(kind, &part) {
                Ok(changed) => *changing.entry(entry.name).or_default() |= changed,
                Err(reason) => broken.push(format!("{}: {reason}\n{}", entry.name, part.text)),
            }
        }
    }
    assert!(broken.is_empty(), "{} broken\n\n{}", broken.len(), broken.join("\n\n"));
    let is_state = |name: &str| registry.get(name).is_some_and(|entry| entry.contract == Contract::State);
    let idle: Vec<&str> = changing
        .into_iter()
        .filter(|(name, changed)| is_state(name) && !changed)
        .map(|(name, _)| name)
        .collect();
    assert!(idle.is_empty(), "no example changes anything: {idle:?}");
}

/// The namespaces whose changes are made and taken back by programs of the host, which set times of their own.
const BY_COMMANDS: [&str; 3] = ["docker", "pkg", "xbps"];

/// Holds an example to its promises. Returns whether it changed the host.
fn hold(kind: Kind, example: &Example) -> Result<bool, String> {
    let host = Host::new(kind, example.namespace)?;
    let checking = Play::new(example.namespace, &example.text, true)?;
    let making = Play::new(example.namespace, &example.text, false)?;

    let (mut before, untouched) = (host.tree(), host.on_disk());
    let foretold = host.run(&checking)?;
    if host.on_disk() != untouched {
        return Err("check mode wrote something".to_owned());
    }
    if !foretold.acts() {
        foretell_once(&host, example)?;
    }
    let made = host.run(&making)?;
    agree(&foretold, &made)?;
    let after = host.tree();
    let changed = before != after;
    if changed != made.tasks.iter().any(|task| task.status == Status::Changed) && !made.acts() {
        return Err("what was reported is not what happened".to_owned());
    }
    if made.acts() {
        return Ok(changed);
    }
    let again = host.run(&making)?;
    if let Some(task) = again.tasks.iter().find(|task| task.status != Status::Ok) {
        return Err(format!("a second run changes `{}`: {:?}", task.subject, task.steps));
    }
    tree::same(&after, &host.tree()).map_err(|what| format!("a second run changed {what}"))?;
    host.undo(&made)?;
    let mut undone = host.tree();
    if BY_COMMANDS.contains(&example.namespace) {
        before = tree::without_times(before);
        undone = tree::without_times(undone);
    }
    tree::same(&before, &undone).map_err(|what| format!("undone, there is another {what}"))?;
    Ok(changed)
}

/// Whether check mode, having foretold a change, has it in view: the same script again would change nothing more.
fn foretell_once(host: &Host, example: &Example) -> Result<(), String> {
    let twice = format!("{}\n{}", example.text, example.text);
    let foretold = host.run(&Play::new(example.namespace, &twice, true)?)?;
    let mut again = foretold.tasks.iter().skip(foretold.tasks.len() / 2);
    match again.find(|task| !matches!(task.status, Status::Ok | Status::MayChange)) {
        None => Ok(()),
        Some(task) => Err(format!("check mode does not see what it foretold: {:?}", task.steps)),
    }
}

/// Whether check mode foretold what was made: all that it was sure of, and nothing that it had not said.
fn agree(foretold: &Ran, made: &Ran) -> Result<(), String> {
    if foretold.tasks.len() != made.tasks.len() && !foretold.ended_early {
        return Err(format!("{} calls were foretold, {} made", foretold.tasks.len(), made.tasks.len()));
    }
    for (foretold, made) in foretold.tasks.iter().zip(&made.tasks) {
        let is = |task: &TaskReport| format!("{} `{}` {:?}", task.module, task.subject, task.status);
        let fits = match (foretold.status, made.status) {
            (Status::Ok, Status::Ok) => true,
            (Status::WouldChange, Status::Changed) => foretold.steps == made.steps,
            (Status::MayChange | Status::Skipped, Status::Ok | Status::Changed) => true,
            _ => false,
        };
        if !fits || (&foretold.module, foretold.line) != (&made.module, made.line) {
            return Err(format!(
                "foretold was {} {:#?}\nmade was {} {:#?}",
                is(foretold),
                foretold.steps,
                is(made),
                made.steps
            ));
        }
    }
    Ok(())
}
