//! `oci-wasm-oracle CONFIG WASM`: reads a config as oci-wasm does, which must succeed. Prints a
//! JSON array of two: the parsed config, and the config that oci-wasm would create for the binary.

use std::env::args_os;
use std::fs;

use oci_wasm::WasmConfig;

fn main() {
    let [config, wasm] = [1, 2].map(|nth| fs::read(args_os().nth(nth).expect("two files")).expect("can be read"));
    let read = WasmConfig::try_from(&*config).expect("oci-wasm reads the config");
    let (written, _) = if wasm[4] == 1 {
        WasmConfig::from_raw_module(wasm, None).expect("oci-wasm takes the module")
    } else {
        WasmConfig::from_raw_component(wasm, None).expect("oci-wasm takes the component")
    };
    println!("{}", serde_json::to_string(&[read, written]).expect("both are JSON"));
}
