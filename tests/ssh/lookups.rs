//! What templates look up on the controller reaches a host that has none of it.

use std::fs;

use crate::support::project::Project;
use crate::support::sshd::Setup;

#[test]
fn files_and_the_environment_travel_by_their_names() {
    let Some(sshd) = Setup::default().start() else { return };
    let place = tempfile::tempdir().unwrap();
    let made = place.path().join("made");
    let play = |options: &str| {
        let made = made.display();
        format!(
            "play(\"Look up\", #{{ hosts: \"all\"{options} }}, || {{\n    \
             file::template(\"a.j2\", \"{made}\");\n    print(vars.home);\n}});\n"
        )
    };
    for placement in ["", ", placement: \"controller\""] {
        let project = Project::of(&play(placement));
        sshd.open_to(&project);
        project
            .file("templates/a.j2", "{{ lookup('file', 'banner.txt') }}!\n{{ lookup('env', 'GREETING') }}\n{% include 'b.j2' %}\n{{ home }}\n")
            .file("templates/b.j2", "{{ lookup('file', 'deep/b.txt') | upper }}{{ lookup('env', 'NO_SUCH') }}")
            .file("files/banner.txt", "banner of this project\n\n")
            .file("files/deep/b.txt", "from below\n")
            .file("files/unused.txt", "unused\n")
            .file("group_vars/all.yml", "home: \"{{ lookup('ansible.builtin.env', 'HOME_OF_USER') }}/.config\"\n");
        let command = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            command.env("GREETING", "hello, host").env("HOME_OF_USER", "/home/me").env("NEVER_NAMED", "x");
            crate::support::project::Outcome::of(&command.output().unwrap(), &project.path(""))
        };
        let outcome = command(&["run", "site.rhai"]).expect(0);
        assert!(outcome.stdout.contains("/home/me/.config"), "{}", outcome.whole());
        assert_eq!(
            fs::read_to_string(&made).unwrap(),
            "banner of this project!\nhello, host\nFROM BELOW/home/me/.config\n",
            "{placement}"
        );
        fs::remove_file(&made).unwrap();
        let listing = command(&["lint", "site.rhai", "--bundle", "web1"]);
        let listed = |name: &str| listing.stdout.contains(name);
        assert!(listed("files/banner.txt") && listed("files/deep/b.txt"), "{}", listing.whole());
        assert!(listed("GREETING") && listed("HOME_OF_USER"), "{}", listing.whole());
        assert!(
            !listed("unused.txt") && !listed("NEVER_NAMED") && !listed("hello, host"),
            "{}",
            listing.whole()
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error_before_any_host_is_reached() {
    let project =
        Project::of("play(\"Look up\", #{ hosts: \"localhost\" }, || file::template(\"a.j2\", \"/a\"));\n");
    project.file("templates/a.j2", "{{ lookup('file', 'banner.text') }}\n").file("files/banner.txt", "x\n");
    let outcome = project.refrain(&["run", "site.rhai"]).expect(4);
    assert!(outcome.stderr.contains("there is no file `banner.text`"), "{}", outcome.whole());
}
