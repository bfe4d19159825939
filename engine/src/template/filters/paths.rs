//! Paths, as text: nothing here looks at a file.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("basename", &["value"], |_, call| Ok(Value::from(split(call.string()?).1))),
    callable("dirname", &["value"], |_, call| Ok(Value::from(split(call.string()?).0))),
    callable("splitext", &["value"], |_, call| {
        let (root, extension) = split_extension(call.string()?);
        Ok(python::tuple([Value::from(root), Value::from(extension)]))
    }),
    callable("normpath", &["value"], |_, call| Ok(Value::from(normal(call.string()?)))),
    callable("relpath", &["value", "start"], relative),
    callable("path_join", &["value"], join),
    callable("commonpath", &["value"], common),
    callable("win_basename", &["value"], |_, call| {
        let path = call.string()?;
        Ok(Value::from(path.rsplit(['\\', '/', ':']).next().unwrap_or("")))
    }),
    callable("win_dirname", &["value"], |_, call| {
        let path = call.string()?;
        let end = path.rfind(['\\', '/']).unwrap_or(0);
        let head = &path[..end];
        let root = head.trim_end_matches(['\\', '/']);
        Ok(Value::from(if root.is_empty() || root.ends_with(':') {
            &path[..path.len().min(end + 1)]
        } else {
            root
        }))
    }),
    callable("win_splitdrive", &["value"], |_, call| {
        let path = call.string()?;
        let (drive, rest) = path.split_at(drive(path));
        Ok(python::tuple([Value::from(drive), Value::from(rest)]))
    }),
];

/// How many bytes of a path of Windows name the drive: `C:`, or the host and its share.
fn drive(path: &str) -> usize {
    let slash = |c: char| matches!(c, '\\' | '/');
    if path.starts_with(slash) && path[1..].starts_with(slash) && !path[2..].starts_with(slash) {
        let host = path[2..].find(slash).map(|at| at + 2);
        let Some(host) = host.filter(|at| !path[at + 1..].starts_with(slash)) else { return 0 };
        return path[host + 1..].find(slash).map_or(path.len(), |at| host + 1 + at);
    }
    if path.chars().nth(1) == Some(':') && path.is_char_boundary(2) { 2 } else { 0 }
}

fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let (head, tail) = path.split_at(at);
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

fn split_extension(path: &str) -> (&str, &str) {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    let plain = &path[name..];
    let stem = plain.trim_start_matches('.');
    let hidden = plain.len() - stem.len();
    match stem.rfind('.') {
        Some(dot) => path.split_at(name + hidden + dot),
        None => (path, ""),
    }
}

fn normal(path: &str) -> String {
    let absolute = path.starts_with('/');
    // POSIX gives two slashes at the start a meaning of their own.
    let root = match path {
        path if path.starts_with("//") && !path.starts_with("///") => "//",
        _ if absolute => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

fn relative(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let (path, start) = (call.string()?.to_owned(), call.text("start", ".")?);
    if path.starts_with('/') != start.starts_with('/') {
        return Err(fail(format!("one of `{path}` and `{start}` is absolute, the other is not")));
    }
    let (path, start) = (normal(&path), normal(&start));
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let shared = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut out = vec!["..".to_owned(); start.len() - shared];
    out.extend_from_slice(&path[shared..]);
    Ok(Value::from(if out.is_empty() { ".".to_owned() } else { out.join("/") }))
}

fn join(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    if let Some(path) = call.value()?.as_str() {
        return Ok(Value::from(path));
    }
    if !python::is_list(call.value()?) || call.value()?.len() == Some(0) {
        return Err(fail("a path is made of a text, or of a list of them"));
    }
    let mut out = String::new();
    for (index, part) in call.items()?.iter().enumerate() {
        let part = part.as_str().ok_or_else(|| fail("a part of a path is a text"))?;
        if part.starts_with('/') {
            out = part.to_owned();
        } else {
            if index > 0 && !out.is_empty() && !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(part);
        }
    }
    Ok(Value::from(out))
}

fn common(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = |path: &Value| path.as_str().map(str::to_owned).ok_or_else(|| fail("a path is a text"));
    let paths = call.items()?.iter().map(text).collect::<Result<Vec<_>>>()?;
    let Some(first) = paths.first() else { return Err(fail("there are no paths")) };
    let absolute = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return Err(fail("some of the paths are absolute and some are not"));
    }
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let mut shared = parts(first);
    for path in &paths[1..] {
        let other = parts(path);
        let length = shared.iter().zip(&other).take_while(|(a, b)| a == b).count();
        shared.truncate(length);
    }
    Ok(Value::from(format!("{}{}", if absolute { "/" } else { "" }, shared.join("/"))))
}
