//! A line to a server that counts who speaks when, and may be slow.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Passes on connections to a port of 127.0.0.1.
pub struct Proxy {
    pub port: u16,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    connections: AtomicU32,
    /// How often the server spoke after the client had.
    turns: AtomicU32,
    /// Whether the client spoke last.
    client_spoke: Mutex<bool>,
    /// Bytes of the client.
    sent: AtomicU64,
}

impl Proxy {
    /// Starts one whose every byte takes `delay` in each direction.
    pub fn start(server: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let counters = Arc::new(Counters::default());
        let shared = Arc::clone(&counters);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", server))) else {
                    break;
                };
                shared.connections.fetch_add(1, Ordering::Relaxed);
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                pass(
                    client.try_clone().unwrap(),
                    server.try_clone().unwrap(),
                    delay,
                    true,
                    Arc::clone(&shared),
                );
                pass(server, client, delay, false, Arc::clone(&shared));
            }
        });
        Self { port, counters }
    }

    /// How often the client has had to wait for an answer.
    pub fn turns(&self) -> u32 {
        self.counters.turns.load(Ordering::Relaxed)
    }

    /// How many connections there were.
    pub fn connections(&self) -> u32 {
        self.counters.connections.load(Ordering::Relaxed)
    }

    /// How many bytes the client has sent.
    pub fn sent(&self) -> u64 {
        self.counters.sent.load(Ordering::Relaxed)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration, is_client: bool, counters: Arc<Counters>) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut client_spoke = counters.client_spoke.lock().unwrap();
            if !is_client && *client_spoke {
                counters.turns.fetch_add(1, Ordering::Relaxed);
            }
            if is_client {
                counters.sent.fetch_add(count as u64, Ordering::Relaxed);
            }
            *client_spoke = is_client;
            drop(client_spoke);
            if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
