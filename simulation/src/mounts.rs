//! `mount` and `umount`, on a host whose `/proc/thread-self/mountinfo` is an ordinary file.

use std::path::Path;

use crate::invocation::Invocation;

const TABLE: &str = "/proc/thread-self/mountinfo";
/// What mount(8) returns when a mount failed, and when it was called wrongly.
const FAILED: i32 = 32;
const USAGE: i32 = 1;

/// `mount PLACE`, as `/etc/fstab` has it, `mount -o remount,OPTIONS PLACE`, and `mount -t TYPE -o OPTIONS SOURCE PLACE`.
pub fn mount(invocation: &mut Invocation<'_>) -> i32 {
    let words: Vec<&str> = invocation.arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [place] => from_fstab(invocation, place),
        ["-o", options, place] => match options.strip_prefix("remount,") {
            Some(options) => remount(invocation, place, options),
            None => usage(invocation),
        },
        ["-t", kind, "-o", options, source, place] => add(invocation, source, place, kind, options),
        _ => usage(invocation),
    }
}

/// `umount PLACE`.
pub fn umount(invocation: &mut Invocation<'_>) -> i32 {
    let [place] = invocation.arguments else { return usage(invocation) };
    let table = invocation.text(TABLE);
    let lines: Vec<&str> = table.lines().collect();
    let Some(last) = lines.iter().rposition(|line| place_of(line) == Some(&escaped(place))) else {
        invocation.complain(format!("umount: {place}: not mounted."));
        return FAILED;
    };
    let kept = lines.iter().enumerate().filter(|(index, _)| *index != last);
    write(invocation, kept.map(|(_, line)| format!("{line}\n")).collect())
}

fn usage(invocation: &mut Invocation<'_>) -> i32 {
    let name = invocation.name;
    invocation.complain(format!("{name}: bad usage"));
    invocation.complain(format!("Try '{name} --help' for more information."));
    USAGE
}

fn from_fstab(invocation: &mut Invocation<'_>, place: &str) -> i32 {
    let fstab = invocation.text("/etc/fstab");
    let lines = fstab.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let entry = lines.into_iter().find(|fields| fields.get(1) == Some(&escaped(place).as_str()));
    match entry.as_deref() {
        Some([source, _, kind, rest @ ..]) if !source.starts_with('#') => {
            add(invocation, source, place, kind, rest.first().unwrap_or(&"defaults"))
        }
        _ => {
            invocation.complain(format!("mount: {place}: can't find in /etc/fstab."));
            USAGE
        }
    }
}

fn add(invocation: &mut Invocation<'_>, source: &str, place: &str, kind: &str, options: &str) -> i32 {
    if invocation.system.stat(Path::new(place)).ok().flatten().is_none() {
        invocation.complain(format!("mount: {place}: mount point does not exist."));
        return FAILED;
    }
    let table = invocation.text(TABLE);
    let number = 20 + table.lines().count();
    // The kernel knows devices by their own names.
    let by_uuid = source.strip_prefix("UUID=").map(|uuid| format!("/dev/disk/by-uuid/{uuid}"));
    let source = by_uuid.as_deref().unwrap_or(source);
    let (place, options) = (escaped(place), shown(options));
    write(invocation, format!("{table}{number} 1 0:{number} / {place} {options} - {kind} {source} rw\n"))
}

fn remount(invocation: &mut Invocation<'_>, place: &str, options: &str) -> i32 {
    let table = invocation.text(TABLE);
    let lines: Vec<&str> = table.lines().collect();
    let Some(last) = lines.iter().rposition(|line| place_of(line) == Some(&escaped(place))) else {
        invocation.complain(format!("mount: {place}: mount point not mounted or bad option."));
        return FAILED;
    };
    let change = |(index, line): (usize, &&str)| {
        let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if index == last {
            fields[5] = shown(options);
        }
        fields.join(" ") + "\n"
    };
    let table = lines.iter().enumerate().map(change).collect();
    write(invocation, table)
}

/// Options as the kernel shows them.
fn shown(options: &str) -> String {
    let words = options.split(',').filter(|option| {
        !matches!(*option, "defaults" | "rw" | "ro" | "nofail" | "suid" | "dev" | "exec" | "atime")
    });
    let first = if options.split(',').any(|option| option == "ro") { "ro" } else { "rw" };
    [first].into_iter().chain(words).collect::<Vec<_>>().join(",")
}

fn place_of(line: &str) -> Option<&str> {
    line.split(' ').nth(4)
}

fn escaped(place: &str) -> String {
    place.replace('\\', "\\134").replace(' ', "\\040")
}

fn write(invocation: &mut Invocation<'_>, table: String) -> i32 {
    match invocation.system.set_kernel_value(Path::new(TABLE), &table) {
        Ok(()) => 0,
        Err(failure) => {
            let name = invocation.name;
            invocation.complain(format!("{name}: {failure}"));
            FAILED
        }
    }
}
