//! `file::ini`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::edited_file::{Edit, EditedFile, Missing, known};
use super::ini_section::{Conditions, Section, Setting};
use super::lines;
use super::scalar_text::ScalarText;
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;

/// Keeps an option in an INI file, or a section, or keeps them out of it.
///
/// ```rhai
/// file::ini("/etc/app.ini", "server", "port", 8080);
/// file::ini("/etc/app.ini", (), "debug", false);
/// file::ini("/etc/app.ini", "server", "listen", #{ values: ["127.0.0.1", "::1"], no_extra_spaces: true });
/// file::ini("/etc/app.ini", "server", "debug", #{ absent: true });
/// file::ini("/etc/app.ini", "old", #{ absent: true });
/// ```
///
/// Comments, empty lines and the order of things are kept. An option that is there in the section gets the value where it
/// stands; if it is only there as a comment (`#port = 80` or `;port = 80`), it takes the comment's place; else it goes to
/// the end of the section, behind its last option. A section that is missing is added at the end of the file.
///
/// This is `ini_file` of Ansible's community.general, with these differences. Files keep their line endings and byte order
/// mark, and new ones don't begin with an empty line. A commented-out option is left alone as long as the option itself is
/// there, too; Ansible removes it. `absent` reaches all sections of that name. `allow_no_value` does not keep an option
/// from getting another value.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileIni {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    /// The section's name, without brackets. When absent, the options before the first section are meant.
    section: Option<String>,
    /// The option's name. When absent, the section itself is kept there, or is removed.
    option: Option<String>,
    /// The option's value.
    value: Option<ScalarText>,
    /// Several values, for an option that may be there more than once. Not together with `value`.
    #[serde(default)]
    values: Vec<ScalarText>,
    /// Whether the option has these values only. Otherwise others stay beside them, and `absent` removes only these.
    #[serde(default = "yes")]
    exclusive: bool,
    /// Whether the option is removed, or, without `option`, the section. A missing file is fine then.
    #[serde(default)]
    absent: bool,
    /// Whether the option may stand there without `=` when no value is given.
    #[serde(default)]
    allow_no_value: bool,
    /// Whether `=` is written without spaces around it.
    #[serde(default)]
    no_extra_spaces: bool,
    /// Whether a line is right whatever the spaces around its `=`.
    #[serde(default)]
    ignore_spaces: bool,
    /// Whether an option that is there only as a comment takes the comment's place.
    #[serde(default = "yes")]
    modify_inactive_option: bool,
    /// Chooses among several sections of the same name: the first in which these options have these values, or one of
    /// these. A section that is added gets them, too.
    #[serde(default)]
    section_has_values: Conditions,
    /// Whether a missing file is created. Otherwise it is an error.
    #[serde(default = "yes")]
    create: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

fn yes() -> bool {
    true
}

impl FileIni {
    /// All values that are given.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        self.value.iter().chain(&self.values).map(|value| &value.0)
    }

    /// Refuses arguments that say nothing, or two things.
    fn check(&self) -> Result<(), Failure> {
        let refuse = |argument: &str, message: &str| Err(Failure::argument(argument, message));
        let is_given = self.value.is_some() || !self.values.is_empty();
        if self.value.is_some() && !self.values.is_empty() {
            return refuse("values", "`value` and `values` can't both be given");
        }
        if self.option.is_none() && is_given {
            return refuse("option", "there is a value, but no `option` that has it");
        }
        if self.option.is_none() && self.section.is_none() {
            return refuse("option", "neither a `section` nor an `option` is given");
        }
        if self.option.is_some() && !self.absent && !is_given && !self.allow_no_value {
            return Err(Failure::argument("value", "missing argument `value`")
                .advise("`allow_no_value: true` writes the option alone, without `=`"));
        }
        if self.option.is_some() && self.absent && !self.exclusive && !is_given {
            return refuse("exclusive", "without `exclusive`, `absent` needs the value that shall go");
        }
        if self.texts().filter_map(known).any(|value| value.contains('\n')) {
            return refuse("value", "a value can't have more than one line");
        }
        let names = [("section", &self.section), ("option", &self.option)];
        for (argument, name) in names {
            if name.as_deref().is_some_and(|name| name.trim().is_empty() || name.contains('\n')) {
                return refuse(argument, &format!("`{argument}` is no name"));
            }
        }
        Ok(())
    }

    /// The values, each once.
    fn wanted(&self) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        for value in self.texts().filter_map(known) {
            if wanted.iter().all(|other| *other != value) {
                wanted.push(value.into_owned());
            }
        }
        wanted
    }

    fn separator(&self) -> &'static str {
        if self.no_extra_spaces { "=" } else { " = " }
    }

    fn setting<'a>(&'a self, option: &'a str) -> Setting<'a> {
        Setting {
            option,
            separator: self.separator(),
            exclusive: self.exclusive,
            ignore_spaces: self.ignore_spaces,
            inactive: self.modify_inactive_option,
        }
    }
}

impl Edit for FileIni {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        let mut all = lines::split(text);
        let section = Section {
            name: self.section.as_deref(),
            conditions: &self.section_has_values,
            separator: self.separator(),
        };
        let setting = self.option.as_deref().map(|option| self.setting(option));
        match (&setting, self.absent) {
            (None, true) => section.remove(&mut all),
            (Some(setting), true) => {
                let wanted = self.wanted();
                let goes = |value: &str| self.exclusive || wanted.iter().any(|wanted| wanted == value);
                section.each(&mut all, |lines| setting.remove(lines, goes));
            }
            (setting, false) => {
                let mut wanted: Vec<Option<String>> = self.wanted().into_iter().map(Some).collect();
                if wanted.is_empty() {
                    wanted.push(None);
                }
                section.set(&mut all, setting.as_ref(), wanted);
            }
        }
        Ok(all.concat())
    }

    fn unsteady(&self) -> Failure {
        Failure::argument(
            "section_has_values",
            "each run would add a section: it would not have these values",
        )
        .advise("the option that is set can't be one by which the section is chosen")
    }
}

impl State for FileIni {
    const NAME: &'static str = "file::ini";
    const POSITIONAL: &'static [&'static str] = &["path", "section", "option", "value"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        let names: Vec<&str> =
            [&self.section, &self.option].into_iter().flatten().map(String::as_str).collect();
        format!("{} ({})", self.path, names.join(", "))
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        self.check()?;
        let missing = Missing::of(self.absent, self.create);
        EditedFile::look(context.host, &self.path, &self.attributes, missing)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(self.texts().collect(), self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::edited_file::testing::{edited, table};
    use super::*;

    fn port(value: Value) -> Value {
        json!({"section": "s", "option": "port", "value": value})
    }

    #[test]
    fn an_option_gets_its_value_where_it_stands() {
        table::<FileIni>(&[
            (port(json!(80)), "", "[s]\nport = 80\n"),
            (port(json!(80)), "[t]\na = 1", "[t]\na = 1\n[s]\nport = 80\n"),
            (
                port(json!(80)),
                "[s]\nport=8\n# c\n\n[t]\nport = 1\n",
                "[s]\nport = 80\n# c\n\n[t]\nport = 1\n",
            ),
            (port(json!(80)), "[ s ] ; web\n  port =80 \n", "[ s ] ; web\nport = 80\n"),
            (port(json!(80)), "[s]\na = 1\n# c\n\n[t]\n", "[s]\na = 1\nport = 80\n# c\n\n[t]\n"),
            (port(json!(true)), "[s]\r\na = 1\r\n", "[s]\r\na = 1\r\nport = true\r\n"),
            (port(json!("")), "[s]\n", "[s]\nport = \n"),
            (port(json!(80)), "[s]\nport = 80", "[s]\nport = 80\n"),
            (port(json!(80)), "[s]\nport = 8\nport = 9\n", "[s]\nport = 80\n"),
            (json!({"section": "s"}), "[t]\n", "[t]\n[s]\n"),
            (json!({"option": "a", "value": 1}), "# c\n[s]\n", "a = 1\n# c\n[s]\n"),
            (json!({"option": "a", "value": 1}), "b = 2\n\n[s]\n", "b = 2\na = 1\n\n[s]\n"),
        ]);
    }

    #[test]
    fn an_option_takes_the_place_of_its_comment() {
        let inactive = |value: bool| {
            let mut arguments = port(json!(80));
            arguments["modify_inactive_option"] = json!(value);
            arguments
        };
        table::<FileIni>(&[
            (inactive(true), "[s]\n#port = 8\na = 1\n", "[s]\nport = 80\na = 1\n"),
            (inactive(true), "[s]\n; port=8\n;port = 80\n", "[s]\n; port=8\nport = 80\n"),
            (inactive(true), "[s]\n#port = 8\nport = 9\n", "[s]\n#port = 8\nport = 80\n"),
            (inactive(true), "[s]\n; port\n", "[s]\nport = 80\n; port\n"),
            (inactive(false), "[s]\n#port = 8\na = 1\n", "[s]\n#port = 8\na = 1\nport = 80\n"),
        ]);
    }

    #[test]
    fn an_option_can_have_several_values() {
        let listen = |values: Value, exclusive: bool| json!({"section": "s", "option": "l", "values": values, "exclusive": exclusive, "no_extra_spaces": true});
        table::<FileIni>(&[
            (listen(json!(["a", "b", "a"]), true), "[s]\n", "[s]\nl=a\nl=b\n"),
            (listen(json!(["a", "b"]), true), "[s]\nl=c\nx\nl=b\n", "[s]\nl=a\nx\nl=b\n"),
            (listen(json!(["a"]), true), "[s]\nl=c\nl=a\nl=d\n", "[s]\nl=a\n"),
            (listen(json!(["a", "b"]), false), "[s]\nl=c\nl=b\n", "[s]\nl=c\nl=b\nl=a\n"),
        ]);
    }

    #[test]
    fn an_option_can_stand_alone() {
        let bare = |allow: bool| json!({"section": "s", "option": "skip", "allow_no_value": allow});
        table::<FileIni>(&[
            (bare(true), "[s]\n", "[s]\nskip\n"),
            (bare(true), "[s]\n#skip\n", "[s]\nskip\n"),
            (bare(true), "[s]\nskip = 1\n", "[s]\nskip\n"),
            (
                json!({"section": "s", "option": "skip", "value": 1, "allow_no_value": true}),
                "[s]\nskip\n",
                "[s]\nskip = 1\n",
            ),
        ]);
    }

    #[test]
    fn spaces_are_left_alone_where_they_may_be() {
        let mut arguments = port(json!(80));
        arguments["ignore_spaces"] = json!(true);
        table::<FileIni>(&[
            (arguments.clone(), "[s]\n port=80\n", "[s]\n port=80\n"),
            (arguments, "[s]\nport=8\n", "[s]\nport = 80\n"),
        ]);
    }

    #[test]
    fn options_and_sections_are_removed() {
        let absent = |section: &str| json!({"section": section, "option": "a", "absent": true});
        table::<FileIni>(&[
            (absent("s"), "[s]\na = 1\n# a = 2\nb = 3\na\n[t]\na = 4\n", "[s]\n# a = 2\nb = 3\n[t]\na = 4\n"),
            (absent("s"), "[s]\na = 1\n[t]\n[s]\na = 2\n", "[s]\n[t]\n[s]\n"),
            (absent("none"), "a = 1", "a = 1"),
            (
                json!({"section": "s", "option": "a", "value": 1, "exclusive": false, "absent": true}),
                "[s]\na = 1\na = 2\n",
                "[s]\na = 2\n",
            ),
            (json!({"section": "s", "absent": true}), "x\n[s]\na = 1\n# c\n[t]\n[s]\n", "x\n[t]\n"),
        ]);
    }

    #[test]
    fn a_section_is_chosen_by_what_it_has() {
        let peers = "[Peer]\nIP = a\nKey = 1\n[Peer]\nIP = b\nKey = 2\n";
        let peer = |ip: &str, option: &str, value: &str| json!({"section": "Peer", "section_has_values": {"IP": ip}, "option": option, "value": value});
        table::<FileIni>(&[
            (peer("b", "Key", "3"), peers, "[Peer]\nIP = a\nKey = 1\n[Peer]\nIP = b\nKey = 3\n"),
            (peer("c", "Key", "3"), "[Peer]\nIP = a\n", "[Peer]\nIP = a\n[Peer]\nIP = c\nKey = 3\n"),
            (
                json!({"section": "Peer", "section_has_values": {"IP": ["x", "a"]}, "absent": true}),
                peers,
                "[Peer]\nIP = b\nKey = 2\n",
            ),
        ]);
        let failure = edited::<FileIni>(&peer("b", "IP", "c"), peers).unwrap_err();
        assert!(failure.to_string().contains("each run would add a section"), "{failure}");
    }

    #[test]
    fn arguments_that_make_no_sense_are_errors() {
        for (arguments, message) in [
            (json!({"section": "s", "option": "a"}), "missing argument `value`"),
            (json!({"section": "s", "value": "a"}), "there is a value, but no `option` that has it"),
            (json!({}), "neither a `section` nor an `option` is given"),
            (json!({"option": "a", "value": 1, "values": [1]}), "`value` and `values` can't both be given"),
            (json!({"option": "a", "value": "1\n2"}), "a value can't have more than one line"),
            (json!({"section": " ", "option": "a", "value": 1}), "`section` is no name"),
        ] {
            let mut arguments = arguments;
            arguments["path"] = json!("/file");
            let ini: FileIni = serde_json::from_value(arguments).unwrap();
            assert_eq!(ini.check().unwrap_err().to_string(), message);
        }
    }

    /// The values of `a` in the first section `s`.
    fn values(text: &str) -> Vec<&str> {
        let inner = text.lines().skip_while(|line| !line.starts_with("[s]")).skip(1);
        let inner = inner.take_while(|line| !line.starts_with('['));
        let settings = inner.filter_map(|line| line.trim_start().split_once('='));
        settings.filter(|(name, _)| name.trim() == "a").map(|(_, value)| value.trim_start()).collect()
    }

    proptest! {
        #[test]
        fn what_is_set_is_read_and_everything_else_stays(
            text in "((\\[s\\]|\\[t\\]|a = 1| a=2|#a = 3|; a|b = 1|# c|)\n){0,8}",
            wanted in proptest::collection::btree_set("[1-4]", 1..4),
            exclusive in any::<bool>(),
            spaces in any::<bool>(),
        ) {
            let arguments = json!({
                "section": "s", "option": "a", "values": wanted, "exclusive": exclusive, "ignore_spaces": spaces,
            });
            let after = edited::<FileIni>(&arguments, &text).unwrap();
            let found = values(&after);
            if exclusive {
                prop_assert_eq!(found.len(), wanted.len());
                prop_assert!(found.iter().all(|value| wanted.contains(*value)));
            } else {
                prop_assert!(wanted.iter().all(|value| found.contains(&value.as_str())));
                prop_assert!(values(&text).iter().all(|value| found.contains(value)));
            }
            let others = |text: &str| {
                text.lines().filter(|line| !line.contains('a') && *line != "[s]").map(str::to_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(others(&after), others(&text));
            prop_assert_eq!(edited::<FileIni>(&arguments, &after).unwrap(), after);
        }
    }
}
