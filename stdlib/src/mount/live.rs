//! What is mounted on the running system.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use refrain_engine::system::{RootKind, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_system::FileSystem;
use super::fstab::unescaped;
use crate::host_path::HostPath;
use crate::links::real;

/// What check mode knows a mount as that would be made, or be gone.
pub const MOUNT: &str = "mount";

/// Something that is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where.
    pub place: String,
    /// Its type.
    pub kind: String,
    /// What: a device, `server:/path`, a word.
    pub source: String,
    /// Options of the mount and of the file system, with commas between them.
    pub options: String,
}

impl Mount {
    /// What a file system would be once it is mounted.
    pub fn of(wanted: &FileSystem) -> Self {
        let FileSystem { source, place, kind, options, .. } = wanted.clone();
        let source = device(&source).map_or(source, |device| device.to_string_lossy().into_owned());
        Self { place, kind, source, options }
    }

    /// What a line of `/proc/PID/mountinfo` says.
    fn parse(line: &str) -> Option<Self> {
        let (place, system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(4);
        let (point, own) = (place.next()?, place.next()?);
        let mut system = system.split(' ');
        let (kind, source, shared) = (system.next()?, system.next()?, system.next()?);
        // A read-only file system says so only in its own options.
        let shared = shared.strip_prefix("rw").unwrap_or(shared).trim_start_matches(',');
        let options = if shared.is_empty() { own.to_owned() } else { format!("{own},{shared}") };
        let unescaped = |field: &str| unescaped(field).into_owned();
        Some(Self { place: unescaped(point), kind: unescaped(kind), source: unescaped(source), options })
    }
}

/// What is mounted at a place; the last of several, which hides the others. In check mode, what would be.
///
/// # Errors
/// The kernel does not tell what is mounted.
pub fn mount_at(host: &dyn View, place: &str) -> Result<Option<Mount>, Failure> {
    if let Some(predicted) = host.predicted(MOUNT, place) {
        return Ok(serde_json::from_value(predicted).ok());
    }
    // Those of the host, and not of a container.
    let table = match host.root_kind() {
        // Other threads may see another root, and the paths are those of a root.
        RootKind::Live => "/proc/thread-self/mountinfo",
        RootKind::LiveThroughContainer => "/proc/1/mountinfo",
        RootKind::Offline => return Ok(None),
    };
    let content = host.read(Path::new(table))?;
    let Some(text) = content.as_ref().and_then(|content| content.known()) else {
        return Err(Failure::state(format!("the kernel does not tell in `{table}` what is mounted")));
    };
    let (place, _) = real(host, Path::new(place))?;
    let text = String::from_utf8_lossy(text);
    Ok(text.lines().rev().filter_map(Mount::parse).find(|mount| Path::new(&mount.place) == place))
}

/// Whether what is mounted is what shall be, as far as the kernel tells: of a bind mount it does not tell what was bound.
///
/// # Errors
/// A link to a device can't be followed.
pub fn is_source(host: &dyn View, mount: &Mount, wanted: &FileSystem) -> Result<bool, Failure> {
    let is_bind = wanted.options.split(',').any(|option| matches!(option, "bind" | "rbind"));
    if is_bind || wanted.kind == "overlay" {
        return Ok(true);
    }
    let device = device(&wanted.source);
    match (&device, mount.source.starts_with("/dev/")) {
        (Some(device), true) => {
            let (wanted, _) = real(host, device)?;
            Ok(wanted == real(host, Path::new(&mount.source))?.0)
        }
        (None, false) if wanted.source.contains(":/") || wanted.source.starts_with("//") => {
            Ok(wanted.source.trim_end_matches('/') == mount.source.trim_end_matches('/'))
        }
        (None, false) => Ok(wanted.kind == mount.kind || wanted.kind == "auto"),
        _ => Ok(false),
    }
}

/// The device that a source names: itself, or the link that udev keeps for it.
fn device(source: &str) -> Option<PathBuf> {
    if source.starts_with("/dev/") {
        return Some(source.into());
    }
    let (by, name) = source.split_once('=')?;
    let directory = match by {
        "UUID" => "by-uuid",
        "LABEL" => "by-label",
        "PARTUUID" => "by-partuuid",
        "PARTLABEL" => "by-partlabel",
        _ => return None,
    };
    Some(Path::new("/dev/disk").join(directory).join(name.trim_matches('"')))
}

/// Returns whether something is mounted at a path. In an image nothing is.
///
/// ```rhai
/// if !mount::is_mounted("/srv") { warn("the data is not there"); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountIsMounted {
    /// The path.
    path: HostPath,
}

impl Query for MountIsMounted {
    const NAME: &'static str = "mount::is_mounted";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        Ok(mount_at(context.host, &self.path.to_string())?.is_some().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let line =
            "36 35 98:0 /mnt1 /srv/my\\040data rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let mount = Mount::parse(line).unwrap();
        assert_eq!(
            (mount.place.as_str(), mount.kind.as_str(), mount.source.as_str()),
            ("/srv/my data", "ext3", "/dev/root")
        );
        assert_eq!(mount.options, "rw,noatime,errors=continue");
        let read_only = Mount::parse("1 2 0:1 / / rw - squashfs /dev/loop0 ro").unwrap();
        assert_eq!(read_only.options, "rw,ro");
        assert_eq!(device("LABEL=\"data\"").unwrap(), Path::new("/dev/disk/by-label/data"));
        assert_eq!(device("server:/path"), None);
    }
}
