//! Names the shared library by the version of its binary interface, as the dynamic linker looks it up.

use std::env;

/// Equals `ABI_VERSION` in `src/lib.rs`; a test compares them.
const ABI_VERSION: &str = include_str!("abi/version");

fn main() {
    let version = ABI_VERSION.trim();
    println!("cargo:rerun-if-changed=abi/version");
    println!("cargo:rustc-env=SECTILE_ABI_VERSION={version}");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android" | "freebsd" | "netbsd" | "openbsd") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsectile.so.{version}");
        }
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libsectile.{version}.dylib");
        }
        _ => {}
    }
}
