//! A registry of container images on this machine, with one image in it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use serde_json::Value;

/// What a manifest is written in.
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Serves an image that podman has saved as a `docker-dir`, as `busybox` with any tag, until the tests end. Returns its port.
pub fn serve(image: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let image = image.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let image = image.clone();
            // A client keeps its connections, and opens others beside them.
            thread::spawn(move || converse(&client, &image));
        }
    });
    port
}

/// Answers one request after the other.
fn converse(client: &TcpStream, image: &Path) {
    let mut lines = BufReader::new(client).lines().map_while(Result::ok);
    while let Some(first) = lines.next() {
        lines.by_ref().find(String::is_empty);
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let found = match path.strip_prefix("/v2/busybox/") {
            None => Some(("application/json", b"{}".to_vec())),
            Some(path) => object(path, image),
        };
        let (status, kind, body) = match found {
            Some((kind, body)) => ("200 OK", kind, body),
            None => ("404 Not Found", "application/json", b"{\"errors\":[]}".to_vec()),
        };
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        let body = if method == "HEAD" { Vec::new() } else { body };
        let mut client = client;
        if client.write_all(&[head.into_bytes(), body].concat()).is_err() {
            return;
        }
    }
}

/// The manifest, or a part of the image.
fn object(path: &str, image: &Path) -> Option<(&'static str, Vec<u8>)> {
    let manifest = fs::read(image.join("manifest.json")).ok()?;
    match path.split_once('/')? {
        ("manifests", _) => Some((MANIFEST, manifest)),
        ("blobs", digest) => {
            let parsed: Value = serde_json::from_slice(&manifest).ok()?;
            let parts = parsed["layers"].as_array()?.iter().chain([&parsed["config"]]);
            let known = parts.filter_map(|part| part["digest"].as_str()).any(|known| known == digest);
            let file = image.join(digest.strip_prefix("sha256:")?);
            Some(("application/octet-stream", fs::read(file).ok().filter(|_| known)?))
        }
        _ => None,
    }
}
