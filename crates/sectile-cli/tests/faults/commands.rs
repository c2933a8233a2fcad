//! The commands that write files, one row for each way of writing, and those that write none.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::sync::OnceLock;

use sectile_testing::binary::{custom, module};
use sectile_testing::registry::{Registry, start};
use sectile_testing::server::Server;

use crate::stage::{Ended, Stage, end, sectile, through};

/// A command that writes one file, whose name in the stage is `place`.
#[derive(Clone, Debug)]
pub struct Writer {
    /// In them, `HOST` is a registry with the image `team/app:1.0`.
    pub args: Vec<&'static str>,
    /// The first part is a directory that has only outputs.
    pub place: &'static str,
    /// Whether the user names the file. Otherwise the user names a directory.
    pub is_named: bool,
    /// Whether it takes `--force`.
    pub has_force: bool,
    /// The first bytes of its output.
    pub start: &'static [u8],
    /// Whether the content of an existing file does not matter.
    pub takes_any_content: bool,
    /// Whether the code that writes differs from that of the rows before it.
    pub is_other_code: bool,
}

impl Writer {
    fn new(command: &'static str, place: &'static str, start: &'static [u8]) -> Self {
        Self {
            args: command.split(' ').collect(),
            place,
            is_named: true,
            has_force: true,
            start,
            takes_any_content: true,
            is_other_code: true,
        }
    }

    /// A command whose arguments end with `-o made/out`.
    fn named(command: &'static str, start: &'static [u8]) -> Self {
        let mut writer = Self::new(command, OUT, start);
        writer.args.extend(["-o", OUT]);
        writer
    }

    fn in_directory(command: &'static str, place: &'static str, start: &'static [u8]) -> Self {
        Self { is_named: false, ..Self::new(command, place, start) }
    }

    fn without_force(self) -> Self {
        Self { has_force: false, ..self }
    }

    fn over_its_own(self) -> Self {
        Self { takes_any_content: false, ..self }
    }

    fn like_before(self) -> Self {
        Self { is_other_code: false, ..self }
    }

    /// The name of the command, such as `oci pull`.
    pub fn command(&self) -> String {
        command_name(&self.args)
    }

    /// The directory of the outputs.
    pub fn directory(&self) -> &'static str {
        self.place.split('/').next().unwrap()
    }

    pub fn is_layout(&self) -> bool {
        self.directory() == IMAGES
    }

    /// Whether it is done. An audit of invalid binaries is, and a removal without a match.
    pub fn is_success(&self, ended: &Ended) -> bool {
        ended.status == Some(0) || ["audit", "remove"].contains(&self.args[0]) && ended.status == Some(1)
    }

    /// Runs it, through other programs if there are any.
    pub fn run(&self, stage: &Stage, programs: &[&str]) -> Ended {
        self.run_with(stage, programs, &[])
    }

    /// Runs it with more arguments.
    pub fn run_with(&self, stage: &Stage, programs: &[&str], more: &[&str]) -> Ended {
        let mut command = match programs {
            [] => sectile(),
            [program, args @ ..] => through(program, args),
        };
        let args = self.args.iter().chain(more).map(|arg| arg.replace("HOST", &stage.host()));
        command.args(args).current_dir(stage.directory()).env("DOCKER_CONFIG", stage.path(HOME));
        command.env_remove("REGISTRY_AUTH_FILE").env_remove("SOURCE_DATE_EPOCH");
        if self.args.contains(&"--password-stdin") {
            command.stdin(Stdio::from(fs::File::open(stage.path("password")).unwrap()));
        }
        end(&mut command)
    }

    /// The content of the place before, in the tests of faults.
    fn old(&self, stage: &Stage) -> Vec<u8> {
        match self.place {
            EDITED => {
                module(&[custom("licenses", "0BSD"), custom("registry-metadata", "{}"), custom(".debug_info", "")])
            }
            CREDENTIALS => {
                format!(r#"{{"auths":{{"a.example":{{"auth":"eDp5"}},"{}":{{}}}}}}"#, stage.host()).into_bytes()
            }
            _ if self.args[0] == "policy" => Vec::new(),
            _ => OLD.to_vec(),
        }
    }

    /// The inputs, and the directory of the output without a file at the place. Returns the place, which may depend on
    /// the inputs.
    pub fn stage(&self) -> (Stage, String) {
        let stage = inputs(&self.args);
        // Two paths of the layout exist only if it already has an image.
        let mut place = self.place.to_owned();
        if place == BLOB {
            let digest = stage.run(&["digest", "a.wasm", "--json"]).succeeds();
            let digest: serde_json::Value = serde_json::from_str(&digest.stdout).unwrap();
            place = place.replace("BLOB", digest["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap());
        }
        if self.is_layout() {
            add_image(&stage);
            _ = fs::remove_file(stage.path(&place));
        } else {
            fs::create_dir(stage.path(self.directory())).unwrap();
        }
        (stage, place)
    }

    /// The inputs, and an earlier output if `has_old`.
    pub fn stage_for_faults(&self, has_old: bool) -> Stage {
        let stage = inputs(&self.args);
        if self.is_layout() {
            if has_old {
                add_image(&stage);
            }
            return stage;
        }
        fs::create_dir(stage.path(self.directory())).unwrap();
        if has_old {
            fs::write(stage.path(self.place), self.old(&stage)).unwrap();
        }
        stage
    }

    /// Whether it can run without a file at the place.
    pub fn makes_new_files(&self) -> bool {
        self.place != EDITED && self.command() != "oci logout"
    }
}

/// The name of a command, without its arguments.
pub fn command_name(args: &[&str]) -> String {
    let words = if ["oci", "policy"].contains(&args[0]) { 2 } else { 1 };
    args[..words].join(" ")
}

/// A stage with what the commands read.
pub fn inputs(args: &[&str]) -> Stage {
    let mut stage = Stage::plain();
    stage.registry = args.iter().any(|arg| arg.contains("HOST")).then(registry);
    fs::create_dir(stage.path("store")).unwrap();
    for (name, license) in [("a.wasm", "MIT"), ("b.wasm", "ISC")] {
        fs::write(stage.path("store").join(name), module(&[custom("licenses", license)])).unwrap();
    }
    fs::write(stage.path("password"), "hunter2\n").unwrap();
    fs::write(stage.path("policy.toml"), "refuse = \"warning\"\n").unwrap();
    if args.contains(&"rows.jsonl") {
        stage.run(&["audit", "store", "-o", "rows.jsonl"]).succeeds();
    }
    stage
}

fn add_image(stage: &Stage) {
    stage.run(&["oci", "layout", "store/b.wasm", "-o", IMAGES, "--no-sync"]).succeeds();
}

type Blobs = BTreeMap<String, Vec<u8>>;
type Manifests = BTreeMap<String, (String, Vec<u8>)>;

/// A registry with the image `team/app:1.0`. A server of the tests answers a limited number of connections.
fn registry() -> Server {
    static CONTENT: OnceLock<(Blobs, Manifests)> = OnceLock::new();
    let (blobs, manifests) = CONTENT.get_or_init(|| {
        let (server, registry) = start(Registry::default(), |_| None);
        let place = format!("{}/team/app:1.0", server.address);
        Stage::plain().run(&["oci", "push", "a.wasm", &place, "-q"]).succeeds();
        let registry = registry.lock().unwrap();
        (registry.blobs.clone(), registry.manifests.clone())
    });
    let content = Registry { blobs: blobs.clone(), manifests: manifests.clone(), ..Registry::default() };
    start(content, |_| None).0
}

/// The first row whose arguments begin with these.
pub fn writer(args: &str) -> Writer {
    let mut writers = writers().into_iter();
    writers.find(|writer| writer.args.join(" ").starts_with(args)).unwrap_or_else(|| panic!("no row for {args}"))
}

const WASM: &[u8] = b"\0asm";
const OUT: &str = "made/out";
const IMAGES: &str = "images";
const HOME: &str = "home";
/// The index of the layout, which is written last.
pub const INDEX: &str = "images/index.json";
const EDITED: &str = "made/a.wasm";
const CREDENTIALS: &str = "home/config.json";

/// The path of the blob of the stage's `a.wasm`.
const BLOB: &str = "images/blobs/sha256/BLOB";

/// The replaced content: an earlier report.
pub const OLD: &[u8] = b"file,row,others,size,digest,verified,outcome\r\n";

/// The content of an index, which is read before it is replaced.
pub const OLD_INDEX: &[u8] = b"{\"schemaVersion\":2,\"manifests\":[]}";

const INDEX_START: &[u8] = b"{\"schemaVersion\":2,";

/// The formats of an audit, and how each begins.
const FORMATS: [(&str, &str, &[u8]); 13] = [
    ("audit store --format jsonl", "report rows.jsonl --format jsonl", b"{\"schema\":2,\"audit\":"),
    ("audit store --format table", "report rows.jsonl --format table", b"store: 2 binaries"),
    ("audit store --format csv", "report rows.jsonl --format csv", b"file,row,others,"),
    ("audit store --format sarif", "report rows.jsonl --format sarif", b"{\"$schema\":"),
    ("audit store --format html", "report rows.jsonl --format html", b"<!DOCTYPE html>"),
    ("audit store --format markdown", "report rows.jsonl --format markdown", b"<!-- sectile audit -->"),
    ("audit store --format junit", "report rows.jsonl --format junit", b"<?xml version="),
    ("audit store --format github", "report rows.jsonl --format github", b"::group::sectile audit"),
    ("audit store --format parquet", "report rows.jsonl --format parquet", b"PAR1"),
    ("audit store --format arrow", "report rows.jsonl --format arrow", b"\xff\xff\xff\xff"),
    ("audit store --format spdx", "report rows.jsonl --format spdx", b"{\"spdxVersion\":\"SPDX-2.3\""),
    ("audit store --format cyclonedx", "report rows.jsonl --format cyclonedx", CYCLONEDX),
    ("audit store --format cyclonedx-1.7", "report rows.jsonl --format cyclonedx-1.7", CYCLONEDX),
];

const CYCLONEDX: &[u8] = b"{\"$schema\":\"http://cyclonedx.org/";

/// The editing commands, for another file, for an image, and for the file itself. `MODES` has more of these.
const EDITS: [[&str; 3]; 6] = [
    ["set a.wasm --licenses ISC", "set a.wasm --licenses ISC --to oci:images:new", "set made/a.wasm --licenses ISC"],
    ["unset a.wasm licenses", "unset a.wasm licenses --to oci:images:new", "unset made/a.wasm licenses"],
    ["put a.wasm x --data y", "put a.wasm x --data y --to oci:images:new", "put made/a.wasm x --data y"],
    ["remove a.wasm licenses", "remove a.wasm licenses --to oci:images:new", "remove made/a.wasm licenses"],
    ["strip a.wasm", "strip a.wasm --to oci:images:new", "strip made/a.wasm --all"],
    ["migrate a.wasm", "migrate a.wasm --to oci:images:new", "migrate made/a.wasm"],
];

/// Every way of writing a file, except `MODES`.
pub fn writers() -> Vec<Writer> {
    let mut writers = vec![
        Writer::named("set a.wasm --licenses ISC --no-sync", WASM),
        Writer::in_directory("oci layout a.wasm -o images", INDEX, INDEX_START),
        Writer::in_directory("oci layout a.wasm -o images --no-sync", BLOB, WASM),
        Writer::in_directory("oci copy HOST/team/app:1.0 oci:images:copied", INDEX, INDEX_START),
        Writer::in_directory("man pages", "pages/sectile.1", b".ie").without_force(),
        Writer::in_directory("man pages", "pages/sectile-audit.1", b".ie").without_force().like_before(),
        Writer::named("sbom a.wasm --format cyclonedx", CYCLONEDX),
        Writer::named("sbom a.wasm --format spdx", b"{\"spdxVersion\":\"SPDX-2.3\"").like_before(),
        Writer::named("oci pull HOST/team/app:1.0 -q", WASM),
        Writer::named("policy init --force", b"#").over_its_own(),
        Writer::new("oci login HOST --username me --password-stdin -q", CREDENTIALS, b"{")
            .without_force()
            .over_its_own(),
        Writer::new("oci logout HOST -q", CREDENTIALS, b"{").without_force().over_its_own(),
        Writer::new("wrap --no-git --licenses ISC --output made/a.wasm -q -- true", EDITED, WASM)
            .without_force()
            .over_its_own(),
    ];
    for (nth, [to_file, to_image, edit]) in EDITS.into_iter().enumerate() {
        let rows = [
            Writer::named(to_file, WASM),
            Writer::in_directory(to_image, INDEX, INDEX_START),
            Writer::new(edit, EDITED, WASM).over_its_own(),
        ];
        writers.extend(rows.map(|row| if nth == 0 { row } else { row.like_before() }));
    }
    for (nth, (audit, report, start)) in FORMATS.into_iter().enumerate() {
        let rows = [Writer::named(audit, start), Writer::named(report, start)];
        writers.extend(rows.map(|row| if nth == 0 { row } else { row.like_before() }));
    }
    writers
}

/// Runs of the commands that write no file.
pub const READERS: [&str; 15] = [
    "show a.wasm",
    "sections a.wasm",
    "get a.wasm licenses",
    "check a.wasm",
    "digest a.wasm",
    "diff a.wasm store/a.wasm",
    "oci annotations a.wasm",
    "oci config a.wasm",
    "oci check HOST/team/app:1.0",
    "oci push a.wasm HOST/team/app:2.0",
    "oci tags HOST/team/app",
    "policy check policy.toml",
    "policy show policy.toml",
    "explain duplicate-section",
    "completions bash",
];
