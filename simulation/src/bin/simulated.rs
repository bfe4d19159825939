//! All simulated programs in one executable: the name that it is called by says which one it is. `simulated --install
//! DIRECTORY` puts a link for each of them into a directory.

use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;

use refrain_engine::system::native::Native;
use refrain_engine::system::{Command, RootKind};

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args().collect();
    if let [_, option, directory] = argv.as_slice()
        && option == "--install"
    {
        return ended(install(Path::new(directory)));
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
    let output = refrain_simulation::play(&command, &read, &Native::new(RootKind::Live))
        .ok_or_else(|| io::Error::other("there is no program of that name"))?;
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    Ok(u8::try_from(output.status).unwrap_or(u8::MAX))
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

/// Links to this executable, which has to be in the same directory as `simulated`.
fn install(directory: &Path) -> io::Result<u8> {
    for (name, _) in refrain_simulation::PROGRAMS {
        symlink("simulated", directory.join(name))?;
    }
    Ok(0)
}
