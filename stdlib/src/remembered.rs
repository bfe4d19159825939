//! A file of the host that was read, so that not every call reads it again.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::thread::LocalKey;

use refrain_engine::failure::Failure;
use refrain_engine::system::{Content, Time, View, changes};

/// Of which file it is, and when it was read: the changes of this process until then, the file's time and size.
type Key = (String, u64, Time, u64);

/// What a thread has read last.
pub type Last<T> = RefCell<Option<(Key, Rc<T>)>>;

/// What `parse` reads in the database at `path`, unless it is what was read `last`. Nothing is in it where there is none.
///
/// # Errors
/// It can't be read, `parse` complains, or check mode does not know what will be in it.
pub fn read<T: Default>(
    last: &'static LocalKey<Last<T>>,
    host: &dyn View,
    path: &str,
    parse: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<Rc<T>, Failure> {
    let Some(stat) = host.stat(Path::new(path))? else { return Ok(Rc::default()) };
    let key = (path.to_owned(), changes::count(), stat.modified, stat.size);
    let known = last.with_borrow(|last| {
        last.as_ref().filter(|(then, _)| *then == key).map(|(_, known)| Rc::clone(known))
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let content = match host.read(Path::new(path))? {
        None => Rc::default(),
        Some(Content::Known(bytes)) => Rc::new(parse(&String::from_utf8_lossy(&bytes))?),
        Some(Content::Unknown) => {
            return Err(Failure::state(format!("what `{path}` will hold is known only in a real run")));
        }
    };
    last.set(Some((key, Rc::clone(&content))));
    Ok(content)
}
