//! Processes that others leave to this one are waited for, and those that it has started itself are not touched.
//!
//! A test program of its own: whatever else ran in it would lose its children.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use refrain_engine::syscall;
use refrain_engine::system::children::{self, Reaped};
use refrain_engine::system::native::Native;
use refrain_engine::system::{Command, RootKind, View};

/// What leaves three processes behind: one that goes on, one that has ended, one that fails.
const LEAVES_ORPHANS: &str = "(sleep 0.1 &); (true &); (exit 3) & exit 7";

#[test]
fn orphans_are_reaped_and_no_status_is_taken() {
    // Orphans are left to this process instead of the first one.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                children::reap_orphans();
            }
        });
        let commands = (0..4).map(|_| {
            scope.spawn(|| {
                let host = Native::new(RootKind::Live);
                let command = Command::new(["/bin/sh", "-c", LEAVES_ORPHANS]);
                (0..25).map(|_| host.probe(&command).unwrap().status).collect::<Vec<_>>()
            })
        });
        for statuses in commands.collect::<Vec<_>>() {
            assert_eq!(statuses.join().unwrap(), [7; 25]);
        }
        over.store(true, Ordering::Relaxed);
    });
    thread::sleep(Duration::from_millis(200));
    let deadline = Instant::now() + Duration::from_secs(20);
    while syscall::ended_child().is_some() {
        assert_eq!(children::reap_orphans(), Reaped::All);
        assert!(Instant::now() < deadline, "they don't go");
    }
}
