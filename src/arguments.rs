//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use refrain_engine::escalation::Method;

/// Bring hosts to the state that playbooks describe
#[derive(Debug, Parser)]
#[command(name = "refrain", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run playbooks on the hosts that they name
    Run(Box<Run>),
    /// Take back what a run has changed
    Rollback(Box<Rollback>),
    /// Run a command on hosts
    Exec(Box<Exec>),
    /// Call a module function, or any script, on hosts
    Call(Box<Call>),
    /// Show what a host says of itself
    Facts(Box<Facts>),
    /// Check playbooks without touching a host
    Lint(Lint),
    /// Show hosts and groups
    Inventory(Inventory),
    /// Show what the variables of a host come to, and where each is set
    Vars(Vars),
    /// Run playbooks on sandboxes, and hold them to what they promise
    Test(Test),
    /// Begin a project: settings, an inventory, a playbook and a role to go on from
    Init(Init),
    /// Copy the roles from elsewhere that refrain.toml pins into the project
    Vendor(Vendor),
    /// Show the reference of the modules and of the language
    Doc(Doc),
    /// Write what the Rhai language server needs to complete and check playbooks
    Definitions(Definitions),
    /// Write the script by which a shell completes this command line
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
    /// Serve one play on this host; started by the controller
    #[command(hide = true)]
    Agent,
}

/// What `refrain run` ends with.
const EXIT_CODES: &str = "Exit codes: 0 all is done; 2 a play failed on a host; 3 a host could not be reached; 4 the input is wrong, \
                          and nothing was changed; 10 something would change (with --exit-code); 128 and more: ended by that signal.";

/// `refrain run`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Run {
    /// Playbooks to run, in order
    #[arg(required = true, value_name = "PLAYBOOK", value_hint = ValueHint::FilePath)]
    pub playbooks: Vec<PathBuf>,

    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// Whether changes are only foretold.
    #[command(flatten)]
    pub check: Check,

    /// Only make calls with one of these tags
    #[arg(short, long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,

    /// Make no calls with one of these tags
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,

    /// Skip everything before the role, task or module function of this name (`*` matches anything)
    #[arg(long = "start-at", value_name = "NAME")]
    pub start_at: Option<String>,

    /// Ask before each call whether it shall be made
    #[arg(long)]
    pub step: bool,

    /// How they are reached.
    #[command(flatten)]
    pub connection: Connection,

    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,

    /// Also write a JUnit report to this file: a suite for each host, a case for each call
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["list_hosts", "list_tasks", "list_tags"])]
    pub junit: Option<PathBuf>,

    /// What is listed instead.
    #[command(flatten)]
    pub lists: Lists,
}

/// What is listed of each play, instead of anything being run.
#[derive(Clone, Copy, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Lists {
    /// List the hosts of each play, and run nothing
    #[arg(long)]
    pub list_hosts: bool,

    /// List the roles, tasks and calls of each play with their tags, and run nothing
    #[arg(long)]
    pub list_tasks: bool,

    /// List the tags of each play, and run nothing
    #[arg(long)]
    pub list_tags: bool,
}

impl Lists {
    /// Whether any is wanted.
    pub fn any(self) -> bool {
        self.list_hosts || self.list_tasks || self.list_tags
    }
}

/// `refrain rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The run to take back, as the end of its output names it
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// Say what would be taken back, and change nothing
    #[arg(short = 'C', long)]
    pub check: bool,

    /// How they are reached.
    #[command(flatten)]
    pub connection: Connection,

    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// `refrain exec`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Exec {
    /// The hosts: a pattern, as `hosts` of a play
    #[arg(value_name = "PATTERN")]
    pub pattern: String,

    /// The program and its arguments; no shell reads them
    #[arg(required = true, last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<String>,

    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// How they are reached.
    #[command(flatten)]
    pub connection: Connection,

    /// How it is written.
    #[command(flatten)]
    pub format: Format,
}

/// `refrain call`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Call {
    /// The hosts: a pattern, as `hosts` of a play
    #[arg(value_name = "PATTERN")]
    pub pattern: String,

    /// What is called: `'runit::status("sshd")'`, or any script; what its last expression comes to is shown
    #[arg(value_name = "SCRIPT")]
    pub script: String,

    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// Whether changes are only foretold.
    #[command(flatten)]
    pub check: Check,

    /// How they are reached.
    #[command(flatten)]
    pub connection: Connection,

    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// `refrain facts`.
#[derive(Debug, Args)]
pub struct Facts {
    /// The host
    #[arg(value_name = "HOST")]
    pub host: String,

    /// Only this fact, or a part of it: `os`, `network.default_ipv4` [default: all but `env`]
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// What is known of hosts.
    #[command(flatten)]
    pub sources: Sources,

    /// How it is reached.
    #[command(flatten)]
    pub connection: Connection,
}

/// Whether changes are only foretold.
#[derive(Debug, Args)]
pub struct Check {
    /// Say what would change, and change nothing
    #[arg(short = 'C', long)]
    pub check: bool,

    /// With --check: exit with 10 when something would change
    #[arg(long, requires = "check")]
    pub exit_code: bool,
}

/// Which hosts a command is about.
#[derive(Debug, Args)]
pub struct Hosts {
    /// Only run on hosts that this pattern selects, too
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,

    /// What is known of hosts.
    #[command(flatten)]
    pub sources: Sources,
}

/// Where hosts and their variables come from.
#[derive(Debug, Args)]
pub struct Sources {
    /// Inventory file, directory, or list of hosts with a comma (can be repeated) [default: ./inventory]
    #[arg(short, long = "inventory", value_name = "INVENTORY", value_hint = ValueHint::AnyPath)]
    pub inventories: Vec<String>,

    /// Set a variable over all others: K=V, K:=JSON or @FILE (can be repeated)
    #[arg(short, long = "extra-vars", value_name = "K=V")]
    pub extra_vars: Vec<String>,
}

/// How hosts are reached.
#[derive(Debug, Args)]
pub struct Connection {
    /// How to reach hosts, whatever plays and inventory say
    #[arg(short, long, value_name = "CONNECTION", value_parser = ["ssh", "openssh", "command", "local", "chroot", "sandbox"])]
    pub connection: Option<String>,

    /// Root directory of a chroot connection, or directory of the sandboxes; implies --connection chroot
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// What kind of root that is [default: found out]
    #[arg(long, value_enum, value_name = "KIND", requires = "root")]
    pub root_kind: Option<RootKindArgument>,

    /// Hosts to work on at the same time [default: 32]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub forks: Option<u16>,

    /// How long to wait for another run that is at work on a host, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub lock_timeout: Option<u32>,

    /// Log in as this user
    #[arg(short, long, value_name = "USER", value_hint = ValueHint::Username)]
    pub user: Option<String>,

    /// Log in with this key (can be repeated)
    #[arg(long = "private-key", visible_alias = "key-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub private_keys: Vec<PathBuf>,

    /// Arguments of ssh that are honoured, as `-J gate -o Port=2222`; over those of the inventory (can be repeated)
    #[arg(long = "ssh-args", visible_aliases = ["ssh-common-args", "ssh-extra-args"], value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_arguments: Vec<String>,

    /// Ask for the password to log in with
    #[arg(short = 'k', long)]
    pub ask_pass: bool,

    /// Make all changes as another user: root, unless --become-user says otherwise
    #[arg(short, long = "become")]
    pub r#become: bool,

    /// Ask for the password that becoming another user needs
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,

    /// The user to become [default: root]
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username)]
    pub become_user: Option<String>,

    /// The program that makes one another user [default: sudo]
    #[arg(long, value_name = "METHOD", value_parser = Method::NAMES)]
    pub become_method: Option<String>,
}

/// What is shown.
#[derive(Debug, Args)]
pub struct Shown {
    /// Show the differences of files
    #[arg(short = 'D', long)]
    pub diff: bool,

    /// How it is written.
    #[command(flatten)]
    pub format: Format,
}

/// How it is written.
#[derive(Debug, Args)]
pub struct Format {
    /// Show hosts where nothing changed, and skipped calls; twice: timings, too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// What to write to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Output::Terminal)]
    pub output: Output,
}

/// `--root-kind`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RootKindArgument {
    /// The root of a booted system
    Live,
    /// An image or an install target: nothing is started there
    Offline,
    /// Live if a supervisor runs there
    Auto,
}

/// `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Terminal,
    /// One event a line, as JSON
    Json,
}

/// `refrain lint`.
#[derive(Debug, Args)]
pub struct Lint {
    /// Playbooks to check
    #[arg(required = true, value_name = "PLAYBOOK", value_hint = ValueHint::FilePath)]
    pub playbooks: Vec<PathBuf>,

    /// Show what each play sends to this host: names, origins and sizes, no values
    #[arg(long, value_name = "HOST")]
    pub bundle: Option<String>,

    /// With --bundle: inventory, as in `refrain run` (can be repeated) [default: ./inventory]
    #[arg(short, long = "inventory", value_name = "INVENTORY", value_hint = ValueHint::AnyPath, requires = "bundle")]
    pub inventories: Vec<String>,

    /// With --bundle: set a variable over all others: K=V, K:=JSON or @FILE (can be repeated)
    #[arg(short, long = "extra-vars", value_name = "K=V", requires = "bundle")]
    pub extra_vars: Vec<String>,
}

/// `refrain test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Playbooks to test, each on fresh hosts; NAME.setup.rhai and NAME.test.rhai beside it belong to the test
    #[arg(required = true, value_name = "PLAYBOOK", value_hint = ValueHint::FilePath)]
    pub playbooks: Vec<PathBuf>,

    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// Keep the sandboxes, in a directory of this one that is named after the playbook
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub keep: Option<PathBuf>,

    /// Also write a JUnit report to this file: a suite for each playbook, a case for each stage
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}

/// `refrain inventory`.
#[derive(Debug, Args)]
pub struct Inventory {
    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// Write all as JSON, in the form of Ansible's inventory programs; templates are not rendered
    #[arg(long, conflicts_with = "host")]
    pub list: bool,

    /// Write the variables of this host as JSON; templates are not rendered
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,

    /// With the variable files beside this playbook [default: those in ./playbooks]
    #[arg(long, value_name = "PLAYBOOK", value_hint = ValueHint::FilePath)]
    pub playbook: Option<PathBuf>,
}

/// `refrain vars`.
#[derive(Debug, Args)]
pub struct Vars {
    /// The host whose variables are shown
    #[arg(value_name = "HOST")]
    pub host: String,

    /// Only this variable
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// What is known of hosts.
    #[command(flatten)]
    pub sources: Sources,

    /// With what this playbook sets, and the variable files beside it [default: only the files in ./playbooks]
    #[arg(long, value_name = "PLAYBOOK", value_hint = ValueHint::FilePath)]
    pub playbook: Option<PathBuf>,

    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// `refrain init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where; what is there already is kept
    #[arg(default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// `refrain vendor`.
#[derive(Debug, Args)]
pub struct Vendor {
    /// Only say how the copies stand; exit with 10 when one is not what is pinned
    #[arg(short = 'C', long)]
    pub check: bool,

    /// Replace copies that were changed here
    #[arg(long, conflicts_with = "check")]
    pub force: bool,
}

/// `refrain doc`.
#[derive(Debug, Args)]
pub struct Doc {
    /// A module (`file`), one of its functions (`file::copy`), or a word of the language (`role`)
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// List the functions and words whose reference has all of these words in it
    #[arg(short, long, value_name = "WORD", num_args = 1.., conflicts_with_all = ["name", "markdown"])]
    pub search: Vec<String>,

    /// Write the whole reference as Markdown
    #[arg(long, conflicts_with = "name")]
    pub markdown: bool,
}

/// `refrain definitions`.
#[derive(Debug, Args)]
pub struct Definitions {
    /// Where; definitions that are there already are replaced
    #[arg(default_value = "definitions", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// `refrain completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// `refrain man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The command that the page is about [default: all of refrain]
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,

    /// Write all pages into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_contradict_nothing() {
        super::Arguments::command().debug_assert();
    }
}
