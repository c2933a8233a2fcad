//! Debian's `docker-registry`, on loopback, for one test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What `me` is let in with. (bcrypt, of few rounds)
const HTPASSWD: &str = "me:$2b$04$0gIbTuanYllbo5Ic.9/AEe19hkN2J0lnuhwcxNEscGAibGRNUryPm\n";
/// What that is.
pub const PASSWORD: &str = "hunter2";

/// How the registry is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether it asks for a name and a password.
    pub asks: bool,
    /// Whether it speaks TLS, with a certificate of its own.
    pub tls: bool,
}

pub struct Registry {
    pub address: String,
    pub directory: TempDir,
    child: Child,
}

impl Registry {
    /// Starts one. It keeps what it has in a directory of the test, and speaks to nobody by itself.
    pub fn start(setup: Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        // A port that is free now; should somebody else take it, the test fails.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            at("storage")
        );
        if setup.tls {
            certificate(&at("key.pem"), &at("cert.pem"));
            config += &format!("  tls:\n    key: {}\n    certificate: {}\n", at("key.pem"), at("cert.pem"));
        }
        if setup.asks {
            fs::write(at("htpasswd"), HTPASSWD).unwrap();
            config += &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", at("htpasswd"));
        }
        fs::write(at("config.yml"), config).unwrap();
        let child = Command::new("docker-registry")
            .args(["serve", &at("config.yml")])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(fs::File::create(at("access.log")).unwrap())
            .stderr(fs::File::create(at("error.log")).unwrap())
            .spawn()
            .expect("docker-registry");
        let registry = Self { address, directory, child };
        let begun = Instant::now();
        while TcpStream::connect(&registry.address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "docker-registry does not start");
            thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// The methods of the requests so far, with the kind of what they were for: `PUT uploads`.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        let request = |line: &str| {
            let mut words = line.split('"').nth(1)?.split(' ');
            let (method, path) = (words.next()?.to_owned(), words.next()?);
            let kind = ["uploads", "blobs", "manifests"].into_iter().find(|kind| path.contains(kind))?;
            Some(format!("{method} {kind}"))
        };
        log.lines().filter_map(request).collect()
    }

    /// Where it keeps the bytes of a blob.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let path = format!("storage/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        fs::read(self.directory.path().join(path)).unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A key, and a certificate for 127.0.0.1 that it has signed.
pub fn certificate(key: &str, certificate: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args([
            "-subj",
            "/CN=sectile test",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=CA:FALSE",
            "-keyout",
            key,
            "-out",
            certificate,
        ])
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
