//! `locale` and Debian's `locale-gen`. The archive of locales is a text here, with a name in each line.

use std::path::Path;

use refrain_engine::system::Attributes;

use crate::invocation::Invocation;

const ARCHIVE: &str = "/usr/lib/locale/locale-archive";
const ATTRIBUTES: Attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
const DIRECTORY: Attributes = Attributes { mode: 0o755, uid: 0, gid: 0 };

/// `locale -a` tells the locales that there are.
pub fn locale(invocation: &mut Invocation<'_>) -> i32 {
    if invocation.arguments != ["-a"] {
        invocation.complain("locale: only `-a` is simulated");
        return 1;
    }
    let made = invocation.text(ARCHIVE);
    let mut names: Vec<&str> = ["C", "C.utf8", "POSIX"].into_iter().chain(made.lines()).collect();
    names.sort_unstable();
    names.iter().for_each(|name| invocation.say(name));
    0
}

/// Makes the locales that `/etc/locale.gen` lists.
pub fn locale_gen(invocation: &mut Invocation<'_>) -> i32 {
    let list = invocation.text("/etc/locale.gen");
    invocation.say("Generating locales (this might take a while)...");
    let mut archive = String::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((name, set)) = line.split_once([' ', '\t']) else {
            invocation.complain(format!("error: Bad entry '{line} '"));
            return 1;
        };
        let language = name.split('.').next().unwrap_or(name);
        invocation.say(format!("  {name}... done"));
        archive.push_str(&format!("{language}.{}\n", set.trim().to_lowercase().replace('-', "")));
    }
    invocation.say("Generation complete.");
    match write(invocation, &archive) {
        Ok(()) => 0,
        Err(failure) => {
            invocation.complain(format!("cannot create new locale archive: {failure}"));
            1
        }
    }
}

fn write(invocation: &Invocation<'_>, archive: &str) -> Result<(), refrain_engine::failure::Failure> {
    let (system, path) = (invocation.system, Path::new(ARCHIVE));
    for directory in ["/usr/lib", "/usr/lib/locale"].map(Path::new) {
        if system.stat(directory)?.is_none() {
            system.make_directory(directory, DIRECTORY)?;
        }
    }
    system.write(path, archive.as_bytes(), ATTRIBUTES)
}
