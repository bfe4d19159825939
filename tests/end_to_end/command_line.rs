//! What the command line says of itself: to shells, to `man`, to editors, and to who searches the reference.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::project::{Outcome, binary};

/// Runs `refrain` in a directory.
fn refrain(arguments: &[&str], directory: &Path) -> Outcome {
    let output = Command::new(binary()).args(arguments).current_dir(directory).env_clear().output();
    Outcome::of(&output.expect("the binary starts"), directory)
}

/// What bash completes a line to, whose last word is the one that is being written.
fn completed(words: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let script = refrain(&["completions", "bash"], directory.path()).expect(0).stdout;
    fs::write(directory.path().join("refrain.bash"), script).expect("the script is written");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let commands = format!(
        ". ./refrain.bash; COMP_WORDS=({}); COMP_CWORD={}; _refrain refrain '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    // Without a `PATH`: a key at the prompt starts no program.
    let output = Command::new("/bin/bash")
        .args(["--norc", "--noprofile", "-c", &commands])
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", "/nowhere")
        .output()
        .expect("bash starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(complaint, "", "{words:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_modules() {
    let commands = completed(&["refrain", ""]);
    assert!(
        commands.iter().any(|word| word == "run") && commands.iter().any(|word| word == "doc"),
        "{commands:?}"
    );
    assert!(!commands.iter().any(|word| word == "agent"), "a hidden command is completed: {commands:?}");
    assert_eq!(completed(&["refrain", "run", "--start"]), ["--start-at"]);
    assert_eq!(completed(&["refrain", "doc", "chro"]), ["chrony"]);
    assert_eq!(completed(&["refrain", "man", "roll"]), ["rollback"]);
    assert_eq!(completed(&["refrain", "run", "--connection", "sand"]), ["sandbox"]);
}

#[test]
fn every_shell_has_a_script() {
    let directory = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = refrain(&["completions", shell], directory.path()).expect(0).stdout;
        assert!(script.contains("start-at") && script.contains("rollback"), "{shell}");
    }
    refrain(&["completions", "csh"], directory.path()).expect(4);
}

#[test]
fn every_command_has_a_manual_page() {
    let directory = tempfile::tempdir().expect("a directory");
    let help = refrain(&["--help"], directory.path()).expect(0).stdout;
    let listed = help.split("Commands:\n").nth(1).expect("commands").split("\n\n").next().expect("a list");
    let commands: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 8, "{commands:?}");
    refrain(&["man", "--directory", "pages"], directory.path()).expect(0);
    for command in &commands {
        let page = directory.path().join(format!("pages/refrain-{command}.1"));
        let page = fs::read_to_string(page).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(page.contains(&format!(".TH refrain-{command} 1")), "{page}");
        assert_eq!(page, refrain(&["man", command], directory.path()).expect(0).stdout);
    }
    let pages = fs::read_dir(directory.path().join("pages")).expect("pages").count();
    assert_eq!(pages, commands.len() + 1, "one each, and one of the whole");
    let run = refrain(&["man", "run"], directory.path()).expect(0).stdout;
    assert!(run.contains("a host could not be reached"), "the exit codes are missing: {run}");
    let unknown = refrain(&["man", "rolback"], directory.path()).expect(4);
    insta::assert_snapshot!("unknown_page", unknown.stderr);
}

#[test]
fn definitions_replace_their_own_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let definitions = directory.path().join("definitions");
    fs::create_dir(&definitions).expect("a directory");
    let first_line = "// Made by `refrain definitions`.\n";
    fs::write(definitions.join("gone.d.rhai"), format!("{first_line}module gone;\n")).expect("a file");
    fs::write(definitions.join("mine.d.rhai"), "module static;\n").expect("a file");
    refrain(&["definitions"], directory.path()).expect(0);
    assert!(!definitions.join("gone.d.rhai").exists(), "a module that there is no more is still defined");
    assert!(definitions.join("mine.d.rhai").exists(), "a file of the user's is gone");
    let file = fs::read_to_string(definitions.join("file.d.rhai")).expect("definitions of `file`");
    assert!(file.starts_with(first_line) && file.contains("\nfn read(path: String) -> ?;\n"), "{file}");
    // What is asked for is a file already.
    fs::write(directory.path().join("taken"), "").expect("a file");
    refrain(&["definitions", "taken"], directory.path()).expect(2);
}

#[test]
fn the_reference_is_searched_for_words_and_shows_those_of_the_language() {
    let directory = tempfile::tempdir().expect("a directory");
    let doc =
        |arguments: &[&str], code| refrain(&[&["doc"], arguments].concat(), directory.path()).expect(code);
    let found = doc(&["--search", "AUTHORIZED", "key"], 0).stdout;
    assert!(found.lines().any(|line| line.starts_with("ssh::authorized_key")), "{found}");
    assert!(found.lines().all(|line| !line.starts_with("file::copy")), "{found}");
    assert!(doc(&["-s", "handler"], 0).stdout.lines().any(|line| line.starts_with("notify ")));
    insta::assert_snapshot!("role", doc(&["role"], 0).stdout);
    insta::assert_snapshot!("nothing_found", doc(&["--search", "zzyzx"], 4).stderr);
    insta::assert_snapshot!("near_word", doc(&["notifi"], 4).stderr);
}
