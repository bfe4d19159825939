//! `command::run`.

use refrain_engine::failure::Failure;
use schemars::JsonSchema;
use serde::Deserialize;

use super::invocation::Runnable;
use super::options::Options;
use super::words::{Argv, Word, line};

/// Runs a program.
///
/// The words reach the program as they are; no shell reads them. The outcome has `stdout` and `stderr` (without the newlines at
/// their ends), `stdout_lines`, `stderr_lines` and `rc`, the exit status. Another exit status than 0 is a failure that shows
/// what the program said. Of each stream 16 MiB are kept; `truncated` says whether there was more. The program is over when
/// it has ended itself, even if it has left a daemon behind. It has no terminal, and the umask 022.
///
/// Check mode does not run it, and nothing is known about what it prints, unless `probe` says that it only reads.
/// `changed_when` and `failed_when` take `true`, `false` or a closure that judges the outcome.
///
/// ```rhai
/// command::run(["nomad", "acl", "bootstrap"], #{ creates: "/var/lib/nomad/.bootstrapped" });
/// let version = command::run(["nomad", "version"], #{ probe: true }).stdout;
/// command::run(["grep", "-q", "^wheel:", "/etc/group"], #{ probe: true, ok_status: [0, 1] });
/// command::run(["tee", "/proc/sys/vm/drop_caches"], #{ stdin: "3\n", changed_when: false });
/// command::run(["newaliases"], #{ changed_when: |r| r.stderr != "", failed_when: |r| r.rc > 1, timeout: 10 });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The program and its arguments; a program without a slash is looked for in `PATH`.
    argv: Argv,
    #[serde(flatten)]
    options: Options,
}

impl Runnable for Run {
    const NAME: &'static str = "command::run";
    const POSITIONAL: &'static [&'static str] = &["argv"];

    fn options(&self) -> &Options {
        &self.options
    }

    fn line(&self) -> String {
        match &self.argv {
            Argv::Program(program) => line([program]),
            Argv::Words(words) => line(words),
        }
    }

    fn words(&self) -> Result<Vec<Word>, Failure> {
        Ok(self.argv.words()?.to_vec())
    }
}
