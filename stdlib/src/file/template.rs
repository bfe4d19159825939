//! `file::template`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use crate::whole_file::WholeFile;

/// Renders a Jinja2 template into a file.
///
/// ```rhai
/// file::template("motd.j2", "/etc/motd");
/// file::template("site.conf.j2", "/etc/site.conf", #{ vars: #{ name: "example.org" }, mode: "0640" });
/// ```
///
/// The template sees the host's variables, Ansible's names and the facts, and is rendered as Ansible would: a newline after
/// a block is dropped, one at the end is kept. Where `path` is a link, the file that it leads to is written and the link
/// stays. A template that reads a secret gives a file whose content is never shown, and that only its owner can read
/// unless `mode` says otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileTemplate {
    /// The template: a name in `templates/` beside the role or playbook.
    #[schemars(extend("x-source" = "template"))]
    source: String,
    /// Where the file shall be. Its directory has to exist.
    path: HostPath,
    /// Further names that the template sees, over all variables of the same names.
    #[serde(default)]
    #[schemars(extend("x-unknown" = true, "x-secret" = true))]
    vars: Map<String, Value>,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

impl State for FileTemplate {
    const NAME: &'static str = "file::template";
    const POSITIONAL: &'static [&'static str] = &["source", "path"];
    type Found = (WholeFile, Text);

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let text = context.materials.render(&self.source, &self.vars)?;
        Ok((WholeFile::look(context.host, &self.path, &self.attributes)?, text))
    }

    fn plan(&self, (file, text): &Self::Found) -> Result<Plan, Failure> {
        Ok(file.plan(text.content.clone(), !text.secret))
    }
}
