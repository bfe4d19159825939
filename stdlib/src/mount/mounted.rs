//! `mount::mounted`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Change, Undo};
use refrain_engine::system::{Command, RootKind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::Entered;
use super::file_system::{Declaration, FSTAB, FileSystem, NO_PLACE, look_at_fstab};
use super::fstab;
use super::live::{MOUNT, Mount, is_source, mount_at};
use super::options::{agree, remount};
use super::unmounted::unmount;
use crate::attributes::AttributeRules;
use crate::command_step::CommandStep;
use crate::directories::Directories;
use crate::file::edited_file::{EditedFile, Inputs, Missing};
use crate::host_namespaces::{Namespace, on_host};

/// Keeps a file system in `/etc/fstab`, and mounted.
///
/// ```rhai
/// mount::mounted("/srv/data", "UUID=1111-2222", "ext4", #{ options: "noatime,nofail", pass: 2 });
/// mount::mounted("/tmp", "tmpfs", "tmpfs", #{ options: ["nosuid", "nodev", "size=1G"] });
/// ```
///
/// The directory is made where it is missing. What is mounted with other options is mounted anew with these (`remount`), when
/// the line in `/etc/fstab` had others, or the kernel shows others of those that are not a file system's own (`ro`, `noexec`,
/// `noatime`, …). Another file system that is mounted there is an error. In an image only the line and the directory are made;
/// through a container the host's own mounts are meant, which takes the program `nsenter`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MountMounted {
    #[serde(flatten)]
    declaration: Declaration,
}

/// The line, the directory, and what is mounted.
#[derive(Debug)]
pub struct Found {
    wanted: FileSystem,
    fstab: EditedFile,
    /// The options that the line has. Absent when there is no line.
    line_options: Option<String>,
    directory: Vec<Change>,
    running: Option<Running>,
}

/// What is mounted, on a running system.
#[derive(Debug)]
struct Running {
    /// With whether that is what shall be.
    mount: Option<(Mount, bool)>,
    /// The command that mounts, and what it is run in.
    command: Command,
    /// The words of the one that undoes that.
    unmount: Vec<String>,
}

impl State for MountMounted {
    const NAME: &'static str = "mount::mounted";
    const POSITIONAL: &'static [&'static str] = &["path", "source", "fstype"];
    type Found = Found;

    fn subject(&self) -> String {
        self.declaration.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let wanted = self.declaration.file_system()?;
        if wanted.place == NO_PLACE {
            return Err(
                Failure::argument("path", "swap is not mounted").advise("mount::entry keeps its line")
            );
        }
        let host = context.host;
        let text = host.read(Path::new(FSTAB))?;
        let text = text.as_ref().and_then(|text| text.known()).unwrap_or_default();
        let line_options = fstab::options(&String::from_utf8_lossy(text), wanted.key());
        let running =
            if host.root_kind() == RootKind::Offline { None } else { Some(running(context, &wanted)?) };
        let mut directories = Directories::default();
        // What is mounted has hidden the directory, and its own owner and mode are none of this function's business.
        if running.as_ref().is_none_or(|running| running.mount.is_none()) {
            directories.look(host, Path::new(&wanted.place), &AttributeRules::new(host.identity()))?;
        }
        let directory = directories.changes().collect();
        Ok(Found {
            fstab: look_at_fstab(context, Missing::Create)?,
            line_options,
            directory,
            running,
            wanted,
        })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan: Plan = found.directory.iter().cloned().map(Into::into).collect();
        plan.extend(found.fstab.plan(Inputs::default(), &Entered(&found.wanted))?);
        if let Some(running) = &found.running {
            plan.extend(running.step(found)?.map(|step| Box::new(step) as _));
        }
        Ok(plan)
    }
}

fn running(context: &Context<'_>, wanted: &FileSystem) -> Result<Running, Failure> {
    let host: &dyn View = context.host;
    let mount = match mount_at(host, &wanted.place)? {
        Some(mount) => {
            let is_wanted = is_source(host, &mount, wanted)?;
            Some((mount, is_wanted))
        }
        None => None,
    };
    let remount = mount.as_ref().map(|(mount, _)| remount(&wanted.options, &mount.options));
    let words: &[&str] = match &remount {
        None => &["mount", &wanted.place],
        Some(options) => &["mount", "-o", options, &wanted.place],
    };
    let command = context.command(on_host(host, Namespace::Mounts, words));
    Ok(Running { mount, command, unmount: unmount(host, &wanted.place) })
}

impl Running {
    /// What has to be done on the running system.
    fn step(&self, found: &Found) -> Result<Option<CommandStep>, Failure> {
        let wanted = &found.wanted;
        let place = &wanted.place;
        let brings =
            vec![(MOUNT, place.clone(), serde_json::to_value(Mount::of(wanted)).unwrap_or_default())];
        let command = self.command.clone();
        match &self.mount {
            None => Ok(Some(CommandStep {
                text: format!("mount {} on {place}", wanted.source),
                undo: Undo::command(Command { argv: self.unmount.clone(), ..command.clone() }),
                command,
                brings,
            })),
            Some((mount, false)) => {
                let message = format!("`{}` is mounted on `{place}`, not `{}`", mount.source, wanted.source);
                Err(Failure::state(message)
                    .advise(format!("unmount it first: mount::unmounted(\"{place}\")")))
            }
            Some((mount, true)) => {
                let line_differs =
                    found.line_options.as_ref().is_some_and(|options| *options != wanted.options);
                if !line_differs && agree(&wanted.options, &mount.options) {
                    return Ok(None);
                }
                let before = found.line_options.as_ref().unwrap_or(&mount.options);
                let back = command.argv.iter().map(|word| match word.strip_prefix("remount,") {
                    Some(_) => remount(before, &wanted.options),
                    None => word.clone(),
                });
                let undo = Undo::command(Command { argv: back.collect(), ..command.clone() });
                let text = format!("mount {place} anew with {}", wanted.options);
                Ok(Some(CommandStep { text, undo, command, brings }))
            }
        }
    }
}
