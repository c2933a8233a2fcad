//! Malformed LEB128 and wrong sizes.

use sectile::Limits;
use sectile::metadata::Field;

use super::partial;
use sectile_testing::binary::{component, custom, leb128, module, nested, section};
use sectile_testing::found::text;

#[test]
fn overflowing_and_overlong_leb128_is_malformed() {
    let before = module(&[custom("authors", "me")]);
    let size = before.len() as u64 + 1;
    for leb128 in [
        &b"\xff\xff\xff\xff\x1f"[..], // a bit above the 32nd
        b"\x80\x80\x80\x80\x10",      // that bit alone
        b"\x80\x80\x80\x80\x80\x00",  // a sixth byte
        b"\xff\xff\xff\xff\xff",      // no end
    ] {
        let bytes = [&before, &b"\0"[..], leb128].concat();
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_malformed() && !error.is_truncated(), "{error}");
        assert_eq!(error.offset(), Some(size), "{leb128:x?}");
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));

        // The same for the length of a custom section's name.
        let bytes = [&*before, &section(0, leb128)].concat();
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_malformed(), "{error}");
        assert_eq!(error.offset(), Some(size + 1), "{leb128:x?}");
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    }
}

#[test]
fn a_size_past_the_input_keeps_earlier_values() {
    let before = module(&[custom("authors", "me")]);
    for size in [12, 300, 1 << 30, u32::MAX] {
        for section in [
            [&b"\x00"[..], &leb128(size), b"\x04note"].concat(), // data that is not requested
            [&b"\x00"[..], &leb128(size), b"\x08licensesMI"].concat(), // requested data
            [&b"\x0a"[..], &leb128(size), b"\x01"].concat(),     // code
            [&b"\x00"[..], &leb128(size.max(90)), b"\x50no"].concat(), // a truncated name
            [&b"\x7f"[..], &leb128(size)[..]].concat(),          // nothing follows
        ] {
            let bytes = [&before, &*section].concat();
            let (metadata, error) = partial(&bytes, Limits::default());
            assert!(error.is_truncated() && error.is_malformed() && !error.is_not_wasm(), "{error}");
            assert_eq!(error.offset(), Some(bytes.len() as u64), "{error}");
            assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
            assert_eq!(metadata.root().annotation(Field::Licenses), None);
            assert_eq!(metadata.root().end(), None);
        }
    }
}

#[test]
fn a_child_past_its_parent_is_malformed() {
    let mut inner = component(&[custom("authors", "inner")]);
    inner.extend(b"\x00\x20\x04note"); // 0x20 bytes, but the parent has 5 left
    let after = custom("vendor", "v".repeat(100));
    let bytes = component(&[custom("authors", "outer"), nested(&inner), after]);
    let (metadata, error) = partial(&bytes, Limits::default());
    assert!(error.is_malformed() && !error.is_truncated(), "{error}");
    assert_eq!(error.path().to_string(), "0");
    let inner_end = metadata.items().nth(1).unwrap().end().unwrap();
    assert_eq!(error.offset(), Some(inner_end - 6), "the size field");
    assert_eq!(text(metadata.root(), Field::Authors), Some("outer"));
    assert_eq!(text(metadata.items().nth(1).unwrap(), Field::Authors), Some("inner"));
    assert_eq!(metadata.root().annotation(Field::Vendor), None, "it is after the error");
}
