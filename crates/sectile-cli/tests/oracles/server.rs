//! Servers on loopback, each for one test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server that ends on drop.
pub struct Server {
    pub address: String,
    pub directory: TempDir,
    child: Child,
}

impl Server {
    /// Starts a program with a directory and an address. Its output is in `log` and `error-log`.
    pub fn start(command: impl FnOnce(&Path, &str) -> Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // A currently free port. If another process takes it, the test fails.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = command(directory.path(), &address);
        let log = |name: &str| fs::File::create(directory.path().join(name)).unwrap();
        command.stdin(Stdio::null()).stdout(log("log")).stderr(log("error-log"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let server = Self { address, directory, child };
        let begun = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{command:?} does not start");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
