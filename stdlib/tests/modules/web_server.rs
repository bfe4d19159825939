//! A web server on this machine that answers as a test wants it to, rightly or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a server does with a request.
pub enum Answer {
    /// Sends these bytes and hangs up.
    Bytes(Vec<u8>),
    /// Sends these bytes and then nothing more, until the client hangs up.
    Stall(Vec<u8>),
}

/// A server that runs until the tests end.
pub struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// One that answers by the first line of a request, `GET /path HTTP/1.1`.
    pub fn start(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let request = read(&client);
                let first = request.lines().next().unwrap_or_default().to_owned();
                seen.lock().unwrap().push(request);
                // A client may hang up at any time; what it makes of that is what the tests look at.
                match answer(&first) {
                    Answer::Bytes(bytes) => drop(client.write_all(&bytes)),
                    Answer::Stall(bytes) => {
                        let _ = client.write_all(&bytes);
                        let _ = client.read(&mut [0]);
                    }
                }
            }
        });
        Self { port, requests }
    }

    /// One that always answers this.
    pub fn saying(answer: Vec<u8>) -> Self {
        Self::start(move |_| Answer::Bytes(answer.clone()))
    }

    /// The URL of a path on it, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it was asked since the last time, in lower case: first line, headers, and after an empty line what else was sent.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().drain(..).map(|request| request.to_lowercase()).collect()
    }
}

/// First line, headers, and after an empty line what else was sent.
fn read(client: &TcpStream) -> String {
    let mut client = BufReader::new(client);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).is_err() || line.trim_end().is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(number) = lower.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        text.extend([line.trim_end(), "\n"]);
    }
    let mut body = vec![0; length];
    if length > 0 && client.read_exact(&mut body).is_ok() {
        text.extend(["\n", &String::from_utf8_lossy(&body)]);
    }
    text
}

/// The answer that has this content.
pub fn ok(content: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
    [head.as_bytes(), content].concat()
}

/// The answer with this status and nothing in it.
pub fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()
}

/// The answer that sends on to another address.
pub fn redirect(location: &str) -> Vec<u8> {
    status(&format!("302 Found\r\nLocation: {location}"))
}
