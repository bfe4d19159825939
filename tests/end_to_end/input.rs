//! Bad input: each kind is refused with its place and a hint, exit code 4, and nothing is changed.

use crate::support::Project;

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
    leaving_without_a_word: body("exit(1);");
}
