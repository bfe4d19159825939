//! Images and containers, with the real Docker and the real podman.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use refrain_engine::system;
use refrain_engine::system::sandbox::Sandbox;
use refrain_simulation::Simulation;
use regex::Regex;
use tempfile::TempDir;

use crate::support::dockerd::Dockerd;
use crate::support::podman::Podman;
use crate::support::project::{Outcome, Project};
use crate::support::registry;
use crate::support::terminal::answering;

/// One of the programs, a registry that it can pull from, and a project that uses both.
struct Desk {
    program: &'static str,
    environment: Vec<(&'static str, PathBuf)>,
    image: String,
    project: Project,
    /// What ends with it.
    _engines: (Option<Dockerd>, Podman),
    _image: TempDir,
}

impl Desk {
    fn new(program: &'static str) -> Option<Self> {
        let podman = Podman::new()?;
        let saved = TempDir::with_prefix("refrain-image-").expect("a directory");
        let directory = saved.path().join("image");
        podman.take_out(&directory);
        let port = registry::serve(&directory);
        podman.trust(port);
        let (dockerd, environment) = match program {
            "podman" => (None, podman.environment().to_vec()),
            _ => {
                let dockerd = Dockerd::new()?;
                let environment = vec![dockerd.environment()];
                (Some(dockerd), environment)
            }
        };
        let image = format!("127.0.0.1:{port}/busybox:1");
        Some(Self {
            program,
            environment,
            image,
            project: Project::new(),
            _engines: (dockerd, podman),
            _image: saved,
        })
    }

    /// Writes a playbook. In it `IMAGE`, `DATA` and `PROGRAM` stand for what they are here.
    fn playbook(&self, body: &str) {
        let environment: String =
            self.environment.iter().map(|(name, value)| format!("{name}: `{}`, ", value.display())).collect();
        let data = self.project.path("data");
        fs::create_dir_all(&data).expect("a directory");
        let body = body
            .replace("IMAGE", &self.image)
            .replace("DATA", &data.to_string_lossy())
            .replace("PROGRAM", &format!("program: \"{}\"", self.program));
        let options =
            format!("#{{ hosts: \"localhost\", connection: \"local\", environment: #{{ {environment} }} }}");
        self.project.file("site.rhai", format!("play(\"Containers\", {options}, || {{\n{body}\n}});\n"));
    }

    #[track_caller]
    fn run(&self, further: &[&str], code: i32) -> Outcome {
        self.project.refrain(&[&["run", "site.rhai", "-v"], further].concat()).expect(code)
    }

    /// Converges: foretold, made, and made already.
    #[track_caller]
    fn converge(&self, steps: &[&str]) {
        let said = |outcome: &Outcome| {
            let all = outcome.stdout.lines().map(|line| line.trim().replace(&self.image, "IMAGE"));
            let words = ["pull ", "make ", "start ", "remove "];
            all.filter(|line| words.iter().any(|word| line.starts_with(word))).collect::<Vec<_>>()
        };
        let check = self.run(&["--check"], 0);
        assert_eq!(said(&check), steps, "{}", check.whole());
        let run = self.run(&[], 0);
        assert_eq!(said(&run), steps, "{}", run.whole());
        let again = self.run(&[], 0);
        assert!(said(&again).is_empty() && again.stdout.contains("0 changed"), "{}", again.whole());
    }

    /// What the program itself says.
    #[track_caller]
    fn ask(&self, arguments: &[&str]) -> String {
        let output = Command::new(self.program).args(arguments).envs(self.environment.clone()).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn is_running(&self) -> bool {
        self.ask(&["container", "inspect", "--format", "{{.State.Running}}", "refrain-web"]) == "true"
    }

    #[track_caller]
    fn until_it_greets(&self, expected: &str) {
        let path = self.project.path("data/greeting");
        let greets = || fs::read_to_string(&path).unwrap_or_default().trim() == expected;
        crate::support::started::until(greets, &format!("the container never says {expected:?}"));
    }
}

/// A container that says something and stays.
fn greeting(greeting: &str) -> String {
    format!(
        "docker::container(\"refrain-web\", \"IMAGE\", #{{\n    \
             command: [\"sh\", \"-c\", \"echo $GREETING > /data/greeting; exec sleep 600\"],\n    \
             environment: #{{ GREETING: {greeting} }}, volumes: \"DATA:/data\", network: \"none\", restart: \"no\", PROGRAM,\n\
         }});"
    )
}

fn is_kept_as_declared(program: &'static str) {
    let Some(desk) = Desk::new(program) else { return };
    desk.playbook(&greeting("\"hello\""));
    desk.converge(&[
        "pull IMAGE",
        "make the container refrain-web of IMAGE",
        "start the container refrain-web",
    ]);
    desk.until_it_greets("hello");
    desk.playbook(&greeting("\"good evening\""));
    let made_anew = [
        "remove the container refrain-web, which was made otherwise",
        "make the container refrain-web of IMAGE",
        "start the container refrain-web",
    ];
    desk.converge(&made_anew);
    desk.until_it_greets("good evening");
    desk.ask(&["container", "stop", "--time", "0", "refrain-web"]);
    let started = desk.run(&["--output", "json"], 0);
    assert!(desk.is_running());
    desk.project.refrain(&["rollback", &started.run()]).expect(0);
    assert!(!desk.is_running(), "what was started is stopped again");

    desk.playbook("docker::image_absent(\"IMAGE\", #{ PROGRAM });");
    let used = desk.run(&[], 2).whole();
    assert!(
        used.contains("in use by a container") || used.contains("is using its referenced image"),
        "{used}"
    );
    desk.playbook("docker::container_absent([\"refrain-web\", \"refrain-none\"], #{ PROGRAM });\ndocker::image_absent(\"IMAGE\", #{ PROGRAM });");
    desk.converge(&["remove the container refrain-web", "remove IMAGE"]);
    desk.playbook("docker::image([\"IMAGE\", \"IMAGE-too\"], #{ PROGRAM });");
    desk.converge(&["pull IMAGE", "pull IMAGE-too"]);
}

#[test]
fn a_container_of_docker_is_kept_as_declared() {
    is_kept_as_declared("docker");
}

#[test]
fn a_container_of_podman_is_kept_as_declared() {
    is_kept_as_declared("podman");
}

fn what_goes_wrong_is_said(program: &'static str) {
    let Some(desk) = Desk::new(program) else { return };
    desk.playbook(&greeting("vars.greeting"));
    let site = fs::read_to_string(desk.project.path("site.rhai")).expect("a playbook");
    let site =
        site.replace("connection: \"local\",", "connection: \"local\", vars: #{ greeting: greeting },");
    desk.project
        .file("site.rhai", format!("let greeting = prompt(\"Greeting\", #{{ secret: true }});\n{site}"));
    let command = desk.project.command(&["run", "site.rhai", "-vv", "--diff"]);
    let shown = answering(command, "Greeting", &["hunter2"]);
    desk.until_it_greets("hunter2");
    assert!(!shown.contains("hunter2"), "{shown}");

    desk.playbook("docker::container(\"refrain-ends\", \"IMAGE\", #{ command: \"true\", PROGRAM });");
    desk.run(&[], 4);
    desk.playbook("docker::container(\"refrain-ends\", \"IMAGE\", #{ command: [\"sh\", \"-c\", \"exit 3\"], restart: \"no\", network: \"none\", PROGRAM });");
    let ended = desk.run(&[], 2).whole();
    assert!(ended.contains("start the container refrain-ends"), "{ended}");

    desk.ask(&[
        "container",
        "create",
        "--name",
        "refrain-other",
        "--network",
        "none",
        &desk.image,
        "sleep",
        "600",
    ]);
    desk.playbook("docker::container(\"refrain-other\", \"IMAGE\", #{ PROGRAM });");
    for arguments in [&["--check"][..], &[]] {
        let refused = desk.run(arguments, 2).whole();
        assert!(refused.contains("there is a container `refrain-other` that was not made here"), "{refused}");
    }
    desk.playbook(
        "docker::image(\"IMAGE\", #{ PROGRAM });"
            .replace("IMAGE", &desk.image.replace("busybox", "nothing"))
            .as_str(),
    );
    desk.run(&["--check"], 0);
    desk.run(&[], 2);
    desk.playbook("let pruned = docker::prune(#{ all: true, PROGRAM });\nprint(`${pruned.changed} ${pruned.reclaimed}`);");
    let pruned = desk.run(&[], 0).whole();
    assert!(pruned.contains("true "), "{pruned}");
    let again = desk.run(&[], 0).whole();
    assert!(again.contains("false 0B"), "{again}");
}

#[test]
fn what_goes_wrong_with_docker_is_said() {
    what_goes_wrong_is_said("docker");
    let project = Project::of(
        "play(\"Containers\", #{ hosts: \"localhost\", connection: \"local\", environment: #{ DOCKER_HOST: \"unix:///nonexistent\" } }, || {\n    \
             docker::image(\"busybox:1\");\n});\n",
    );
    if crate::support::have("docker") {
        let said = project.refrain(&["run", "site.rhai"]).expect(2).whole();
        assert!(said.contains("the Docker daemon does not run"), "{said}");
    }
}

#[test]
fn what_goes_wrong_with_podman_is_said() {
    what_goes_wrong_is_said("podman");
}

/// How a container is asked about.
const FORMAT: &str =
    r#"{"Labels":{{json .Config.Labels}},"Status":{{json .State.Status}},"Image":{{json .Image}}}"#;

/// What the simulation and the real Docker say to the same commands.
#[test]
fn the_simulated_docker_answers_as_the_real_one() {
    let Some(desk) = Desk::new("docker") else { return };
    let directory = TempDir::new().expect("a directory");
    let sandbox = Sandbox::open(directory.path(), Box::new(Simulation)).expect("a sandbox");
    let volatile = Regex::new("sha256:[0-9a-f]{64}|[0-9a-f]{64}|[0-9a-f]{12}").expect("a pattern");
    let image = &desk.image;
    let ask = "container inspect --format FORMAT refrain-web".to_owned();
    let create = |image: &str| {
        format!("container create --name=refrain-web --label=a=b --network=none {image} sleep 600")
    };
    let complaints = [
        "No such image",
        "No such container",
        "Conflict",
        "conflict",
        "failed to start containers",
        "running container",
    ];
    for line in [
        format!("image inspect --format {{{{.Id}}}} {image}"),
        format!("image rm {image}"),
        format!("image pull -q {image}"),
        format!("image inspect --format {{{{.Id}}}} {image}"),
        format!("image inspect --format {{{{.Id}}}} {image} none:1"),
        ask.clone(),
        "container start refrain-web".to_owned(),
        "container stop refrain-web".to_owned(),
        create(image),
        create(image),
        ask.clone(),
        "container start refrain-web".to_owned(),
        "container start refrain-web".to_owned(),
        ask.clone(),
        format!("image rm {image}"),
        "container rm refrain-web".to_owned(),
        "container stop refrain-web".to_owned(),
        "container stop refrain-web".to_owned(),
        ask.clone(),
        "container rm refrain-web".to_owned(),
        "container rm refrain-web".to_owned(),
        create(image),
        "container rm --force refrain-web".to_owned(),
        create(image),
        "system prune --force".to_owned(),
        "system prune --force".to_owned(),
        format!("image rm {image}"),
        "system prune --force --all".to_owned(),
    ] {
        let words = line.split(' ').map(|word| if word == "FORMAT" { FORMAT } else { word }.to_owned());
        let arguments: Vec<String> = words.collect();
        let real = Command::new("docker")
            .args(&arguments)
            .envs(desk.environment.clone())
            .output()
            .expect("it starts");
        let command = system::Command::new(["docker".to_owned()].into_iter().chain(arguments));
        let played = refrain_simulation::play(&command, &Vec::new, &sandbox).expect("a program");
        let told = |status: i32, stdout: &[u8], stderr: &[u8]| {
            let stdout = volatile.replace_all(&String::from_utf8_lossy(stdout), "…").into_owned();
            // Of an image the real one tells each layer, and the checksum beside the tag.
            let lines: Vec<String> = stdout
                .lines()
                .filter(|line| !line.starts_with("Deleted: ") && !line.contains('@'))
                .map(str::to_owned)
                .collect();
            let stderr = String::from_utf8_lossy(stderr).replace("no such image", "No such image");
            let complaint: Vec<&str> =
                complaints.iter().copied().filter(|words| stderr.contains(words)).collect();
            (status, lines, complaint)
        };
        let real = told(real.status.code().unwrap_or(-1), &real.stdout, &real.stderr);
        assert_eq!(told(played.status, &played.stdout, &played.stderr), real, "{line}");
    }
}
