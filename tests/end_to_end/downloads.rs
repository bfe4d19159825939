//! `file::download` over TLS: who is trusted, and what is shown of secrets.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::support::project::Project;
use crate::support::terminal::answering;
use crate::support::{have, is_root};

/// A web server with a certificate of a CA of its own. It serves the files of its directory.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(directory: &Path) -> Option<Self> {
        let openssl = || Command::new("openssl");
        if !have("openssl") {
            return None;
        }
        let certificate = |name: &str, more: &[&str]| {
            let common = [
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ];
            let (key, out, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
            let own = ["-keyout", &key, "-out", &out, "-subj", &subject];
            let made = openssl().args(common).args(own).args(more).current_dir(directory).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        };
        certificate("ca", &[]);
        let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
        certificate("server", &[&signed[..], &["-addext", "subjectAltName=IP:127.0.0.1"]].concat());
        let mut child = openssl()
            .args(["s_server", "-WWW", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key"])
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        Some(Self { child, port: port.expect("the port that it listens on") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn only_servers_that_a_ca_of_the_host_vouches_for_are_trusted() {
    let project = Project::new();
    project.file("web/tool", "a tool\n");
    let web = project.path("web");
    let Some(server) = Server::start(&web) else { return };
    let target = project.path("tool");
    project.file(
        "site.rhai",
        format!(
            "play(\"Download\", #{{ hosts: \"localhost\", connection: \"local\" }}, || {{\n    \
             file::download(\"https://ada:hunter2@\" + vars.server + \":{}/tool\", {target:?});\n}});\n",
            server.port
        ),
    );
    let run = |server: &str, arguments: &[&str], ca: Option<&str>| {
        let server = format!("server={server}");
        let mut command = project.command(&[&["run", "site.rhai", "-v", "-e", &server], arguments].concat());
        command.envs(ca.map(|ca| ("SSL_CERT_FILE", web.join(ca))));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, text) = run("127.0.0.1", &[], None);
    assert_eq!((code, target.exists()), (Some(2), false), "{text}");
    assert!(text.contains("/tool`: its certificate can't be trusted: "), "{text}");
    assert!(text.contains("ca-certificates"), "{text}");
    let (code, text) = run("127.0.0.1", &["--check"], None);
    assert_eq!((code, target.exists()), (Some(0), false), "{text}");
    assert!(text.contains(&format!("download https://127.0.0.1:{}/tool to ", server.port)), "{text}");
    // The certificate is that of an address, not of this name.
    let (code, text) = run("localhost", &[], Some("ca.pem"));
    assert_eq!((code, target.exists()), (Some(2), false), "{text}");
    assert!(text.contains("/tool`: its certificate can't be trusted: hostname mismatch"), "{text}");
    let (code, text) = run("127.0.0.1", &[], Some("ca.pem"));
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "a tool\n");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn what_a_server_is_told_is_seen_by_nobody_else() {
    let project = Project::new();
    let (target, port) = (project.path("tool"), closed_port());
    project.file(
        "site.rhai",
        format!(
            "let token = prompt(\"Token\", #{{ secret: true }});\n\
             play(\"Download\", #{{ hosts: \"localhost\", connection: \"local\" }}, || {{\n    \
             file::download(\"http://127.0.0.1:{port}/tool?\" + token, {target:?}, #{{ headers: #{{ \"X-Token\": token }} }});\n}});\n"
        ),
    );
    for (arguments, expected) in [
        (&["run", "site.rhai", "-vv", "--check", "--diff"][..], "download •••• to "),
        (&["run", "site.rhai", "-vv"], "could not download `••••`: connection refused"),
        (&["run", "site.rhai", "--output", "json"], "could not download `••••`: connection refused"),
    ] {
        let shown = answering(project.command(arguments), "Token", &["hunter2"]);
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn names_are_those_of_the_root_and_no_plugin_is_loaded_for_them() {
    if !is_root() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let project = Project::of(&format!(
        "play(\"Download\", #{{ hosts: \"localhost\" }}, || {{\n    \
         file::download(\"http://web.test:{port}/tool\", \"/tool\", #{{ timeout: 20 }});\n}});\n"
    ));
    project.file("root/etc/hosts", "127.0.0.1 web.test\n");
    project.file("root/etc/nsswitch.conf", "hosts: plugin [!UNAVAIL=return]\n");
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 4096]);
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\na tool\n").unwrap();
    });
    project.refrain(&["run", "site.rhai", "--root", "root"]).expect(0);
    assert_eq!(fs::read_to_string(project.path("root/tool")).unwrap(), "a tool\n");
}

/// A port where a listener was just closed.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
