//! Every command of the recordings is run again, and says and returns what the real one did.

use std::path::Path;
use std::sync::LazyLock;

use refrain_simulation::xbps::Definition;
use regex::Regex;

use crate::exceptions::{EXCEPTIONS, SKIPPED};
use crate::scenes::{DIRECTIONS, FIRST, FIRST_DIRECTIONS, SCENES};
use crate::stage::{Stage, Template, possible};
use crate::transcript::{Step, read};

/// What differs from run to run, and what stands for it.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let masks = [
        (r"^Space available on disk: .*$", "Space available on disk: SIZE"),
        (r"^(\S+): \[\S+ \d+%\] \S+ ETA: \S+$", "$1: [SIZE PERCENT] RATE"),
        (r"^(\S+): \S+ \[avg rate: \S+\]$", "$1: SIZE [avg rate: RATE]"),
        (r"\b[0-9a-f]{64}\b", "SHA256"),
        (r"\b[0-9a-f]{2}(:[0-9a-f]{2}){15}\b", "FINGERPRINT"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b", "DATE"),
        (r"\bafter \d+ s\b", "after N s"),
        (r"<data>[A-Za-z0-9+/=]+</data>", "<data>KEY</data>"),
    ];
    masks.into_iter().map(|(regex, mask)| (Regex::new(regex).unwrap(), mask)).collect()
});

fn masked(lines: &[String]) -> Vec<String> {
    let mask = |line: &String| {
        MASKS.iter().fold(line.clone(), |line, (regex, mask)| regex.replace_all(&line, *mask).into_owned())
    };
    let mut lines: Vec<String> = lines.iter().map(mask).collect();
    // The order in which a file system lists the names in the cache.
    let is_listed = |line: &String| line.ends_with("from cachedir (obsolete)");
    for block in lines.chunk_by_mut(|left, right| is_listed(left) == is_listed(right)) {
        if is_listed(&block[0]) {
            block.sort();
        }
    }
    lines
}

/// The first line of each stream that is not as recorded.
fn difference(transcript: &str, recorded: &Step, played: &Step) -> String {
    let mut text = format!("{transcript}: $ {}", recorded.command);
    let streams = [(&recorded.stdout, &played.stdout), (&recorded.stderr, &played.stderr)];
    for (expected, got) in streams.map(|(expected, got)| (masked(expected), masked(got))) {
        let lines = expected.len().max(got.len());
        if let Some(at) = (0..lines).find(|at| expected.get(*at) != got.get(*at)) {
            text += &format!("\n  line {at} of {}: {:?}", expected.len(), expected.get(at));
            text += &format!("\n  but of {}: {:?}", got.len(), got.get(at));
        }
    }
    if recorded.status != played.status {
        text += &format!("\n  exit {}, but {}", recorded.status, played.status);
    }
    text
}

/// How many commands were run, and what was not as recorded.
#[derive(Default)]
struct Tally {
    commands: usize,
    differences: Vec<String>,
    excused: Vec<bool>,
}

impl Tally {
    fn new() -> Self {
        Self { excused: vec![false; EXCEPTIONS.len()], ..Self::default() }
    }

    fn play(&mut self, transcript: &str, stage: &mut Stage, recorded: &Step) {
        self.commands += 1;
        let played = stage.play(&recorded.command);
        let said = |step: &Step| (masked(&step.stdout), masked(&step.stderr), step.status);
        if said(&played) != said(recorded) && !self.excuse(transcript, &recorded.command) {
            self.differences.push(difference(transcript, recorded, &played));
        }
    }

    /// Whether a command may differ. Each exception is for one command.
    fn excuse(&mut self, transcript: &str, command: &str) -> bool {
        let is_meant = |(other, beginning, _): &(&str, &str, &str)| {
            *other == transcript && command.starts_with(beginning)
        };
        let unused = EXCEPTIONS.iter().zip(&self.excused).position(|(one, used)| !used && is_meant(one));
        if let Some(at) = unused {
            self.excused[at] = true;
        }
        unused.is_some()
    }

    fn end(self, commands: usize, transcripts: &[&str]) {
        let stale = EXCEPTIONS
            .iter()
            .zip(&self.excused)
            .filter(|((transcript, ..), used)| transcripts.contains(transcript) && !**used);
        let stale: Vec<_> =
            stale.map(|((transcript, command, _), _)| format!("{transcript}: {command}")).collect();
        assert!(
            self.differences.is_empty(),
            "{}\n{} differ",
            self.differences.join("\n\n"),
            self.differences.len()
        );
        assert!(stale.is_empty(), "these are no exceptions: {stale:#?}");
        assert_eq!(self.commands, commands, "some commands were not run");
    }
}

fn definitions(name: &str) -> Vec<Definition> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name);
    Definition::read_all(&std::fs::read_to_string(place).unwrap()).unwrap()
}

/// Three thousand small files.
fn many_files() -> Definition {
    let files = (0..3000usize).map(|at| {
        let size = at.to_string().len() + 1;
        (format!("/usr/share/manyfiles/f{at:04}"), serde_json::json!({ "size": size }))
    });
    let files: serde_json::Map<_, _> = files.collect();
    let definition = serde_json::json!([{
        "pkgver": "manyfiles-1.0_1",
        "short_desc": "Three thousand small files",
        "homepage": "https://example.net/manyfiles",
        "license": "MIT",
        "maintainer": "Example <a@example.net>",
        "archive_size": 132_403,
        "files": files,
    }]);
    Definition::read_all(&definition.to_string()).unwrap().remove(0)
}

/// Plays the scenes of a transcript.
fn replay(transcript: &str, commands: usize) {
    if !possible() {
        return;
    }
    let mut packages = definitions("packages.json");
    packages.push(many_files());
    let template = Template::new(&packages);
    let mut tally = Tally::new();
    let mut stage: Option<Stage> = None;
    let mut skipped_until = None;
    for recorded in read(transcript) {
        let text = recorded.comment().unwrap_or(&recorded.command);
        if let Some(comment) = recorded.comment() {
            let scene = SCENES
                .iter()
                .find(|scene| scene.transcript == transcript && comment.starts_with(scene.begins));
            if let Some(scene) = scene {
                let fresh = stage.insert(template.stage());
                scene.setup.iter().for_each(|command| fresh.run(command));
            }
            skipped_until = skipped_until.filter(|end: &&str| !comment.starts_with(*end));
            let begins =
                SKIPPED.iter().find(|(other, begin, ..)| *other == transcript && comment.starts_with(begin));
            if let Some((_, _, end, instead, _)) = begins {
                stage.as_mut().unwrap().run(instead);
                skipped_until = Some(*end);
            }
        }
        let stage = stage.as_mut().unwrap();
        if skipped_until.is_some() {
            tally.commands += 1;
            continue;
        }
        if recorded.comment().is_some() {
            direct(transcript, text, stage);
        }
        tally.play(transcript, stage, &recorded);
        if recorded.comment().is_none() {
            direct(transcript, text, stage);
        }
    }
    tally.end(commands, &[transcript]);
}

/// Does what was done unseen at a comment or command.
fn direct(transcript: &str, text: &str, stage: &mut Stage) {
    let directions = DIRECTIONS.iter().filter(|one| one.transcript == transcript && text.contains(one.at));
    directions.for_each(|direction| stage.run(direction.command));
}

#[test]
fn the_first_session() {
    if !possible() {
        return;
    }
    let mut stage = Template::new(&definitions("first-packages.json")).stage();
    let mut tally = Tally::new();
    for transcript in FIRST {
        for (_, command) in FIRST_DIRECTIONS.iter().filter(|(before, _)| before == transcript) {
            stage.run(command);
        }
        for recorded in read(transcript) {
            tally.play(transcript, &mut stage, &recorded);
        }
    }
    tally.end(90, FIRST);
}

#[test]
fn updates() {
    replay("update", 107);
}

#[test]
fn the_update_of_the_package_manager_itself() {
    replay("self-update", 67);
}

#[test]
fn previews() {
    replay("preview", 204);
}

#[test]
fn errors() {
    replay("errors2", 363);
}

#[test]
fn holds() {
    replay("hold", 140);
}

#[test]
fn files() {
    replay("files", 182);
}

#[test]
fn alternatives() {
    replay("alternatives2", 85);
}

#[test]
fn locks() {
    replay("locks", 44);
}
