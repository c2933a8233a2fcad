//! Registries on loopback, each for one test: Debian's `docker-registry`, and others that Go installs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program;
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

/// Registries of other projects, with their program and how to run it.
pub const PROGRAMS: [(&str, &str, Start); 3] = [
    ("distribution 2", "docker-registry", |program, directory, address| {
        serve(program, directory, address, Setup::default())
    }),
    ("distribution 3", "registry", |program, directory, address| serve(program, directory, address, Setup::default())),
    ("crane", "crane", |program, directory, address| {
        let mut command = Command::new(program);
        command.args(["registry", "serve", "--address", address, "--disk"]).arg(directory).env_clear();
        command
    }),
];

/// The command that starts a program with a directory and an address.
type Start = fn(&Path, &Path, &str) -> Command;

/// Starts a registry of [`PROGRAMS`]. `None` if its program is missing.
pub fn start((name, program, start): (&str, &str, Start)) -> Option<Server> {
    let program = program::find(name, program)?;
    Some(Server::start(|directory, address| start(&program, directory, address)))
}

pub struct Registry {
    pub address: String,
    pub server: Server,
}

impl Registry {
    /// Starts a registry. It stores its data in a directory of the test, and makes no connections
    /// of its own.
    pub fn start(setup: Setup) -> Self {
        let program = Path::new("docker-registry");
        let server = Server::start(|directory, address| serve(program, directory, address, setup));
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

/// The command of a registry of the project Distribution, with its configuration.
fn serve(program: &Path, directory: &Path, address: &str, setup: Setup) -> Command {
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
    let mut command = Command::new(program);
    // Version 3 would otherwise send traces.
    command.args(["serve", &at("config.yml")]).env_clear().env("OTEL_TRACES_EXPORTER", "none");
    command
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
