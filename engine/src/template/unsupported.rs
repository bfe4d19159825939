//! What Ansible has and this engine doesn't, with what to do instead. Naming it is better than not knowing it.

/// Why something is not there, or what takes its place.
type Hint = &'static str;

const FILE: Hint = "Ansible looks at the controller's files, a template is rendered on its host: look in the playbook, and \
                    hand over what was found in `vars`";
const ENVIRONMENT: Hint = "Ansible takes the controller's environment, a template is rendered on its host: \
                           `lookup('env', 'NAME')` travels";
const VAULT: Hint = "what is encrypted is decrypted when it is read, or handed over as a secret";
const TREE: Hint = "walk over the value in the playbook, and hand over what the template needs in `vars`";
const OTHER: Hint = "parse it in the playbook, and hand over what the template needs in `vars`";
const NOTHING: Hint = "";

/// Filters by their whole name.
const FILTERS: &[(&str, Hint)] = &[
    ("ansible.builtin.expanduser", ENVIRONMENT),
    ("ansible.builtin.expandvars", ENVIRONMENT),
    ("ansible.builtin.fileglob", FILE),
    ("ansible.builtin.realpath", FILE),
    ("ansible.builtin.unvault", VAULT),
    ("ansible.builtin.vault", VAULT),
    ("jinja2.pprint", "`to_nice_json` and `to_nice_yaml` show a value, too"),
    ("jinja2.urlize", NOTHING),
    ("ansible.netcommon.comp_type5", OTHER),
    ("ansible.netcommon.hash_salt", OTHER),
    ("ansible.netcommon.parse_cli", OTHER),
    ("ansible.netcommon.parse_cli_textfsm", OTHER),
    ("ansible.netcommon.parse_xml", OTHER),
    ("ansible.netcommon.type5_pw", OTHER),
    ("ansible.netcommon.vlan_expander", OTHER),
    ("ansible.netcommon.vlan_parser", OTHER),
    ("ansible.utils.consolidate", TREE),
    ("ansible.utils.from_xml", OTHER),
    ("ansible.utils.get_path", TREE),
    ("ansible.utils.index_of", TREE),
    ("ansible.utils.keep_keys", TREE),
    ("ansible.utils.param_list_compare", TREE),
    ("ansible.utils.remove_keys", TREE),
    ("ansible.utils.replace_keys", TREE),
    ("ansible.utils.to_paths", TREE),
    ("ansible.utils.to_xml", OTHER),
    ("ansible.utils.validate", OTHER),
    ("community.general.from_csv", OTHER),
    ("community.general.hashids_decode", NOTHING),
    ("community.general.hashids_encode", NOTHING),
    ("community.general.jc", OTHER),
    ("community.general.unicode_normalize", NOTHING),
];

/// Tests by their whole name.
const TESTS: &[(&str, Hint)] = &[
    ("ansible.builtin.directory", FILE),
    ("ansible.builtin.exists", FILE),
    ("ansible.builtin.file", FILE),
    ("ansible.builtin.is_dir", FILE),
    ("ansible.builtin.is_file", FILE),
    ("ansible.builtin.is_link", FILE),
    ("ansible.builtin.is_mount", FILE),
    ("ansible.builtin.is_same_file", FILE),
    ("ansible.builtin.link", FILE),
    ("ansible.builtin.link_exists", FILE),
    ("ansible.builtin.mount", FILE),
    ("ansible.builtin.same_file", FILE),
    ("ansible.builtin.vaulted_file", FILE),
    ("ansible.utils.resolvable", "ask the name server in the playbook"),
    ("ansible.utils.validate", OTHER),
    ("community.general.a_module", "`refrain doc` lists the modules"),
];

/// Lookups by their whole name.
const LOOKUPS: &[(&str, Hint)] = &[
    ("ansible.builtin.config", "there is no `ansible.cfg` whose settings could be looked up"),
    ("ansible.builtin.csvfile", "`lookup('file', …)` reads it, and `split` takes it apart"),
    ("ansible.builtin.fileglob", FILE),
    ("ansible.builtin.first_found", "name the file, or choose it in the playbook"),
    ("ansible.builtin.ini", "`lookup('file', …)` reads it, and `regex_search` finds a line in it"),
    ("ansible.builtin.inventory_hostnames", "`groups['name']` has the hosts of a group"),
    ("ansible.builtin.lines", "run the command in the playbook, and hand over what it prints in `vars`"),
    (
        "ansible.builtin.password",
        "a template that makes up a password gives another one for each host; `vars` has secrets",
    ),
    ("ansible.builtin.pipe", "run the command in the playbook, and hand over what it prints in `vars`"),
    ("ansible.builtin.unvault", VAULT),
    ("ansible.builtin.url", "fetch it in the playbook with `http::get`, and hand over what came in `vars`"),
];

const RENDERER: Hint = "it is about the controller and the time, so that the file would change with whoever runs the play: hand it \
                        over in `vars`";

/// Variables that Ansible's module `template` has.
const VARIABLES: &[(&str, Hint)] = &[
    ("template_destpath", "hand it over in `vars`"),
    ("template_fullpath", RENDERER),
    ("template_host", RENDERER),
    ("template_mtime", RENDERER),
    ("template_run_date", RENDERER),
    ("template_uid", RENDERER),
];

/// Functions of Jinja2.
const FUNCTIONS: &[(&str, Hint)] = &[("jinja2.lipsum", NOTHING)];

/// What is not supported.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Filter,
    Test,
    Lookup,
    Function,
    Variable,
}

/// What to do instead of a filter, test, lookup or function that Ansible has; `None` for one that it doesn't have.
pub(super) fn hint(kind: Kind, name: &str) -> Option<Hint> {
    let table = match kind {
        Kind::Filter => FILTERS,
        Kind::Test => TESTS,
        Kind::Lookup => LOOKUPS,
        Kind::Function => FUNCTIONS,
        Kind::Variable => VARIABLES,
    };
    let is_it = |whole: &str| whole == name || whole.rsplit_once('.').is_some_and(|(_, short)| short == name);
    table.iter().find(|(whole, _)| is_it(whole)).map(|(_, hint)| *hint)
}

/// The whole names of all of it.
pub(super) fn names() -> Vec<&'static str> {
    let tables = [FILTERS, TESTS, LOOKUPS, FUNCTIONS, VARIABLES];
    tables.into_iter().flatten().map(|(name, _)| *name).collect()
}
