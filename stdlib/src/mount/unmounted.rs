//! `mount::unmounted`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, RootKind, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::file_system::check_place;
use super::live::{MOUNT, Mount, mount_at};
use crate::command_step::CommandStep;
use crate::host_namespaces::{Namespace, on_host};
use crate::host_path::HostPath;

/// Keeps a path from having something mounted on it. `/etc/fstab` stays as it is.
///
/// ```rhai,live
/// mount::unmounted("/mnt");
/// ```
///
/// What is in use is an error. In an image nothing is mounted.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MountUnmounted {
    /// The path.
    path: HostPath,
}

/// What has to go, and how.
#[derive(Debug)]
pub struct Unmount {
    mount: Mount,
    command: Command,
    /// The words of the command that undoes it.
    mount_again: Vec<String>,
}

impl Unmount {
    /// Looks at what is mounted at a place. `None` when nothing is.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn look(context: &Context<'_>, place: &str) -> Result<Option<Self>, Failure> {
        let host = context.host;
        if host.root_kind() == RootKind::Offline {
            return Ok(None);
        }
        let Some(mount) = mount_at(host, place)? else { return Ok(None) };
        let words = ["mount", "-t", &mount.kind, "-o", &mount.options, &mount.source, place];
        let mount_again = on_host(host, Namespace::Mounts, &words);
        Ok(Some(Self { command: context.command(unmount(host, place)), mount_again, mount }))
    }

    /// The step that does it.
    pub fn step(&self, place: &str) -> CommandStep {
        CommandStep {
            text: format!("unmount {} from {place}", self.mount.source),
            command: self.command.clone(),
            brings: vec![(MOUNT, place.to_owned(), Value::Null)],
            undo: Undo::command(Command { argv: self.mount_again.clone(), ..self.command.clone() }),
        }
    }
}

/// The path of something that may be unmounted.
///
/// # Errors
/// [`Failure::Argument`]: it is none, or the root of all.
pub fn removable(argument: &str, path: &str) -> Result<String, Failure> {
    match check_place(argument, path)?.as_str() {
        "/" => Err(Failure::argument(argument, "the root directory can't be unmounted")),
        place => Ok(place.to_owned()),
    }
}

/// The words of the command that unmounts what is at a place.
pub fn unmount(host: &dyn View, place: &str) -> Vec<String> {
    on_host(host, Namespace::Mounts, &["umount", place])
}

impl State for MountUnmounted {
    const NAME: &'static str = "mount::unmounted";
    const POSITIONAL: &'static [&'static str] = &["path"];
    type Found = Option<Unmount>;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        Unmount::look(context, &removable("path", &self.path.to_string())?)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        let place = self.path.to_string();
        Ok(found.iter().map(|unmount| Box::new(unmount.step(&place)) as _).collect())
    }
}
