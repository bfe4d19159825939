//! Bad input: each kind is refused with its place and a hint, exit code 4, and nothing is changed.

use crate::support::project::Project;

/// Lints and runs a project: both have to refuse it, in the same words.
#[track_caller]
fn refused(project: &Project) -> String {
    let lint = project.refrain(&["lint", "site.rhai"]).expect(4);
    let run = project.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(4);
    assert_eq!(run.stdout, "", "nothing may have begun");
    assert!(!project.path(".refrain").exists(), "no host may have been touched");
    let (lint, _count) = lint.stderr.trim_end().rsplit_once('\n').expect("a count of the problems");
    assert_eq!(lint.trim_end(), run.stderr.trim_end(), "lint and run have to say the same");
    run.stderr
}

/// A playbook whose play has this body.
fn body(text: &str) -> String {
    format!("play(\"Test\", #{{ hosts: \"localhost\" }}, || {{\n    {text}\n}});\n")
}

macro_rules! refuses {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(refused(&Project::of(&$text)));
        }
    )*};
}

refuses! {
    a_syntax_error: "play(\"Test\", #{ hosts: \"all\" }, || {\n    let x = ;\n});\n";
    a_missing_semicolon: "let a = 1\nlet b = 2;\n";
    a_reserved_word: body("let match = 1;");
    an_unknown_function: body("assrt(true);");
    a_wrong_number_of_arguments: body("role();");
    an_unknown_variable: body("let port = 80; print(prot);");
    an_unknown_module: body("fil::copy(\"a\", \"/b\");");
    a_missing_role: body("role(\"wbe\");");
    an_unknown_handler: body("handler(\"Restart\", || {}); notify(\"Restrat\");");
    a_missing_import: "import \"lib/none\" as none;\n";
    an_unknown_option_of_a_play: "play(\"Test\", #{ host: \"all\" }, || {});\n";
    an_unknown_option_of_a_task: body("task(\"Wait\", #{ retry: 3 }, || {});");
    an_assignment_to_a_captured_variable: "let a = 1;\nplay(\"Test\", #{ hosts: \"localhost\" }, || { a = 2; print(a); });\n";
    an_unknown_argument: body("file::content(\"/a\", \"b\", #{ mdoe: \"0644\" });");
    a_missing_argument: body("file::content(\"/a\");");
    an_ill_typed_argument: body("file::content(\"/a\", [\"b\"]);");
    too_many_arguments: body("file::absent(\"/a\", \"/b\");");
    an_unknown_function_of_a_module: body("file::contnet(\"/a\", \"b\");");
    a_missing_template: body("file::template(\"none.j2\", \"/a\");");
    a_missing_file: body("file::copy(\"none\", \"/a\");");
    a_captured_closure: "let f = |x| x;\nplay(\"Test\", #{ hosts: \"localhost\" }, || { print(f.call(1)); });\n";
    a_play_without_hosts: "play(\"Test\", #{ tags: \"a\" }, || {});\n";
    a_task_at_the_top_level: "file::content(\"/a\", \"b\");\n";
    leaving_without_a_word: body("exit(1);");
    an_unknown_method_to_become_somebody: "play(\"Test\", #{ hosts: \"localhost\", become: true, become_method: \"suod\" }, || {});\n";
    a_user_who_can_not_be: "play(\"Test\", #{ hosts: \"localhost\", become: true, become_user: \"-s\" }, || {});\n";
    an_ill_typed_option_of_a_play: "play(\"Test\", #{ hosts: \"localhost\", become: \"app\" }, || {});\n";
}

/// A project with a template, a variable file and an inventory, each with one thing wrong.
fn with(path: &str, text: &str) -> Project {
    let project = Project::of(&body("file::template(\"a.j2\", \"/a\");"));
    project.file("templates/a.j2", "{{ inventory_hostname }}\n");
    project.file("inventory", "localhost\n");
    project.file(path, text);
    project
}

/// What a run says of a project that lint alone can't judge, because lint asks for no inventory.
#[track_caller]
fn refused_to_run(project: &Project) -> String {
    let run = project.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(4);
    assert!(!project.path(".refrain").exists(), "no host may have been touched");
    run.stderr
}

#[test]
fn what_is_wrong_in_a_template_is_found_before_a_host_is_touched() {
    insta::assert_snapshot!("an_unknown_filter", refused(&with("templates/a.j2", "a\n{{ x | to_jsn }}\n")));
    insta::assert_snapshot!("an_open_block", refused(&with("templates/a.j2", "{% for x in y %}\n")));
}

#[test]
fn in_a_sandbox_nobody_but_root_can_be_become() {
    let project = Project::of(&body("print(\"here\");").replace("hosts", "become: true, hosts"));
    project.file("inventory", "localhost ansible_become_user=app\n");
    let refused = project.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(2);
    assert!(refused.stdout.contains("a play can become nobody but `root`, not `app`"), "{}", refused.stdout);
    project.refrain(&["run", "site.rhai", "-c", "sandbox", "--become-user", "root"]).expect(0);
}

#[test]
fn a_variable_that_names_no_method_is_shown_in_its_file() {
    let project = Project::of(&body("print(\"here\");"));
    project.file(
        "inventory",
        "localhost ansible_connection=local ansible_become=yes\n[all:vars]\nansible_become_method=runas\n",
    );
    insta::assert_snapshot!(project.refrain(&["run", "site.rhai"]).expect(2).stdout);
}

#[test]
fn an_error_at_the_top_level() {
    insta::assert_snapshot!(refused_to_run(&Project::of("let list = [1];\nprint(list[3]);\n")));
}

#[test]
fn what_is_wrong_in_an_inventory_is_found_before_a_host_is_touched() {
    insta::assert_snapshot!("a_broken_range", refused_to_run(&with("inventory", "[web]\nweb[1:\n")));
    insta::assert_snapshot!(
        "a_broken_variable_file",
        refused_to_run(&with("group_vars/all.yml", "a: 1\n b: 2\n"))
    );
}
