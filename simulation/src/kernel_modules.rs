//! `modprobe`, on a host whose `/proc/modules` is an ordinary file.

use std::path::Path;

use crate::invocation::Invocation;

const LOADED: &str = "/proc/modules";

/// Loads a module, or with `-r` unloads it.
pub fn modprobe(invocation: &mut Invocation<'_>) -> i32 {
    let (remove, name) = match invocation.arguments {
        [option, name, ..] if option == "-r" || option == "--remove" => (true, name.replace('-', "_")),
        [name, ..] if !name.starts_with('-') => (false, name.replace('-', "_")),
        _ => {
            invocation.complain("modprobe: ERROR: missing parameters. See -h.");
            return 1;
        }
    };
    let loaded = invocation.text(LOADED);
    let is_it = |line: &&str| line.split(' ').next() == Some(&*name);
    let there = loaded.lines().any(|line| is_it(&line));
    let new: String = match (remove, there) {
        (false, true) => return 0,
        (false, false) => format!("{name} 16384 0 - Live 0x0000000000000000\n{loaded}"),
        (true, true) => loaded.lines().filter(|line| !is_it(line)).map(|line| format!("{line}\n")).collect(),
        (true, false) => {
            invocation.complain(format!("modprobe: FATAL: Module {name} is not in use."));
            return 1;
        }
    };
    match invocation.system.set_kernel_value(Path::new(LOADED), &new) {
        Ok(()) => 0,
        Err(failure) => {
            invocation.complain(format!("modprobe: ERROR: could not insert '{name}': {failure}"));
            1
        }
    }
}
