//! `visudo -c`: says whether a file of rules makes sense.

use std::path::Path;

use refrain_engine::system::Content;

use crate::Invocation;

/// What can stand in front of a command.
const TAGS: [&str; 14] = [
    "NOPASSWD",
    "PASSWD",
    "NOEXEC",
    "EXEC",
    "SETENV",
    "NOSETENV",
    "LOG_INPUT",
    "NOLOG_INPUT",
    "LOG_OUTPUT",
    "NOLOG_OUTPUT",
    "MAIL",
    "NOMAIL",
    "FOLLOW",
    "NOFOLLOW",
];
/// What begins a line that gives a list a name.
const ALIASES: [&str; 5] = ["User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias"];

/// `visudo -c [-q] [-s] [-f FILE]`. It edits nothing here.
pub fn visudo(call: &mut Invocation<'_>) -> i32 {
    let mut path = "/etc/sudoers";
    let (mut checks, mut quiet) = (false, false);
    let mut words = call.arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        checks |= word.starts_with('-') && word.contains('c');
        quiet |= word.starts_with('-') && word.contains('q');
        if word.starts_with('-') && word.ends_with('f') {
            path = words.next().unwrap_or_default();
        }
    }
    if !checks {
        call.complain("visudo: only `-c` is simulated");
        return 1;
    }
    let content = call.system.read(Path::new(path)).ok().flatten();
    let Some(text) = content.as_ref().and_then(Content::known).map(String::from_utf8_lossy) else {
        call.complain(format_args!("visudo: unable to open {path}: No such file or directory"));
        return 1;
    };
    match first_problem(&text) {
        None if quiet => 0,
        None => {
            call.say(format_args!("{path}: parsed OK"));
            0
        }
        Some(problem) => {
            call.complain(format_args!("{path}:{problem}"));
            1
        }
    }
}

/// Where the first wrong line is, and what is wrong with it.
fn first_problem(text: &str) -> Option<String> {
    let mut lines = text.lines().enumerate();
    while let Some((mut number, line)) = lines.next() {
        let mut line = line.to_owned();
        while let Some(begun) = line.strip_suffix('\\') {
            let Some((next, more)) = lines.next() else { break };
            number = next;
            line = format!("{begun} {}", more.trim_start());
        }
        let mut reader = Reader { line: &line, at: 0 };
        if let Err(problem) = statement(&mut reader) {
            let at = reader.at;
            let length = reader.word().chars().count().max(1);
            let mark = format!("^{}", "~".repeat(length - 1));
            return Some(format!("{}:{}: {problem}\n{line}\n{}{mark}", number + 1, at + 1, " ".repeat(at)));
        }
    }
    None
}

/// Reads a line from left to right.
struct Reader<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Reader<'l> {
    fn rest(&self) -> &'l str {
        &self.line[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn ended(&mut self) -> bool {
        self.blanks();
        let rest = self.rest();
        // `#` followed by a number is a user.
        rest.is_empty()
            || (rest.starts_with('#') && !rest[1..].starts_with(|digit: char| digit.is_ascii_digit()))
    }

    fn takes(&mut self, mark: char) -> bool {
        self.blanks();
        let taken = self.rest().starts_with(mark);
        self.at += usize::from(taken);
        taken
    }

    /// What stands here, up to a blank.
    fn word(&self) -> &'l str {
        self.rest().split(|letter: char| letter.is_whitespace() || letter == ',').next().unwrap_or_default()
    }

    /// A name of a user, group or host: up to what has a meaning of its own.
    fn name(&mut self) -> Result<&'l str, &'static str> {
        while self.takes('!') {}
        self.blanks();
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.find(|letter: char| {
            let ends = !escaped && (letter.is_whitespace() || ",=():!".contains(letter));
            escaped = !escaped && letter == '\\';
            ends
        });
        let name = &rest[..end.unwrap_or(rest.len())];
        if name.is_empty() || self.ended() {
            return Err("syntax error");
        }
        self.at += name.len();
        Ok(name)
    }

    fn names(&mut self) -> Result<(), &'static str> {
        self.name()?;
        while self.takes(',') {
            self.name()?;
        }
        Ok(())
    }
}

fn statement(reader: &mut Reader<'_>) -> Result<(), &'static str> {
    let first = reader.line.split_whitespace().next().unwrap_or_default();
    let is_include = ["@include", "@includedir", "#include", "#includedir"].contains(&first);
    if is_include || first.starts_with("Defaults") {
        reader.blanks();
        reader.at += first.len();
        return if is_include && reader.ended() { Err("syntax error") } else { Ok(()) };
    }
    if reader.ended() {
        return Ok(());
    }
    if ALIASES.contains(&first) {
        reader.blanks();
        reader.at += first.len();
        return alias(reader);
    }
    reader.names()?;
    loop {
        reader.names()?;
        required(reader, '=')?;
        commands(reader)?;
        if !reader.takes(':') {
            break;
        }
    }
    if reader.ended() { Ok(()) } else { Err("syntax error") }
}

fn alias(reader: &mut Reader<'_>) -> Result<(), &'static str> {
    reader.blanks();
    let at = reader.at;
    let name = reader.name()?;
    if !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_') {
        reader.at = at;
        return Err("syntax error");
    }
    required(reader, '=')?;
    if reader.ended() { Err("syntax error") } else { Ok(()) }
}

fn required(reader: &mut Reader<'_>, mark: char) -> Result<(), &'static str> {
    if reader.takes(mark) { Ok(()) } else { Err("syntax error") }
}

fn commands(reader: &mut Reader<'_>) -> Result<(), &'static str> {
    loop {
        if reader.takes('(') {
            if !reader.rest().trim_start().starts_with(':') {
                reader.names()?;
            }
            if reader.takes(':') {
                reader.names()?;
            }
            required(reader, ')')?;
        }
        command(reader)?;
        if !reader.takes(',') {
            return Ok(());
        }
    }
}

fn command(reader: &mut Reader<'_>) -> Result<(), &'static str> {
    loop {
        while reader.takes('!') {}
        reader.blanks();
        let at = reader.at;
        if reader.rest().starts_with('/') {
            arguments(reader);
            return Ok(());
        }
        let name = reader.name()?;
        if TAGS.contains(&name) && reader.takes(':') {
            continue;
        }
        if ["sudoedit", "list"].contains(&name) {
            arguments(reader);
            return Ok(());
        }
        if name.bytes().any(|byte| byte.is_ascii_lowercase()) {
            reader.at = at;
            return Err("expected a fully-qualified path name");
        }
        return Ok(());
    }
}

/// A command with its arguments: up to a comma, a colon or a comment.
fn arguments(reader: &mut Reader<'_>) {
    let mut escaped = false;
    let end = reader.rest().find(|letter: char| {
        let ends = !escaped && ",:=#".contains(letter);
        escaped = !escaped && letter == '\\';
        ends
    });
    reader.at += end.unwrap_or(reader.rest().len());
}
