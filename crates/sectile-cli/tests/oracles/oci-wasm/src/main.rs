//! `oci-wasm-oracle config CONFIG WASM`: reads a config as oci-wasm does, which must succeed. Prints a
//! JSON array of two: the parsed config, and the config that oci-wasm would create for the binary.
//!
//! `oci-wasm-oracle cncf|kubewarden IMAGE…`: pulls images over HTTP as oci-wasm and Kubewarden do.
//! Prints a line for each.

use std::env::args;
use std::fs;

use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::manifest::WASM_LAYER_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;
use oci_wasm::{WasmClient, WasmConfig};

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    match &*arguments[0] {
        "config" => compare(&arguments[1], &arguments[2]),
        consumer => pull(consumer, &arguments[1..]),
    }
}

fn compare(config: &str, wasm: &str) {
    let [config, wasm] = [config, wasm].map(|path| fs::read(path).expect("can be read"));
    let read = WasmConfig::try_from(&*config).expect("oci-wasm reads the config");
    let (written, _) = if wasm[4] == 1 {
        WasmConfig::from_raw_module(wasm, None).expect("oci-wasm takes the module")
    } else {
        WasmConfig::from_raw_component(wasm, None).expect("oci-wasm takes the component")
    };
    println!("{}", serde_json::to_string(&[read, written]).expect("both are JSON"));
}

fn pull(consumer: &str, images: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = || Client::new(ClientConfig { protocol: ClientProtocol::Http, ..Default::default() });
    let auth = RegistryAuth::Anonymous;
    for image in images {
        let reference = image.parse().expect("a reference");
        let result = runtime.block_on(async {
            if consumer == "cncf" {
                let client = WasmClient::new(client());
                client.pull(&reference, &auth).await.map_err(|error| error.to_string())?;
                client.pull_manifest_and_config(&reference, &auth).await.map_err(|error| error.to_string())?;
            } else {
                let pulled = client().pull(&reference, &auth, vec![WASM_LAYER_MEDIA_TYPE]).await;
                pulled.map_err(|error| error.to_string())?;
            }
            Ok::<(), String>(())
        });
        match result {
            Ok(()) => println!("result: loaded"),
            Err(error) => println!("result: refused: {error:?}"),
        }
    }
}
