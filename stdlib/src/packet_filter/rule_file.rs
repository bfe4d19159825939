//! A file with rules, which the packet filter's own program has to accept.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Text};
use refrain_engine::system::RootKind;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use crate::validated_file::{ValidatedFile, Validator};

/// What is in a file with rules. A function takes it in with `#[serde(flatten)]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RuleFile {
    /// Where the file shall be. Its directory has to exist.
    path: HostPath,
    /// The rules. Either these or a `template`.
    #[serde(default)]
    content: Option<Text>,
    /// A template that is rendered to the rules: a name in `templates/` beside the role or playbook.
    #[serde(default)]
    #[schemars(extend("x-source" = "template"))]
    template: Option<String>,
    /// Further names that the template sees, over all variables of the same names.
    #[serde(default)]
    #[schemars(extend("x-unknown" = true, "x-secret" = true))]
    vars: Map<String, Value>,
    /// Whether the rules are tried before the file is put in place, where the program that can is there and the host runs. In
    /// an image they are not: they would be tried on the kernel of another machine. Default true.
    #[serde(default = "yes")]
    validate: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

fn yes() -> bool {
    true
}

impl RuleFile {
    /// Where the file shall be.
    pub fn path(&self) -> &HostPath {
        &self.path
    }

    /// Looks at the file. `validator` judges what `whole` makes of the rules.
    ///
    /// # Errors
    /// As [`ValidatedFile::look`], or there are no rules.
    pub fn look(
        &self,
        context: &Context<'_>,
        validator: &Validator,
        whole: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Result<ValidatedFile, Failure> {
        let text = self.text(context)?;
        let tried = self.validate && context.host.root_kind() != RootKind::Offline;
        let file = ValidatedFile::look(context, &self.path, &self.attributes, text, None)?;
        if let Some(candidate) = file.candidate().filter(|_| tried) {
            validator.judge(context, &self.path, &whole(candidate))?;
        }
        Ok(file)
    }

    fn text(&self, context: &Context<'_>) -> Result<Text, Failure> {
        match (&self.content, &self.template) {
            (Some(content), None) => Ok(content.clone()),
            (None, Some(template)) => context.materials.render(template, &self.vars),
            (Some(_), Some(_)) => {
                Err(Failure::argument("template", "`content` and `template` can't both be given"))
            }
            (None, None) => {
                Err(Failure::argument("content", "the rules are missing: `content` or `template`"))
            }
        }
    }
}
