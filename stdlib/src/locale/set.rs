//! `locale::set`.

use std::collections::BTreeMap;
use std::path::Path;

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::View;
use schemars::JsonSchema;
use serde::Deserialize;

use super::name;
use crate::attributes::AttributeOptions;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};
use crate::shell_assignments;

/// Where most distributions keep it.
const FILE: &str = "/etc/locale.conf";
/// Where Debian does.
const DEBIAN_FILE: &str = "/etc/default/locale";
/// What tells that a host is one.
const DEBIAN: &str = "/etc/debian_version";

/// The variables that locale(7) knows beside `LANG`.
const VARIABLES: [&str; 14] = [
    "LANGUAGE",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
    "LC_ALL",
];

/// Sets the locale that sessions start with: `LANG` in `/etc/locale.conf`, on Debian in `/etc/default/locale`.
///
/// ```rhai
/// locale::set("C.UTF-8");
/// locale::set("de_DE.UTF-8", #{ variables: #{ LC_MESSAGES: "C.UTF-8" } });
/// ```
///
/// Other variables in the file stay. A locale that the C library does not have is none to it: `locale::generate` makes it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LocaleSet {
    /// The locale: `C.UTF-8`, `de_DE.UTF-8`.
    name: String,
    /// Locales for some matters only, by the variables of locale(7): `LC_COLLATE`, `LC_TIME`. An empty one is taken out of the
    /// file.
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

impl LocaleSet {
    fn check(&self) -> Result<(), Failure> {
        name::check("name", &self.name)?;
        for (variable, value) in &self.variables {
            if !VARIABLES.contains(&variable.as_str()) {
                let failure =
                    Failure::argument("variables", format!("there is no locale variable `{variable}`"));
                let near = near_match(variable, VARIABLES.iter().copied());
                return Err(match near {
                    Some(near) => failure.advise(format!("did you mean `{near}`?")),
                    None => failure,
                });
            }
            // That one is a list of languages: `de:en`.
            let names = value.split(':').filter(|_| !value.is_empty());
            names.into_iter().try_for_each(|value| name::check("variables", value))?;
        }
        Ok(())
    }
}

impl Edit for LocaleSet {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        let text = shell_assignments::with_value(text, "LANG", &self.name);
        let set = |text: String, (variable, value): (&String, &String)| match value.as_str() {
            "" => shell_assignments::without(&text, variable),
            value => shell_assignments::with_value(&text, variable, value),
        };
        Ok(self.variables.iter().fold(text, set))
    }
}

impl State for LocaleSet {
    const NAME: &'static str = "locale::set";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        self.check()?;
        EditedFile::look(context.host, file(context.host)?, &AttributeOptions::default(), Missing::Create)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(Inputs::default(), self)
    }
}

/// The file in which sessions find their locale on this host.
fn file(host: &dyn View) -> Result<&'static Path, Failure> {
    let (debian, file) = (Path::new(DEBIAN), Path::new(DEBIAN_FILE));
    host.look_ahead(&[debian, file, Path::new(FILE)]);
    let is_debian = host.stat(debian)?.is_some() || host.stat(file)?.is_some();
    Ok(if is_debian { file } else { Path::new(FILE) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(arguments: serde_json::Value) -> LocaleSet {
        serde_json::from_value(arguments).unwrap()
    }

    #[test]
    fn variables_are_set_and_the_others_stay() {
        let locale = set(json!({"name": "de_DE.UTF-8", "variables": {"LC_TIME": "C.UTF-8", "LC_ALL": ""}}));
        locale.check().unwrap();
        let before = "# here\nLANG=en_US.UTF-8\nLC_ALL=C\nLC_COLLATE=C\n";
        assert_eq!(locale.edit(before).unwrap(), "# here\nLANG=de_DE.UTF-8\nLC_COLLATE=C\nLC_TIME=C.UTF-8\n");
        let failure = set(json!({"name": "C", "variables": {"LC_TYPE": "C"}})).check().unwrap_err();
        assert_eq!(failure.hint().as_deref(), Some("did you mean `LC_CTYPE`?"));
        assert!(set(json!({"name": "C", "variables": {"LANGUAGE": "de:en"}})).check().is_ok());
    }
}
