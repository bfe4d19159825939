//! `file::stat`, `file::read`, `file::exists`, `file::list`: questions about files.

use refrain_engine::accounts;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use refrain_engine::system::{Content, Kind};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::host_path::HostPath;

/// Whether there is something at a path.
///
/// ```rhai
/// if file::exists("/etc/hosts") { print("there it is"); }
/// ```
///
/// Links are followed: one that leads nowhere is nothing.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileExists {
    /// The path.
    path: HostPath,
}

impl Query for FileExists {
    const NAME: &'static str = "file::exists";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        Ok(Answer::from(context.host.stat(&self.path)?.is_some()))
    }
}

/// The text in a file.
///
/// ```rhai
/// let hosts = file::read("/etc/hosts");
/// ```
///
/// It has to be there, and has to be UTF-8.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileRead {
    /// The path. Links are followed.
    path: HostPath,
}

impl Query for FileRead {
    const NAME: &'static str = "file::read";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        match context.host.read(&self.path)? {
            None => Err(Failure::state(format!("there is no file `{}`", self.path))
                .advise("`file::exists` asks before")),
            Some(Content::Unknown) => Ok(Answer::Unknown),
            Some(Content::Known(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Answer::from(text)),
                Err(_) => Err(Failure::state(format!("`{}` is not UTF-8 text", self.path)).advise(
                    "`file::stat` tells the size of any file; `command::run` has programs that read it",
                )),
            },
        }
    }
}

/// What a path is: kind, owner, group, mode, size.
///
/// ```rhai
/// let stat = file::stat("/etc/hosts");
/// if stat != () && stat.mode != "0644" { warn(`mode ${stat.mode}, owner ${stat.owner}`); }
/// ```
///
/// Gives `()` when there is nothing, else a map: `kind` (`file`, `directory`, `link` or `special file`), `mode` (`"0644"`),
/// `owner` and `group` (names, or the numbers as text where the host has no name), `uid`, `gid`, `size` (bytes), `modified`
/// (seconds since 1970) and, for a link, `target`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileStat {
    /// The path.
    path: HostPath,
    /// Look at what a link leads to instead of the link. Default false.
    #[serde(default)]
    follow: bool,
}

impl Query for FileStat {
    const NAME: &'static str = "file::stat";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let host = context.host;
        let stat = if self.follow { host.stat(&self.path)? } else { host.lstat(&self.path)? };
        let Some(stat) = stat else { return Ok(Answer::from(Value::Null)) };
        let (uid, gid) = (stat.attributes.uid, stat.attributes.gid);
        let owner = accounts::users(host)?.into_iter().find(|user| user.uid == uid).map(|user| user.name);
        let group =
            accounts::groups(host)?.into_iter().find(|group| group.gid == gid).map(|group| group.name);
        let mut answer = json!({
            "kind": stat.kind.word(),
            "mode": format!("{:04o}", stat.attributes.mode),
            "owner": owner.unwrap_or_else(|| uid.to_string()),
            "group": group.unwrap_or_else(|| gid.to_string()),
            "uid": uid,
            "gid": gid,
            "size": stat.size,
            "modified": stat.modified.seconds,
        });
        if stat.kind == Kind::Link {
            let target = host.read_link(&self.path)?.unwrap_or_default();
            answer["target"] = target.to_string_lossy().into();
        }
        Ok(Answer::from(answer))
    }
}

/// The names in a directory, sorted.
///
/// ```rhai
/// for name in file::list("/etc/web/sites") { print(name); }
/// ```
///
/// Empty when there is no such directory.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileList {
    /// The directory.
    path: HostPath,
}

impl Query for FileList {
    const NAME: &'static str = "file::list";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let names = context.host.list(&self.path)?;
        Ok(Answer::from(Value::from_iter(names.iter().map(|name| name.to_string_lossy()))))
    }
}
