//! What people are told of mistakes in templates.

use crate::support::project::Project;

/// A project whose play renders `a.j2` on this machine.
fn project(template: &str) -> Project {
    let project = Project::of(
        "play(\"Test\", #{ hosts: \"localhost\", connection: \"local\", files: [\"*\"] }, || {\n    \
         file::template(\"a.j2\", vars.target);\n});\n",
    );
    let target = project.path("made");
    project
        .file("templates/a.j2", template)
        .file("templates/inner.j2", "inner line\nport {{ prot }}\n")
        .file("templates/macros.j2", "{% macro line(user) %}\n{{ user.name }}: {{ user.shel | upper }}\n{% endmacro %}\n")
        .file(
            "group_vars/all.yml",
            format!(
                "target: {}\nport: 80\naddress: \"{{{{ prot }}}}.example.net\"\nloop_a: \"{{{{ loop_b }}}}\"\nloop_b: \"{{{{ loop_a }}}}\"\n\
                 user: {{ name: alice, shell: sh }}\nlist: [1, 2]\nqueried: \"{{{{ list | jc('ls') }}}}\"\n",
                target.display()
            ),
        );
    project
}

/// What is said before any host is reached.
fn lint(template: &str) -> String {
    project(template).refrain(&["lint", "site.rhai"]).expect(4).stderr
}

/// What is said by a run.
fn run(template: &str) -> String {
    project(template).refrain(&["run", "site.rhai", "-i", "localhost,"]).expect(2).whole()
}

#[test]
fn lint_tells_what_is_not_there() {
    insta::assert_snapshot!("an unknown filter", lint("a\nb {{ port | defualt(1) }}\n"));
    insta::assert_snapshot!("an unknown test", lint("{% if port is equls(80) %}x{% endif %}\n"));
    insta::assert_snapshot!(
        "a filter that is not supported",
        lint("{{ list | community.general.jc('ls') }}\n")
    );
    insta::assert_snapshot!(
        "a test that is not supported",
        lint("{% if '/etc/x' is exists %}x{% endif %}\n")
    );
    insta::assert_snapshot!(
        "a lookup that is not supported",
        lint("key = {{ lookup('pipe', 'date +%Y') }}\n")
    );
    insta::assert_snapshot!("an unknown lookup", lint("{{ lookup('envv', 'HOME') }}\n"));
    insta::assert_snapshot!("a file that is not there", lint("{{ lookup('file', 'motd.txt') }}\n"));
    insta::assert_snapshot!("a template that is not there", lint("{% include 'innner.j2' %}\n"));
    insta::assert_snapshot!("a block that is not closed", lint("{% for x in list %}\n{{ x }}\n"));
    insta::assert_snapshot!("the wrong end", lint("{% if port %}\nx\n{% endfor %}\n"));
    insta::assert_snapshot!("an expression that is not closed", lint("a {{ port | default(1) \nb\n"));
}

#[test]
fn a_run_points_into_the_template() {
    insta::assert_snapshot!("an undefined name", run("a\nlisten {{ prot }};\n"));
    insta::assert_snapshot!("an undefined key", run("{{ user.nmae | upper }}\n"));
    insta::assert_snapshot!(
        "an undefined name in an included template",
        run("a\n{% include 'inner.j2' %}\n")
    );
    insta::assert_snapshot!(
        "an undefined key in a macro",
        run("{% from 'macros.j2' import line %}\nx\n{{ line(user) }}\n")
    );
    insta::assert_snapshot!("an undefined name in a variable", run("host {{ address }}\n"));
    insta::assert_snapshot!("variables that need one another", run("{{ loop_a }}\n"));
    insta::assert_snapshot!("a filter in a variable that is not supported", run("{{ queried }}\n"));
    insta::assert_snapshot!(
        "a name for an argument that there is not",
        run("{{ user | to_nice_json(idnent=2) }}\n")
    );
    insta::assert_snapshot!("the wrong type", run("{{ list | dict2items }}\n"));
    insta::assert_snapshot!("a text and a number", run("{{ list + port }}\n"));
    insta::assert_snapshot!("an unknown method", run("{{ user.name.startwith('a') }}\n"));
    insta::assert_snapshot!("what depends on who renders", run("from {{ template_host }}\n"));
}

#[test]
fn an_included_template_need_not_be_there_where_it_says_so() {
    let project = project("{% include 'none.j2' ignore missing %}a {% include ['none.j2', 'some.j2'] %}\n");
    project.file("templates/some.j2", "some").refrain(&["lint", "site.rhai"]).expect(0);
    project.refrain(&["run", "site.rhai", "-i", "localhost,"]).expect(0);
    assert_eq!(std::fs::read_to_string(project.path("made")).expect("a file"), "a some\n");
}
