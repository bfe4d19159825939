//! The files that values are set in when the machine starts.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::{Content, View};

use super::key::Key;
use super::settings;
use crate::host_path::HostPath;
use crate::kernel_value::same;

/// Where topics have their files.
pub const DIRECTORY: &str = "/etc/sysctl.d";
/// The file that is read after all of those.
pub const LAST: &str = "/etc/sysctl.conf";
/// What stands before a topic that has no number: behind the distribution's own files, before `99-sysctl.conf`.
const ORDER: &str = "90";
/// The topic of what has none.
const TOPIC: &str = "local";

/// The file that the arguments `topic` and `file` mean.
///
/// # Errors
/// The topic can't be part of a file's name, or both are given.
pub fn place(topic: Option<&str>, file: Option<&HostPath>) -> Result<PathBuf, Failure> {
    let topic = match (topic, file) {
        (Some(_), Some(_)) => {
            return Err(Failure::argument("file", "`topic` and `file` can't both be given"));
        }
        (None, Some(file)) => return Ok(file.to_path_buf()),
        (topic, None) => topic.unwrap_or(TOPIC),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if topic.is_empty() || !topic.chars().all(fits) || topic.starts_with('.') {
        let message = format!("`{topic}` is no topic: it has letters, digits, hyphens and underscores");
        return Err(Failure::argument("topic", message));
    }
    let numbered =
        topic.split_once('-').is_some_and(|(number, _)| number.bytes().all(|digit| digit.is_ascii_digit()));
    let name = if numbered { format!("{topic}.conf") } else { format!("{ORDER}-{topic}.conf") };
    Ok(Path::new(DIRECTORY).join(name))
}

/// All files in which somebody may have set a value, in the order in which they are read.
///
/// # Errors
/// The directory can't be listed.
pub fn all(host: &dyn View) -> Result<Vec<PathBuf>, Failure> {
    let directory = Path::new(DIRECTORY);
    let names = host.list(directory)?.into_iter();
    let drop_ins =
        names.map(|name| directory.join(name)).filter(|path| path.extension().is_some_and(|it| it == "conf"));
    Ok(drop_ins.chain([PathBuf::from(LAST)]).collect())
}

/// A file that is read after `file` and gives the key another value: the file and that value.
///
/// # Errors
/// A file can't be read.
pub fn overriding(
    host: &dyn View,
    file: &Path,
    key: &Key,
    wanted: &str,
) -> Result<Option<(PathBuf, String)>, Failure> {
    let all = all(host)?;
    let place = all.iter().position(|path| path == file).map_or_else(
        || all.partition_point(|path| path.as_path() < file && path != Path::new(LAST)),
        |own| own + 1,
    );
    let later: Vec<&Path> = all[place..].iter().map(PathBuf::as_path).collect();
    host.look_ahead(&later);
    for path in later {
        let Some(Content::Known(text)) = host.read(path)? else { continue };
        if let Some(value) = settings::value(&String::from_utf8_lossy(&text), key)
            && !same(value, wanted)
        {
            return Ok(Some((path.to_owned(), value.to_owned())));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_a_file() {
        let place = |topic| place(topic, None).map(|path| path.display().to_string()).ok();
        assert_eq!(place(None).as_deref(), Some("/etc/sysctl.d/90-local.conf"));
        assert_eq!(place(Some("network")).as_deref(), Some("/etc/sysctl.d/90-network.conf"));
        assert_eq!(place(Some("10-network")).as_deref(), Some("/etc/sysctl.d/10-network.conf"));
        assert_eq!((place(Some("a/b")), place(Some("")), place(Some(".x"))), (None, None, None));
    }
}
