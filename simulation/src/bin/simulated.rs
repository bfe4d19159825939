//! All simulated programs in one executable: the name that it is called by says which one it is. `simulated --install
//! DIRECTORY` puts a link for each of them into a directory.

use std::cell::RefCell;
use std::fs::{File, TryLockError};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use refrain_engine::system::native::Native;
use refrain_engine::system::{Command, RootKind};
use refrain_simulation::Process;

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args().collect();
    if let [_, option, directory] = argv.as_slice()
        && option == "--install"
    {
        return ended(refrain_simulation::link_programs(Path::new(directory)).map(|()| 0));
    }
    ended(play(argv))
}

fn ended(result: io::Result<u8>) -> ExitCode {
    result.map_or_else(
        |error| {
            eprintln!("simulated: {error}");
            ExitCode::from(127)
        },
        ExitCode::from,
    )
}

fn play(argv: Vec<String>) -> io::Result<u8> {
    let directory = std::env::current_dir().ok();
    let command = Command { environment: std::env::vars().collect(), directory, ..Command::new(argv) };
    let this = This::default();
    let output = refrain_simulation::play_as(Some(&this), &command, &read, &Native::new(RootKind::Live))
        .ok_or_else(|| io::Error::other("there is no program of that name"))?;
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    Ok(u8::try_from(output.status).unwrap_or(u8::MAX))
}

/// This process.
#[derive(Default)]
struct This {
    /// Locks end when they are closed.
    locked: RefCell<Vec<File>>,
}

impl Process for This {
    fn lock(&self, path: &Path, waits: &mut dyn FnMut()) -> io::Result<()> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits();
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        self.locked.borrow_mut().push(file);
        Ok(())
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn print(&self, text: &str) {
        // As below.
        let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    }

    fn free_space(&self, path: &Path) -> Option<u64> {
        let status = path.ancestors().find_map(|path| rustix::fs::statvfs(path).ok())?;
        Some(status.f_bfree * status.f_bsize)
    }

    fn complain(&self, text: &str) {
        // There is nowhere to tell that standard error can't be written.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// So much of the standard input is read at most: that of `yes |` never ends.
const MOST_INPUT: u64 = 1024 * 1024;

/// What there is on the standard input. One that can't be read is empty.
fn read() -> Vec<u8> {
    let mut input = Vec::new();
    if !io::stdin().is_terminal() {
        let _ = io::stdin().take(MOST_INPUT).read_to_end(&mut input);
    }
    input
}
