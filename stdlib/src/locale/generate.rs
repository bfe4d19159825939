//! `locale::generate`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::name::{self, character_set, normal};
use crate::attributes::AttributeOptions;
use crate::command_step::CommandStep;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};
use crate::file::lines;
use crate::one_or_many::OneOrMany;

/// What the C library finds generated locales in. Made anew by the command: the journal keeps the old one.
const ARCHIVE: &str = "/usr/lib/locale/locale-archive";
/// What check mode knows locales as that will have been made.
const LOCALE: &str = "locale";

/// How distributions are told which locales to make: the list, and the command that makes them.
const GENERATORS: [(&str, &[&str]); 2] = [
    ("/etc/default/libc-locales", &["xbps-reconfigure", "-f", "glibc-locales"]),
    ("/etc/locale.gen", &["locale-gen"]),
];

/// Has the C library's locales made: on Void Linux with glibc by `/etc/default/libc-locales` and the package `glibc-locales`, on
/// Debian by `/etc/locale.gen` and the package `locales`.
///
/// ```rhai
/// locale::generate("de_DE.UTF-8");
/// locale::generate(["en_US.UTF-8", "de_DE.UTF-8"]);
/// ```
///
/// Lines for the locales are taken out of their comments, or added; others stay as they are. Then all that are listed are made,
/// if one of these is not there yet. musl has no locales to make: there this is an error.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LocaleGenerate {
    /// One locale or an array of them: `de_DE.UTF-8`.
    names: OneOrMany<String>,
}

/// The list, and what is missing of what it tells.
#[derive(Debug)]
pub struct Found {
    list: EditedFile,
    command: Command,
    /// Those that the C library does not have yet.
    missing: Vec<String>,
}

impl Edit for LocaleGenerate {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        let mut all = lines::split(text);
        for name in &self.names.0 {
            let of_name =
                |line: &str| line.split_whitespace().next().is_some_and(|word| normal(word) == normal(name));
            if all.iter().any(|line| of_name(line)) {
                continue;
            }
            let commented = |line: &str| line.trim_start().strip_prefix('#').is_some_and(of_name);
            match all.iter().position(|line| commented(line)) {
                Some(index) => {
                    let line = all[index].trim_start().trim_start_matches('#').trim_start().to_owned();
                    all[index] = lines::ended(&line).into_owned().into();
                }
                None => {
                    let end = all.len();
                    lines::insert(&mut all, end, [format!("{name} {}\n", character_set(name)).into()]);
                }
            }
        }
        Ok(all.concat())
    }
}

impl State for LocaleGenerate {
    const NAME: &'static str = "locale::generate";
    const POSITIONAL: &'static [&'static str] = &["names"];
    type Found = Found;

    fn subject(&self) -> String {
        self.names.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.names.0.iter().try_for_each(|name| name::check("names", name))?;
        let (list, words) = generator(context.host)?;
        let missing = missing(context, &self.names.0)?;
        Ok(Found {
            list: EditedFile::look(context.host, list, &AttributeOptions::default(), Missing::Create)?,
            command: context.command(words.iter().copied()),
            missing,
        })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan = found.list.plan(Inputs::default(), self)?;
        if !found.missing.is_empty() {
            let brings = found.missing.iter().map(|name| (LOCALE, normal(name), true.into()));
            plan.push(Box::new(CommandStep {
                text: format!("make the locales {}", found.missing.join(", ")),
                command: found.command.clone(),
                brings: brings.collect(),
                undo: Undo::Restore(vec![PathBuf::from(ARCHIVE)]),
            }));
        }
        Ok(plan)
    }
}

fn generator(host: &dyn View) -> Result<(&'static Path, &'static [&'static str]), Failure> {
    host.look_ahead(&GENERATORS.map(|(list, _)| Path::new(list)));
    for (list, command) in GENERATORS {
        if host.stat(Path::new(list))?.is_some() {
            return Ok((Path::new(list), command));
        }
    }
    let [(void, _), (debian, _)] = GENERATORS;
    Err(Failure::state(format!("there is no list of locales here: neither `{void}` nor `{debian}`")).advise(
        "on Void Linux install `glibc-locales`, on Debian `locales`; musl has no locales that could be made",
    ))
}

/// Those of the locales that the C library does not have. All of them where it can't be asked.
fn missing(context: &Context<'_>, names: &[String]) -> Result<Vec<String>, Failure> {
    let host = context.host;
    let mut there = Vec::new();
    if host.find_program("locale").is_some() {
        let command = context.command(["locale", "-a"]);
        let output = host.probe(&command)?.require_success(&command)?;
        there.extend(String::from_utf8_lossy(&output.stdout).lines().map(normal));
    }
    let is_there =
        |name: &str| there.contains(&normal(name)) || host.predicted(LOCALE, &normal(name)).is_some();
    Ok(names.iter().filter(|name| !is_there(name)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_come_out_of_their_comments() {
        let case = |names: serde_json::Value, before: &str, after: &str| {
            let generate: LocaleGenerate = serde_json::from_value(json!({ "names": names })).unwrap();
            assert_eq!(generate.edit(before).unwrap(), after);
            assert_eq!(generate.edit(after).unwrap(), after, "a second time");
        };
        let list = "# A list.\n#de_DE.UTF-8 UTF-8  \n# en_US.UTF-8 UTF-8\n#en_US ISO-8859-1\nC.UTF-8 UTF-8\n";
        case(json!("C.utf8"), list, list);
        case(json!("de_DE.utf8"), list, &list.replace("#de_DE", "de_DE"));
        case(json!("en_US.UTF-8"), list, &list.replace("# en_US.", "en_US."));
        case(json!("en_US"), list, &list.replace("#en_US I", "en_US I"));
        case(json!(["eo.UTF-8"]), list, &format!("{list}eo.UTF-8 UTF-8\n"));
    }
}
