//! `docker` and `podman`, as far as images and containers are kept with them.
//!
//! A registry is not asked: every image can be pulled, and its identity follows from its name. What runs in a container is not
//! played: it runs until it is stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::system::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::invocation::Invocation;
use crate::xbps::sha256;

/// What one of the programs keeps.
#[derive(Default, Serialize, Deserialize)]
struct Store {
    /// Images by the name with the tag, and their identities.
    images: BTreeMap<String, String>,
    containers: BTreeMap<String, Container>,
}

#[derive(Serialize, Deserialize)]
struct Container {
    id: String,
    /// The identity of its image.
    image: String,
    labels: BTreeMap<String, String>,
    runs: bool,
    /// Whether it has ever been started.
    ran: bool,
}

/// `docker image inspect|pull|rm`, `docker container inspect|create|start|stop|rm` and `docker system prune`.
pub fn docker(call: &mut Invocation<'_>) -> i32 {
    let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    let mut store = read(call);
    let status = match words.as_slice() {
        ["image", "inspect", "--format", "{{.Id}}", names @ ..] => inspect_images(call, &store, names),
        ["image", "pull", "-q", name] => pull(call, &mut store, name),
        ["image", "rm", name] => remove_image(call, &mut store, name),
        ["container", "inspect", "--format", format, name] => inspect_container(call, &store, format, name),
        ["container", "create", words @ ..] => create(call, &mut store, words),
        ["container", "start", name] => run(call, &mut store, name, true),
        ["container", "stop", name] => run(call, &mut store, name, false),
        ["container", "rm", "--force", name] => remove_container(call, &mut store, name, true),
        ["container", "rm", name] => remove_container(call, &mut store, name, false),
        ["system", "prune", "--force", options @ ..] => prune(call, &mut store, options.contains(&"--all")),
        _ => {
            let name = call.name;
            call.complain(format_args!("{name}: the simulation does not know `{}`", words.join(" ")));
            125
        }
    };
    if status == 0 && !matches!(words.get(1), Some(&"inspect")) { write(call, &store) } else { status }
}

/// Where the store of a program is.
fn path(call: &Invocation<'_>) -> PathBuf {
    Path::new("/var/lib").join(format!("{}-simulation.json", call.name))
}

fn read(call: &Invocation<'_>) -> Store {
    serde_json::from_str(&call.text(&path(call).to_string_lossy())).unwrap_or_default()
}

/// Keeps the store; a host that has nothing of it has no file.
fn write(call: &mut Invocation<'_>, store: &Store) -> i32 {
    let path = path(call);
    let kept = if store.images.is_empty() && store.containers.is_empty() {
        call.system.remove(&path)
    } else {
        let text = serde_json::to_vec(store).unwrap_or_default();
        call.system.write(&path, &text, Attributes { mode: 0o600, uid: 0, gid: 0 })
    };
    match kept {
        Ok(_) => 0,
        Err(failure) => {
            call.complain(failure);
            1
        }
    }
}

/// The name with the tag that is meant where none is given.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

fn complain(call: &mut Invocation<'_>, message: &str) -> i32 {
    call.complain(format_args!("Error response from daemon: {message}"));
    1
}

fn inspect_images(call: &mut Invocation<'_>, store: &Store, names: &[&str]) -> i32 {
    let mut missing = Vec::new();
    for name in names {
        match store.images.get(&tagged(name)) {
            Some(id) => call.say(format_args!("sha256:{id}")),
            None => missing.push(tagged(name)),
        }
    }
    if missing.len() == names.len() {
        call.say("");
    }
    for name in &missing {
        complain(call, &format!("No such image: {name}"));
    }
    i32::from(!missing.is_empty())
}

fn pull(call: &mut Invocation<'_>, store: &mut Store, name: &str) -> i32 {
    let tagged = tagged(name);
    store.images.insert(tagged.clone(), sha256(tagged.as_bytes()));
    call.say(tagged);
    0
}

fn remove_image(call: &mut Invocation<'_>, store: &mut Store, name: &str) -> i32 {
    let tagged = tagged(name);
    let Some(id) = store.images.get(&tagged).cloned() else {
        return complain(call, &format!("No such image: {tagged}"));
    };
    if let Some(container) = store.containers.values().find(|container| container.image == id) {
        let (image, container) = (&id[..12], &container.id[..12]);
        let message = format!(
            "conflict: unable to remove repository reference \"{name}\" (must force) - container {container} is using its \
             referenced image {image}"
        );
        return complain(call, &message);
    }
    store.images.remove(&tagged);
    call.say(format_args!("Untagged: {tagged}"));
    call.say(format_args!("Deleted: sha256:{id}"));
    0
}

fn none(call: &mut Invocation<'_>, name: &str) -> i32 {
    complain(call, &format!("No such container: {name}"))
}

/// A format names what it shows, as JSON.
fn inspect_container(call: &mut Invocation<'_>, store: &Store, format: &str, name: &str) -> i32 {
    let Some(container) = store.containers.get(name) else {
        call.say("");
        return none(call, name);
    };
    let status = match (container.runs, container.ran) {
        (true, _) => "running",
        (false, true) => "exited",
        (false, false) => "created",
    };
    let fields = [
        (".Config.Labels", json!(container.labels)),
        (".State.Status", json!(status)),
        (".Image", json!(format!("sha256:{}", container.image))),
    ];
    let shown = fields.iter().fold(format.to_owned(), |text, (field, value)| {
        text.replace(&format!("{{{{json {field}}}}}"), &value.to_string())
    });
    if shown.contains("{{") {
        let program = call.name;
        call.complain(format_args!("{program}: the simulation does not know the format `{format}`"));
        return 125;
    }
    call.say(shown);
    0
}

/// Options that have their value in the same word, then the image and the command.
fn create(call: &mut Invocation<'_>, store: &mut Store, words: &[&str]) -> i32 {
    let options = words.iter().take_while(|word| word.starts_with('-')).count();
    let (options, rest) = words.split_at(options);
    let values = |name: &'static str| options.iter().filter_map(move |word| word.strip_prefix(name));
    let (Some(name), Some(image)) = (values("--name=").next(), rest.first()) else {
        return complain(call, "the simulation makes containers with a name and an image");
    };
    if let Some(other) = store.containers.get(name) {
        let message = format!(
            "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or rename) \
             that container to be able to reuse that name.",
            other.id
        );
        return complain(call, &message);
    }
    let Some(id) = store.images.get(&tagged(image)) else {
        return complain(call, &format!("No such image: {}", tagged(image)));
    };
    let labels = values("--label=").map(|label| label.split_once('=').unwrap_or((label, "")));
    let container = Container {
        id: sha256(name.as_bytes()),
        image: id.clone(),
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        runs: false,
        ran: false,
    };
    call.say(&container.id);
    store.containers.insert(name.to_owned(), container);
    0
}

fn run(call: &mut Invocation<'_>, store: &mut Store, name: &str, runs: bool) -> i32 {
    let Some(container) = store.containers.get_mut(name) else {
        none(call, name);
        if runs {
            call.complain(format_args!("Error: failed to start containers: {name}"));
        }
        return 1;
    };
    container.runs = runs;
    container.ran |= runs;
    call.say(name);
    0
}

fn remove_container(call: &mut Invocation<'_>, store: &mut Store, name: &str, force: bool) -> i32 {
    let Some(container) = store.containers.get(name) else { return none(call, name) };
    if container.runs && !force {
        let message = format!(
            "You cannot remove a running container {}. Stop the container before attempting removal or force remove",
            container.id
        );
        return complain(call, &message);
    }
    store.containers.remove(name);
    call.say(name);
    0
}

fn prune(call: &mut Invocation<'_>, store: &mut Store, all: bool) -> i32 {
    let before = store.containers.len();
    let stopped: Vec<String> = store
        .containers
        .values()
        .filter(|container| !container.runs)
        .map(|container| container.id.clone())
        .collect();
    store.containers.retain(|_, container| container.runs);
    if store.containers.len() < before {
        call.say("Deleted Containers:");
        for id in stopped {
            call.say(id);
        }
        call.say("");
    }
    if all {
        let used: Vec<&String> = store.containers.values().map(|container| &container.image).collect();
        let unused: Vec<String> =
            store.images.iter().filter(|(_, id)| !used.contains(id)).map(|(name, _)| name.clone()).collect();
        if !unused.is_empty() {
            call.say("Deleted Images:");
            for name in unused {
                call.say(format_args!("untagged: {name}"));
                if let Some(id) = store.images.remove(&name) {
                    call.say(format_args!("deleted: sha256:{id}"));
                }
            }
            call.say("");
        }
    }
    call.say("Total reclaimed space: 0B");
    0
}
