//! The namespaces of a host that is seen from inside a container.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Those in which the kernel keeps values of its own for each: of the network, the host name, and shared memory.
const OF_VALUES: [&str; 3] = ["net", "uts", "ipc"];

/// Does something in the namespaces of the first process, as `/proc` of this root knows it: on the host.
///
/// # Errors
/// The kernel does not allow that to a container like this one, or what `act` fails with.
pub(super) fn in_those_of_the_host<T: Send>(act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    // Only the thread that enters them is in them, and it ends at once.
    std::thread::scope(|scope| {
        let entered = scope.spawn(|| enter().and_then(|()| act()));
        entered
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread in the host's namespaces panicked")))
    })
}

fn enter() -> io::Result<()> {
    for name in OF_VALUES {
        let host = File::open(Path::new("/proc/1/ns").join(name))?;
        rustix::thread::move_into_link_name_space(host.as_fd(), None)?;
    }
    Ok(())
}
