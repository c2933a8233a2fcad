//! Pushed images, as a real registry and other tools see them.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use sectile::digest::Digest;
use sectile_testing::files::project;
use serde_json::Value;
use tempfile::TempDir;

use crate::registry::{PASSWORD, Registry, Setup};

/// A module and a component from real toolchains.
pub const FILES: [&str; 2] = ["rust-auditable.wasm", "rust-auditable.component.wasm"];

pub fn path(file: &str) -> PathBuf {
    project().join("tests/files").join(file)
}

/// An empty home directory.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn run<I: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: impl IntoIterator<Item = I>) -> Output {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path()).env("HOME", self.0.path());
        for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
            command.env_remove(variable);
        }
        command
            .env("SSL_CERT_FILE", self.at("trusted.pem"))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
    }

    #[track_caller]
    pub fn done<I: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: impl IntoIterator<Item = I>) -> String {
        let program = program.as_ref();
        let output = self.run(program, args);
        assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub fn push(&self, file: &Path, reference: &str, options: &[&str]) -> Value {
        let file = file.to_str().unwrap();
        let args = ["oci", "push", file, reference, "--json"].into_iter().chain(options.iter().copied());
        serde_json::from_str(&self.done(env!("CARGO_BIN_EXE_sectile"), args)).unwrap()
    }
}

/// The manifest of an image in a layout, and the bytes of its layer.
fn layer(layout: &Path) -> (Value, Vec<u8>) {
    let blob =
        |digest: &Value| fs::read(layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"))).unwrap();
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let manifest: Value = serde_json::from_slice(&blob(&index["manifests"][0]["digest"])).unwrap();
    let layer = blob(&manifest["layers"][0]["digest"]);
    (manifest, layer)
}

#[test]
#[ignore = "needs docker-registry and skopeo"]
fn pushed_images_are_pulled_unchanged() {
    let registry = Registry::start(Setup::default());
    let home = Home::new();
    for (nth, file) in FILES.into_iter().enumerate() {
        let reference = format!("{}/team/app{nth}:1.0", registry.address);
        let before = registry.requests().len();
        let pushed = home.push(&path(file), &reference, &["--vendor", "me"]);
        assert!(registry.requests()[before..].contains(&"PUT uploads".to_owned()), "{:?}", registry.requests());
        // The second push sends nothing, and the digests are the same.
        let before = registry.requests().len();
        let again = home.push(&path(file), &reference, &["--vendor", "me"]);
        assert_eq!(registry.requests()[before..], ["HEAD blobs", "HEAD blobs", "HEAD manifests"]);
        assert_eq!(
            (&again["manifest"]["digest"], &again["layer"]["digest"], &again["sent"]),
            (&pushed["manifest"]["digest"], &pushed["layer"]["digest"], &0.into())
        );

        let (source, layout) = (format!("docker://{reference}"), home.at(&format!("layout{nth}")));
        home.done("skopeo", ["copy", "--src-tls-verify=false", &source, &format!("oci:{}:1.0", layout.display())]);
        let (manifest, bytes) = layer(&layout);
        assert_eq!(Digest::new(&bytes).to_string(), pushed["layer"]["digest"].as_str().unwrap());
        assert!(bytes == registry.blob(pushed["layer"]["digest"].as_str().unwrap()));
        let raw = home.done("skopeo", ["inspect", "--tls-verify=false", "--raw", &source]);
        assert_eq!(Digest::new(raw.as_bytes()).to_string(), pushed["manifest"]["digest"].as_str().unwrap());
        assert_eq!(serde_json::from_str::<Value>(&raw).unwrap(), manifest);

        // The reverse direction: the binary has the values of the annotations.
        let shown =
            home.done(env!("CARGO_BIN_EXE_sectile"), ["show", "--json", &format!("oci:{}:1.0", layout.display())]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["item"]["annotations"]["vendor"], "me");
        for (field, value) in shown["item"]["annotations"].as_object().unwrap() {
            let key = if field == "homepage" { "url" } else { field };
            assert_eq!(manifest["annotations"][format!("org.opencontainers.image.{key}")], *value, "{file}: {field}");
        }
        // Without the vendor, the layer is the file.
        let plain = home.push(&path(file), &format!("{}/team/plain{nth}", registry.address), &[]);
        assert!(registry.blob(plain["layer"]["digest"].as_str().unwrap()) == fs::read(path(file)).unwrap());
    }
}

#[test]
#[ignore = "needs docker-registry and skopeo"]
fn images_are_pulled_copied_and_listed_as_skopeo_does() {
    let registry = Registry::start(Setup { asks: true, ..Setup::default() });
    let home = Home::new();
    let sectile = |args: &[&str]| home.done(env!("CARGO_BIN_EXE_sectile"), args);
    let (address, credentials) = (&registry.address, format!("me:{PASSWORD}"));
    let mut login = Command::new(env!("CARGO_BIN_EXE_sectile"));
    login.args(["oci", "login", address, "--username", "me", "--password-stdin"]).env("HOME", home.0.path());
    let mut login = login.stdin(std::process::Stdio::piped()).spawn().unwrap();
    login.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(login.wait().unwrap().success());
    // skopeo reads the same file.
    let place = |tag: &str| format!("{address}/team/app:{tag}");
    let list = || home.done("skopeo", ["list-tags", "--tls-verify=false", &format!("docker://{address}/team/app")]);
    for tag in ["1.0", "1.1"] {
        home.push(&path(FILES[0]), &place(tag), &["--sbom", "--vendor", tag]);
    }
    let listed: Value = serde_json::from_str(&list()).unwrap();
    let tags = sectile(&["oci", "tags", &format!("{address}/team/app")]);
    assert_eq!(tags.lines().map(Value::from).collect::<Value>(), listed["Tags"]);

    sectile(&["oci", "push", path(FILES[1]).to_str().unwrap(), &place("plain"), "-q"]);
    sectile(&["oci", "pull", &place("plain"), "-o", "pulled.wasm", "-q"]);
    assert!(fs::read(home.at("pulled.wasm")).unwrap() == fs::read(path(FILES[1])).unwrap());
    let digest = |name: &str| sectile(&["digest", name]).replace(name, "FILE");
    assert_eq!(digest(&format!("oci://{}", place("plain"))), digest(path(FILES[1]).to_str().unwrap()));

    // Copies to a layout, by both tools.
    let (ours, theirs) = (home.at("ours"), home.at("theirs"));
    sectile(&["oci", "copy", &place("1.0"), &format!("oci:{}:1.0", ours.display())]);
    let source = format!("docker://{}", place("1.0"));
    home.done("skopeo", ["copy", "--src-tls-verify=false", &source, &format!("oci:{}:1.0", theirs.display())]);
    assert_eq!(layer(&ours), layer(&theirs));
    // And back, from the layout and within the registry.
    let raw = |place: &str| {
        let creds = format!("--creds={credentials}");
        home.done("skopeo", ["inspect", "--tls-verify=false", &creds, "--raw", &format!("docker://{place}")])
    };
    let back = [format!("{address}/back:1"), format!("{address}/within:1")];
    sectile(&["oci", "copy", &format!("oci:{}:1.0", theirs.display()), &back[0]]);
    let within = sectile(&["oci", "copy", &place("1.0"), &back[1], "--referrers"]);
    assert!(within.contains(" mounted"), "{within}");
    for place in &back {
        assert_eq!(raw(place), raw(&source["docker://".len()..]));
    }
    // The registry lists its repositories.
    let audit = sectile(&["audit", "--format", "csv", &format!("oci://{address}/")]);
    for repository in ["back:1", "team/app:1.1", "team/app:plain"] {
        assert!(audit.contains(&format!("oci://{address}/{repository}")), "{audit}");
    }
    assert_eq!(audit.lines().count(), 1 + 3, "{audit}");
}

#[test]
#[ignore = "needs docker-registry"]
fn a_large_file_is_pushed() {
    let mut files: Vec<_> = fs::read_dir(project().join("benches/corpus/files"))
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.retain(|path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm"));
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    let file = files.pop().unwrap_or_else(|| {
        _ = writeln!(io::stderr(), "the benches' files are not there: a smaller one must do");
        path("tinygo-gofmt.wasm")
    });
    let registry = Registry::start(Setup::default());
    let pushed = Home::new().push(&file, &format!("{}/large", registry.address), &[]);
    assert!(registry.blob(pushed["layer"]["digest"].as_str().unwrap()) == fs::read(file).unwrap());
}

/// Relays connections to a registry. Closes the first ones, each after this many bytes to the
/// registry.
fn relay(to: &str, mut cuts: Vec<usize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, to) = (listener.local_addr().unwrap().to_string(), to.to_owned());
    thread::spawn(move || {
        for client in listener.incoming().take(50).map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&to) else { break };
            let (mut back, mut front) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || _ = io::copy(&mut back, &mut front));
            let most = cuts.pop().unwrap_or(usize::MAX);
            thread::spawn(move || {
                _ = io::copy(&mut (&client).take(most as u64), &mut &server);
                _ = client.shutdown(Shutdown::Both);
                _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

#[test]
#[ignore = "needs docker-registry"]
fn a_broken_connection_is_retried() {
    let file = path("zig-zig_fmt.wasm");
    let bytes = fs::read(&file).unwrap();
    // At some points of the upload, and before it.
    for cuts in [vec![100], vec![bytes.len() / 2], vec![bytes.len() - 10, bytes.len() / 3], vec![1000, 200_000, 1000]] {
        let registry = Registry::start(Setup::default());
        let address = relay(&registry.address, cuts.clone());
        let pushed = Home::new().push(&file, &format!("{address}/team/app:1"), &[]);
        assert!(registry.blob(pushed["layer"]["digest"].as_str().unwrap()) == bytes, "{cuts:?}");
    }
}

#[test]
#[ignore = "needs docker-registry"]
fn a_registry_with_authentication() {
    let registry = Registry::start(Setup { asks: true, ..Setup::default() });
    let home = Home::new();
    let reference = format!("{}/team/app:1", registry.address);
    let file = path(FILES[0]);
    let push = || home.run(env!("CARGO_BIN_EXE_sectile"), ["oci", "push", file.to_str().unwrap(), &reference]);
    let refused = String::from_utf8(push().stderr).unwrap();
    assert!(refused.contains("401") && refused.contains("docker login"), "{refused}");
    // `skopeo login` writes the same file as `docker login`.
    home.done(
        "skopeo",
        [
            "login",
            "--tls-verify=false",
            "--authfile",
            home.at(".docker/config.json").to_str().unwrap(),
            "--username",
            "me",
            "--password",
            PASSWORD,
            &registry.address,
        ],
    );
    let pushed = push();
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
}

#[test]
#[ignore = "needs docker-registry and openssl"]
fn a_registry_with_tls() {
    let registry = Registry::start(Setup { asks: false, tls: true });
    let home = Home::new();
    let reference = format!("{}/team/app:1", registry.address);
    let file = path(FILES[0]);
    let other = Registry::start(Setup { asks: false, tls: true });
    // First an untrusted certificate, then the right one.
    fs::copy(other.server.directory.path().join("cert.pem"), home.at("trusted.pem")).unwrap();
    let args = ["oci", "push", file.to_str().unwrap(), &reference, "--https"];
    let refused = String::from_utf8(home.run(env!("CARGO_BIN_EXE_sectile"), args).stderr).unwrap();
    assert!(refused.contains("cannot connect securely") && refused.contains("certificate"), "{refused}");
    fs::copy(registry.server.directory.path().join("cert.pem"), home.at("trusted.pem")).unwrap();
    home.push(&file, &reference, &["--https"]);
}

#[test]
#[ignore = "needs docker-registry and skopeo"]
fn an_sbom_is_attached_to_the_image() {
    let registry = Registry::start(Setup::default());
    let home = Home::new();
    let reference = format!("{}/team/app:1", registry.address);
    let pushed = home.push(&path(FILES[1]), &reference, &["--sbom"]);
    let again = home.push(&path(FILES[1]), &reference, &["--sbom"]);
    assert_eq!(again["sbom"], pushed["sbom"]);
    // This registry does not list referrers, so the tag does.
    let tag = pushed["sbom"]["fallback_tag"].as_str().unwrap();
    let raw = |name: &str| -> Value {
        let source = format!("docker://{}/team/app{name}", registry.address);
        serde_json::from_str(&home.done("skopeo", ["inspect", "--tls-verify=false", "--raw", &source])).unwrap()
    };
    let index = raw(&format!(":{tag}"));
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    let artifact = raw(&format!("@{}", index["manifests"][0]["digest"].as_str().unwrap()));
    assert_eq!(artifact["subject"]["digest"], pushed["manifest"]["digest"]);
    let bytes = registry.blob(artifact["layers"][0]["digest"].as_str().unwrap());
    let output = home.done(env!("CARGO_BIN_EXE_sectile"), ["sbom", path(FILES[1]).to_str().unwrap()]);
    assert_eq!(String::from_utf8(bytes).unwrap(), output);
}

/// Only a component: wkg turns any input into a component.
#[test]
#[ignore = "needs docker-registry, and wkg for more than nothing"]
fn wkg_pulls_and_pushes_the_same_package() {
    if Command::new("wkg").arg("--version").output().is_err() {
        // Not printed with a macro, because the test harness captures the output of a passing test.
        _ = writeln!(io::stderr(), "SKIPPED: there is no wkg (cargo install wkg)");
        return;
    }
    let registry = Registry::start(Setup::default());
    let home = Home::new();
    let address = &*registry.address;
    let (file, component) = (path(FILES[1]), fs::read(path(FILES[1])).unwrap());
    home.push(&file, &format!("{address}/team/app:1.0.0"), &[]);
    home.done(
        "wkg",
        ["oci", "pull", "--insecure", address, &format!("{address}/team/app:1.0.0"), "-o", "./pulled.wasm"],
    );
    assert!(fs::read(home.at("pulled.wasm")).unwrap() == component);

    // As a package, whose config wkg reads.
    let config =
        format!("[registry.\"{address}\"]\ntype = \"oci\"\n[registry.\"{address}\".oci]\nprotocol = \"http\"\n");
    fs::write(home.at("config.toml"), config).unwrap();
    let get = ["get", "--config", "config.toml", "--cache", "./cache", "--registry", address, "team:app@1.0.0"];
    home.done("wkg", get.into_iter().chain(["--output", "./got.wasm"]));
    assert!(fs::read(home.at("got.wasm")).unwrap() == component);

    let theirs = format!("{address}/team/theirs:1.0.0");
    home.done("wkg", ["oci", "push", "--insecure", address, &theirs, file.to_str().unwrap()]);
    let layout = format!("oci:{}:1.0.0", home.at("layout").display());
    home.done("skopeo", ["copy", "--src-tls-verify=false", &format!("docker://{theirs}"), &layout]);
    let shown = home.done(env!("CARGO_BIN_EXE_sectile"), ["show", "--json", &layout]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["size"], &shown["outcome"]), (&component.len().into(), &"complete".into()));
}
