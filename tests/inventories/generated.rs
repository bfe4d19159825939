//! Trees of inventories and variables, made at random: the same ones each time.

use std::fmt::Write;

/// Numbers that look random. The same seed gives the same ones everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// A number below a bound (splitmix64).
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// Whether something happens that happens once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A file of a tree: path and text.
pub type File = (String, String);

const GROUPS: [&str; 6] = ["web", "db", "dc1", "edge-a", "Prod", "x_y"];

const HOSTS: [&str; 12] = [
    "web1",
    "web[1:3]",
    "db[01:03]",
    "h-[a:c]",
    "node[0:6:3]",
    "10.0.0.1",
    "edge.example.org",
    "alpha",
    "n[1:2]x[1:2]",
    "beta:2222",
    "[2001:db8::1]:22",
    "node7",
];

/// Names of variables; templates refer to the first ones.
pub const NAMES: [&str; 10] =
    ["a", "b", "c", "port", "name", "list", "map", "flag", "ansible_user", "quite_a_long_name"];

/// Values as they stand behind `=` on the line of a host.
const OF_LINES: [&str; 32] = [
    "1",
    "0",
    "-7",
    "1.50",
    "1e3",
    "0x1F",
    "0o17",
    "007",
    "1_000",
    "yes",
    "True",
    "true",
    "None",
    "null",
    "abc",
    "a-b.c",
    "'quoted text'",
    "\"double\"",
    "'it is # no comment'",
    "[1,2,'x']",
    "\"{'k':'v','n':[1]}\"",
    "''",
    "\"\"",
    "()",
    "(1,)",
    "\"{{ b }}\"",
    "'{{ a }}-{{ b }}'",
    "a=b",
    "x\\ y",
    "\"a\\nb\"",
    "~",
    "0.1e-7",
];

/// Values as they stand behind `=` in `[group:vars]`.
const OF_SECTIONS: [&str; 25] = [
    "1",
    "-2.5",
    "yes",
    "True",
    "None",
    "some words here",
    "'quoted'",
    "\"double\"",
    "text # no comment",
    "[1, 2]",
    "{'k': 'v'}",
    "{\"j\": true}",
    "",
    "{{ c }}",
    "{{ a }}/{{ name }}",
    "a = b",
    "9223372036854775808",
    "0b101",
    "[",
    "'",
    "b'x'",
    "u'x'",
    "1 2",
    "- 1",
    "é ü",
];

/// Scalars of YAML.
const SCALARS: [&str; 40] = [
    "1",
    "-3",
    "0755",
    "0o755",
    "0x1f",
    "1_000",
    "1.5",
    ".5",
    "1.",
    "1e3",
    "1.0e+3",
    "12:30",
    "12:30:45",
    "yes",
    "No",
    "on",
    "y",
    "n",
    "true",
    "TRUE",
    "~",
    "null",
    "Null",
    "''",
    "\"\"",
    "plain text",
    "'it''s'",
    "\"a\\tb\\u00e9\"",
    "2001-01-01",
    "\"{{ b }}\"",
    "\"{{ a }}-{{ name }}\"",
    "\"{{ list }}\"",
    "\"{{ c | default('none') }}\"",
    "\"{{ inventory_hostname }}\"",
    "!!str 12",
    "!unsafe '{{ a }}'",
    "0b11",
    "+1",
    "=",
    "a: b",
];

/// An INI inventory.
pub fn ini(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.below(3) {
        host_line(random, &mut text);
    }
    for _ in 0..=random.below(5) {
        let group = random.below(GROUPS.len());
        match random.below(6) {
            0 => {
                let _ = writeln!(text, "[{}:vars]", GROUPS[group]);
                variables(random, &mut text);
            }
            // Only to later ones, so that no group is in itself.
            1 if group + 1 < GROUPS.len() => {
                let _ = writeln!(text, "[{}:children]", GROUPS[group]);
                for _ in 0..=random.below(2) {
                    let child = group + 1 + random.below(GROUPS.len() - group - 1);
                    let _ = writeln!(text, "{}", GROUPS[child]);
                }
            }
            2 if random.once_in(3) => {
                text.push_str("[all:vars]\n");
                variables(random, &mut text);
            }
            _ => {
                let _ = writeln!(text, "[{}]", GROUPS[group]);
                for _ in 0..=random.below(3) {
                    host_line(random, &mut text);
                }
            }
        }
        if random.once_in(4) {
            text.push_str(random.of(&["\n", "# a comment\n", "; another\n", "   \n"]));
        }
    }
    // Groups that are children have to be there.
    for group in GROUPS {
        let _ = writeln!(text, "[{group}]");
    }
    text
}

fn host_line(random: &mut Random, text: &mut String) {
    text.push_str(random.of(&HOSTS));
    for _ in 0..random.below(4) {
        let _ = write!(text, " {}={}", random.of(&NAMES), random.of(&OF_LINES));
    }
    text.push_str(random.of(&["\n", "\n", "  # said\n", " \n"]));
}

fn variables(random: &mut Random, text: &mut String) {
    for _ in 0..=random.below(3) {
        let between = random.of(&["=", " = ", "= "]);
        let _ = writeln!(text, "{}{between}{}", random.of(&NAMES), random.of(&OF_SECTIONS));
    }
    if random.once_in(5) {
        let _ = writeln!(text, "ansible_group_priority={}", random.below(20));
    }
}

/// A YAML inventory.
pub fn yaml(random: &mut Random) -> String {
    let mut text = String::from("all:\n");
    part_of_group(random, &mut text, 1, None);
    text
}

fn part_of_group(random: &mut Random, text: &mut String, depth: usize, own: Option<usize>) {
    let indent = "  ".repeat(depth);
    if !random.once_in(3) {
        let _ = writeln!(text, "{indent}hosts:");
        for (at, host) in HOSTS.iter().enumerate() {
            if random.once_in(6) {
                // A key that is only in quotes a text.
                let _ = writeln!(text, "{indent}  \"{host}\":");
                if random.once_in(2) {
                    yaml_variables(random, text, depth + 2);
                }
            } else if at == 0 {
                let _ = writeln!(text, "{indent}  alpha:");
            }
        }
    }
    if random.once_in(2) {
        let _ = writeln!(text, "{indent}vars:");
        yaml_variables(random, text, depth + 1);
    }
    let first = own.map_or(0, |own| own + 1);
    if first < GROUPS.len() && depth < 8 && random.once_in(if own.is_none() { 1 } else { 2 }) {
        let _ = writeln!(text, "{indent}children:");
        let mut some = false;
        for (at, group) in GROUPS.iter().enumerate().skip(first) {
            if random.once_in(2) || (!some && at + 1 == GROUPS.len()) {
                some = true;
                let _ = writeln!(text, "{indent}  {group}:");
                part_of_group(random, text, depth + 2, Some(at));
            }
        }
    }
}

/// A file of variables.
pub fn variable_file(random: &mut Random) -> String {
    let mut text = String::from(random.of(&["---\n", "", "# said\n"]));
    yaml_variables(random, &mut text, 0);
    text
}

/// Entries of a map; each name once, as two are a warning.
fn yaml_variables(random: &mut Random, text: &mut String, depth: usize) {
    let first = random.below(NAMES.len());
    for at in 0..=random.below(4) {
        let name = NAMES[(first + at) % NAMES.len()];
        let indent = "  ".repeat(depth);
        let _ = match random.below(8) {
            0 => writeln!(text, "{indent}{name}: [{}, {}]", flow(random), flow(random)),
            1 => writeln!(text, "{indent}{name}: {{k: {}, \"two words\": {}}}", flow(random), flow(random)),
            2 => writeln!(
                text,
                "{indent}{name}:\n{indent}  - {}\n{indent}  - k: {}",
                flow(random),
                flow(random)
            ),
            3 => writeln!(
                text,
                "{indent}{name}: {}\n{indent}  first\n{indent}  second",
                random.of(&["|", ">", "|-", ">-"])
            ),
            _ => writeln!(text, "{indent}{name}: {}", block(random)),
        };
    }
}

/// A scalar that can stand in `[]`.
fn flow<'a>(random: &mut Random) -> &'a str {
    loop {
        let scalar = random.of(&SCALARS);
        // A date in a list is code of Python's when the list becomes text, which is not what anybody wants.
        if !scalar.contains(": ") && scalar != "=" && scalar != "2001-01-01" {
            return scalar;
        }
    }
}

/// A scalar that can stand behind a key.
fn block<'a>(random: &mut Random) -> &'a str {
    loop {
        let scalar = random.of(&SCALARS);
        if scalar != "a: b" && scalar != "=" {
            return scalar;
        }
    }
}

/// A tree: one inventory or a directory of several, with files of variables beside it. The sources are in it.
pub fn tree(seed: u64) -> (Vec<File>, Vec<&'static str>) {
    let mut random = Random::new(seed);
    let mut files = Vec::new();
    let sources = match random.below(5) {
        0 => {
            files.push(("inv/10-first".to_owned(), ini(&mut random)));
            files.push(("inv/20-second.yml".to_owned(), yaml(&mut random)));
            vec!["inv"]
        }
        1 => {
            files.push(("hosts.yml".to_owned(), yaml(&mut random)));
            vec!["hosts.yml"]
        }
        2 => {
            files.push(("hosts".to_owned(), ini(&mut random)));
            files.push(("more/hosts.yaml".to_owned(), yaml(&mut random)));
            vec!["hosts", "more/hosts.yaml"]
        }
        _ => {
            files.push(("hosts".to_owned(), ini(&mut random)));
            vec!["hosts"]
        }
    };
    let beside = if sources == ["inv"] { "inv/" } else { "" };
    for _ in 0..random.below(5) {
        let path = match random.below(6) {
            0 => format!("{beside}group_vars/all.yml"),
            1 => format!("{beside}group_vars/{}/main.yml", random.of(&GROUPS)),
            2 => format!("{beside}group_vars/{}/extra.yaml", random.of(&GROUPS)),
            3 => format!("{beside}group_vars/{}.yml", random.of(&["ungrouped", "web", "dc1"])),
            4 => format!("{beside}host_vars/{}.yml", random.of(&["web1", "alpha", "db01", "10.0.0.1"])),
            _ => format!("{beside}host_vars/{}/vars", random.of(&["web2", "node3", "beta"])),
        };
        let taken = |known: &File| {
            let stem = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
            known.0 == path
                || stem(&known.0).starts_with(&stem(&path))
                || stem(&path).starts_with(&stem(&known.0))
        };
        if !files.iter().any(taken) {
            files.push((path, variable_file(&mut random)));
        }
    }
    (files, sources)
}

/// The terms of a pattern over the hosts and groups of a tree.
pub fn pattern(random: &mut Random) -> Vec<String> {
    let mut parts = Vec::new();
    for at in 0..=random.below(3) {
        let lead = if at == 0 { "" } else { random.of(&["", "", "&", "!"]) };
        let term = random.of(&[
            "all",
            "*",
            "web",
            "db",
            "dc1",
            "edge-a",
            "Prod",
            "x_y",
            "ungrouped",
            "web1",
            "db0*",
            "*1",
            "h-?",
            "~web[12]$",
            "~^(db|h)",
            "web[0]",
            "all[1:3]",
            "all[-1]",
            "db[0:]",
            "web[:2]",
            "Prod[1]",
            "alpha",
            "10.0.0.1",
            "node[36]",
            "edge.example.org",
        ]);
        parts.push(format!("{lead}{term}"));
    }
    parts
}
