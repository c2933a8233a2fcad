//! Registries of other projects store what is pushed, and other clients read it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use sectile::digest::Digest;
use serde_json::Value;

use crate::program;
use crate::push::{FILES, Home, path};
use crate::registry::{PROGRAMS, start};

const SECTILE: &str = env!("CARGO_BIN_EXE_sectile");
const SHAPES: [&str; 3] = ["cncf", "envoy", "compat"];

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
#[ignore = "needs docker-registry, registry and crane"]
fn registries_store_and_return_images() {
    let home = Home::new();
    let sectile = |args: &[&str]| home.done(SECTILE, args);
    let (file, bytes) = (path(FILES[0]), fs::read(path(FILES[0])).unwrap());
    let servers: Vec<_> = PROGRAMS.into_iter().filter_map(|program| Some((program.0, start(program)?))).collect();
    for (at, (name, server)) in servers.iter().enumerate() {
        let address = &*server.address;
        let image = |shape: &str| format!("{address}/team/app:{shape}");
        for shape in SHAPES {
            let pushed = home.push(&file, &image(shape), &["--shape", shape, "--sbom"]);
            assert!(pushed["sbom"]["digest"].is_string(), "{name}: {pushed}");
            let again = home.push(&file, &image(shape), &["--shape", shape, "--sbom"]);
            assert_eq!((&again["manifest"], &again["sent"]), (&pushed["manifest"], &0.into()), "{name} {shape}");
            let binary = format!("oci://{}", image(shape));
            let shown = parsed(&sectile(&["show", "--json", &binary]));
            assert_eq!(
                (&shown["size"], &shown["outcome"]),
                (&bytes.len().into(), &"complete".into()),
                "{name} {shape}"
            );
            let digest = sectile(&["digest", &binary]);
            assert!(digest.contains(&Digest::new(&bytes).to_string()), "{name} {shape}: {digest}");
        }
        for shape in &SHAPES[..2] {
            sectile(&["oci", "pull", &image(shape), "-o", "pulled.wasm", "--force"]);
            assert!(fs::read(home.at("pulled.wasm")).unwrap() == bytes, "{name} {shape}");
        }
        let tags = sectile(&["oci", "tags", &format!("{address}/team/app")]);
        // A registry that does not list referrers also has their tags. Not all registries sort the tags.
        let tags: BTreeSet<_> = tags.lines().filter(|tag| !tag.starts_with("sha256-")).collect();
        assert_eq!(Vec::from_iter(tags), ["cncf", "compat", "envoy"], "{name}");

        // With its SBOM to the next registry, in which the SBOM is found by the digest of the image.
        let (next, other) = &servers[(at + 1) % servers.len()];
        let [from, to] = [image("cncf"), format!("{}/from-{at}:1", other.address)];
        sectile(&["oci", "copy", &from, &to, "--referrers"]);
        let layout = format!("oci:{}:1", home.at(&format!("layout-{at}")).display());
        sectile(&["oci", "copy", &to, &layout, "--referrers"]);
        let index = parsed(&fs::read_to_string(home.at(&format!("layout-{at}/index.json"))).unwrap());
        assert_eq!(index["manifests"].as_array().unwrap().len(), 2, "{name} to {next}: {index}");
    }
    for (name, server) in &servers {
        let root = format!("oci://{}/", server.address);
        let audited = sectile(&["audit", "--format", "jsonl", &root]);
        let rows = audited.lines().map(parsed).filter(|line| line.get("row").is_some());
        let files: Vec<_> =
            rows.map(|row| row["file"].as_str().unwrap().strip_prefix(&root).unwrap().to_owned()).collect();
        assert_eq!(files.len(), 2, "{name}: {files:?}");
        assert!(files.iter().any(|file| file == "team/app:compat!plugin.wasm"), "{name}: {files:?}");
    }
}

#[test]
#[ignore = "needs registry, oras, crane, skopeo and umoci"]
fn clients_read_what_is_pushed_and_the_reverse() {
    let names = ["registry", "oras", "crane", "skopeo", "umoci"];
    let programs: Vec<_> = names.into_iter().filter_map(|name| program::find("the test of clients", name)).collect();
    let Ok([_, oras, crane, skopeo, umoci]) = <[_; 5]>::try_from(programs) else { return };
    let home = Home::new();
    let sectile = |args: &[&str]| home.done(SECTILE, args);
    let (file, bytes) = (path(FILES[0]), fs::read(path(FILES[0])).unwrap());
    fs::copy(&file, home.at("plugin.wasm")).unwrap();
    let Some(server) = start(PROGRAMS[1]) else { return };
    let place = |name: &str| format!("{}/team/{name}", server.address);
    let docker = |name: &str| format!("docker://{}", place(name));

    for shape in SHAPES {
        let image = format!("app:{shape}");
        let pushed = home.push(&file, &place(&image), &["--shape", shape, "--sbom"]);
        let manifests = [
            home.done(&oras, ["manifest", "fetch", "--plain-http", &place(&image)]),
            home.done(&crane, ["manifest", &place(&image)]),
            home.done(&skopeo, ["inspect", "--tls-verify=false", "--raw", &docker(&image)]),
        ];
        for manifest in &manifests {
            assert_eq!(Digest::new(manifest.as_bytes()).to_string(), pushed["manifest"]["digest"], "{shape}");
        }
        for layer in parsed(&manifests[0])["layers"].as_array().unwrap() {
            let digest = layer["digest"].as_str().unwrap();
            let blob = place(&format!("app@{digest}"));
            home.done(&oras, ["blob", "fetch", "--plain-http", "--output", "blob", &blob]);
            let by_crane = home.run(&crane, ["blob", &blob]).stdout;
            for bytes in [fs::read(home.at("blob")).unwrap(), by_crane] {
                assert_eq!(Digest::new(&bytes).to_string(), digest, "{shape}");
            }
        }
        let referrers = home.done(&oras, ["discover", "--plain-http", "--format", "json", &place(&image)]);
        assert_eq!(parsed(&referrers)["referrers"][0]["digest"], pushed["sbom"]["digest"], "{referrers}");
    }
    // oras pulls layers with a title only.
    home.push(&file, &place("app:titled"), &["--file-name", "titled.wasm"]);
    home.done(&oras, ["pull", "--plain-http", "--output", "by-oras", &place("app:titled")]);
    assert!(fs::read(home.at("by-oras/titled.wasm")).unwrap() == bytes);
    let export = home.run(&crane, ["export", &place("app:compat"), "-"]).stdout;
    let mut export = tar::Archive::new(&*export);
    let mut plugin = Vec::new();
    export.entries().unwrap().next().unwrap().unwrap().read_to_end(&mut plugin).unwrap();
    assert!(plugin == bytes);
    let layout = home.at("layout").display().to_string();
    home.done(&skopeo, ["copy", "--src-tls-verify=false", &docker("app:compat"), &format!("oci:{layout}:compat")]);
    // `umoci unpack` would also write a configuration for a runtime, and refuses the operating system `wasip1`.
    home.done(&umoci, ["raw", "unpack", "--rootless", "--image", &format!("{layout}:compat"), "by-umoci"]);
    assert!(fs::read(home.at("by-umoci/plugin.wasm")).unwrap() == bytes);

    // The reverse direction.
    home.done(&oras, ["push", "--plain-http", &place("theirs:oras"), "plugin.wasm:application/wasm"]);
    let mut archive = tar::Builder::new(fs::File::create(home.at("layer.tar")).unwrap());
    archive.append_path_with_name(&file, "plugin.wasm").unwrap();
    archive.finish().unwrap();
    home.done(&crane, ["append", "--oci-empty-base", "--new_layer", "layer.tar", "--new_tag", &place("theirs:crane")]);
    let to = docker("theirs:skopeo");
    home.done(&skopeo, ["copy", "--dest-tls-verify=false", &format!("oci:{layout}:compat"), &to]);
    home.done(&umoci, ["new", "--image", &format!("{layout}:umoci")]);
    let image = format!("{layout}:umoci");
    home.done(&umoci, ["insert", "--rootless", "--image", &image, "plugin.wasm", "/plugin.wasm"]);
    sectile(&["oci", "copy", &format!("oci:{layout}:umoci"), &place("theirs:umoci")]);
    let binaries = ["oras", "crane!plugin.wasm", "skopeo!plugin.wasm", "umoci!plugin.wasm"];
    for binary in binaries.map(|binary| format!("oci://{}", place(&format!("theirs:{binary}")))) {
        let shown = parsed(&sectile(&["show", "--json", &binary]));
        assert_eq!((&shown["size"], &shown["outcome"]), (&bytes.len().into(), &"complete".into()), "{binary}");
        let digest = sectile(&["digest", &binary]);
        assert!(digest.contains(&Digest::new(&bytes).to_string()), "{binary}: {digest}");
    }
    sectile(&["oci", "pull", &place("theirs:oras"), "-o", "back.wasm"]);
    assert!(fs::read(home.at("back.wasm")).unwrap() == bytes);
    let tags = home.done(&crane, ["ls", &place("theirs")]);
    assert_eq!(sectile(&["oci", "tags", &place("theirs")]), tags);
}
