//! The format of a single file.

use std::io::Write;

use sectile::Input;
use sectile_audit::FileFormat;

fn detect(bytes: &[u8]) -> Option<FileFormat> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    FileFormat::detect(&Input::from_file(file).unwrap()).unwrap()
}

#[test]
fn formats_are_named_by_content() {
    let zip_end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0";
    for (bytes, name, is_opened) in [
        (&b"\x1f\x8b\x08\0"[..], "gzip", true),
        (b"\x28\xb5\x2f\xfd", "zstd", true),
        (b"\x52\xbc\x53\x76\x46\xdb\x8e\x05", "compressed Substrate runtime", true),
        (zip_end, "zip", true),
        (&[b"#!/bin/sh\n", &zip_end[..]].concat(), "zip", true),
        (b"\xfd7zXZ\0", "xz", false),
        (b"7z\xbc\xaf\x27\x1c", "7z", false),
    ] {
        let format = detect(bytes).unwrap();
        assert_eq!((format.name(), format.is_opened()), (name, is_opened));
    }
    for bytes in [&b""[..], b"\0asm\x01\0\0\0", b"text", &[0; 5_000]] {
        assert_eq!(detect(bytes), None, "{bytes:?}");
    }
}
