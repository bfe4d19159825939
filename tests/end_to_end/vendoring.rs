//! `refrain vendor`: roles from elsewhere, pinned by their commits.

use std::fs;
use std::process::Command;

use crate::support::have;
use crate::support::project::Project;

/// A repository with two commits of a role in a directory of its own.
struct Repository {
    project: Project,
    commits: [String; 2],
}

impl Repository {
    fn new() -> Self {
        let project = Project::new();
        git(&project, &["init", "--quiet", "--initial-branch=main", "."]);
        project.file("roles/motd/role.rhai", "file::template(\"motd.j2\", \"/etc/motd\");\n");
        project.file("roles/motd/templates/motd.j2", "first\n");
        let first = commit(&project);
        project.file("roles/motd/templates/motd.j2", "second\n");
        let second = commit(&project);
        Self { project, commits: [first, second] }
    }

    fn url(&self) -> String {
        format!("file://{}", self.project.path("").display())
    }

    /// The settings that pin a commit.
    fn pin(&self, commit: &str, path: &str) -> String {
        format!("[vendor.motd]\ngit = \"{}\"\ncommit = \"{commit}\"\npath = \"{path}\"\n", self.url())
    }
}

fn git(project: &Project, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(project.path("")).args(arguments).env("HOME", project.path(""));
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Somebody")
            .env(format!("GIT_{who}_EMAIL"), "somebody@example.org");
    }
    let output = command.output().expect("git");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(project: &Project) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "--quiet", "-m", "A change"]);
    git(project, &["rev-parse", "HEAD"])
}

fn project(settings: &str) -> Project {
    let project = Project::of(
        "play(\"Test\", #{ hosts: \"localhost\", connection: \"sandbox\" }, || { role(\"motd\"); });\n",
    );
    project.file("refrain.toml", settings);
    project
}

#[test]
fn a_role_is_what_its_commit_has() {
    if !have("git") {
        return;
    }
    let repository = Repository::new();
    let [first, second] = &repository.commits;
    let project = project(&repository.pin(first, "roles/motd"));
    let missing = project.refrain(&["run", "site.rhai"]).expect(4).whole();
    assert!(missing.contains("`refrain vendor` fetches it"), "{missing}");
    assert_eq!(project.refrain(&["vendor", "--check"]).expect(10).stdout, "missing motd\n");
    assert_eq!(project.refrain(&["vendor"]).expect(0).stdout, "fetched motd\n");
    assert_eq!(project.refrain(&["vendor"]).expect(0).stdout, "ok      motd\n");
    project.refrain(&["run", "site.rhai"]).expect(0);
    let motd = project.path(".refrain/sandbox/localhost/root/etc/motd");
    assert_eq!(fs::read_to_string(&motd).unwrap(), "first\n");

    project.file("refrain.toml", repository.pin(second, "roles/motd"));
    assert_eq!(project.refrain(&["vendor", "--check"]).expect(10).stdout, "other   motd\n");
    assert_eq!(project.refrain(&["vendor"]).expect(0).stdout, "fetched motd\n");
    project.refrain(&["run", "site.rhai"]).expect(0);
    assert_eq!(fs::read_to_string(&motd).unwrap(), "second\n");
    assert_eq!(fs::read_dir(project.path("vendor/roles")).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn what_was_changed_here_is_kept_unless_forced() {
    if !have("git") {
        return;
    }
    let repository = Repository::new();
    let project = project(&repository.pin(&repository.commits[0], "roles/motd"));
    project.refrain(&["vendor"]).expect(0);
    project.file("vendor/roles/motd/templates/motd.j2", "mine\n");
    assert_eq!(project.refrain(&["vendor", "--check"]).expect(10).stdout, "changed motd\n");
    let refused = project.refrain(&["vendor"]).expect(4).whole();
    assert!(refused.contains("was changed here") && refused.contains("--force"), "{refused}");
    assert_eq!(fs::read_to_string(project.path("vendor/roles/motd/templates/motd.j2")).unwrap(), "mine\n");
    project.refrain(&["vendor", "--force"]).expect(0);
    assert_eq!(fs::read_to_string(project.path("vendor/roles/motd/templates/motd.j2")).unwrap(), "first\n");
}

#[test]
fn what_can_not_be_had_leaves_what_there_is() {
    if !have("git") {
        return;
    }
    let repository = Repository::new();
    let [first, second] = &repository.commits;
    let project = project(&repository.pin(first, "roles/motd"));
    project.refrain(&["vendor"]).expect(0);
    repository.project.file("roles/motd/files/passwd", "");
    fs::remove_file(repository.project.path("roles/motd/files/passwd")).unwrap();
    std::os::unix::fs::symlink(
        "../../../../../etc/passwd",
        repository.project.path("roles/motd/files/passwd"),
    )
    .unwrap();
    let leads_out = commit(&repository.project);
    for (settings, expected) in [
        (repository.pin(&"0".repeat(40), "roles/motd"), "could not get the role"),
        (repository.pin(second, "roles"), "there is no `role.rhai`"),
        (repository.pin(second, "elsewhere"), "could not get the role"),
        (repository.pin(&leads_out, "roles/motd"), "leads out of it"),
        (repository.pin("main", "roles/motd"), "branches and tags move"),
        (repository.pin(second, "../motd"), "a path inside of the repository"),
        (repository.pin(second, "roles/motd").replace("commit", "comit"), "did you mean `commit`?"),
        (
            repository.pin(second, "roles/motd").replace("file:", "--upload-pack=touch /tmp/x file:"),
            "a repository",
        ),
        ("[vendor.\"../x\"]\n".to_owned(), "can't be the name of a role"),
    ] {
        project.file("refrain.toml", settings);
        let said = project.refrain(&["vendor"]).expect(4).whole();
        assert!(said.contains(expected) && said.contains("refrain.toml:"), "{said}");
        assert_eq!(
            fs::read_to_string(project.path("vendor/roles/motd/templates/motd.j2")).unwrap(),
            "first\n"
        );
    }
}
