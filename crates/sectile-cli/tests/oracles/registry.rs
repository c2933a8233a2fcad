//! Debian's `docker-registry`, on loopback, for one test.

use std::fs;
use std::process::Command;

use crate::server::Server;

/// The credentials of `me`: bcrypt with few rounds.
const HTPASSWD: &str = "me:$2b$04$0gIbTuanYllbo5Ic.9/AEe19hkN2J0lnuhwcxNEscGAibGRNUryPm\n";
/// The password of `me`.
pub const PASSWORD: &str = "hunter2";

/// Settings of the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether it requires a user and a password.
    pub asks: bool,
    /// Whether it uses TLS, with its own certificate.
    pub tls: bool,
}

pub struct Registry {
    pub address: String,
    pub server: Server,
}

impl Registry {
    /// Starts a registry. It stores its data in a directory of the test, and makes no connections
    /// of its own.
    pub fn start(setup: Setup) -> Self {
        let server = Server::start(|directory, address| {
            let at = |name: &str| directory.join(name).display().to_string();
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
            let mut command = Command::new("docker-registry");
            command.args(["serve", &at("config.yml")]).env_clear();
            command
        });
        Self { address: server.address.clone(), server }
    }

    /// The request log, which the registry prints.
    pub fn log(&self) -> String {
        fs::read_to_string(self.server.directory.path().join("log")).unwrap()
    }

    /// The methods and resource kinds of the requests so far, such as `PUT uploads`.
    pub fn requests(&self) -> Vec<String> {
        let log = self.log();
        let request = |line: &str| {
            let mut words = line.split('"').nth(1)?.split(' ');
            let (method, path) = (words.next()?.to_owned(), words.next()?);
            let kind = ["uploads", "blobs", "manifests"].into_iter().find(|kind| path.contains(kind))?;
            Some(format!("{method} {kind}"))
        };
        log.lines().filter_map(request).collect()
    }

    /// The stored bytes of a blob.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let path = format!("storage/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        fs::read(self.server.directory.path().join(path)).unwrap()
    }
}

/// Creates a key, and a self-signed certificate for 127.0.0.1.
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
