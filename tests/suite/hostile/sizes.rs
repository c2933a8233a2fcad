//! LEB128, and sizes that lie.

use sectile::Limits;
use sectile::metadata::Field;

use super::partial;
use crate::support::binary::{component, custom, leb128, module, nested, section};
use crate::support::found::text;

#[test]
fn a_leb128_that_overflows_or_is_too_long() {
    let before = module(&[custom("authors", "me")]);
    let size = before.len() as u64 + 1;
    for leb128 in [
        &b"\xff\xff\xff\xff\x1f"[..], // a bit beyond the 32nd
        b"\x80\x80\x80\x80\x10",      // that bit alone
        b"\x80\x80\x80\x80\x80\x00",  // a sixth byte
        b"\xff\xff\xff\xff\xff",      // no end
    ] {
        let bytes = [&before, &b"\0"[..], leb128].concat();
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_malformed() && !error.is_truncated(), "{error}");
        assert_eq!(error.offset(), Some(size), "{leb128:x?}");
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));

        // The same as the length of a custom section's name.
        let bytes = [&*before, &section(0, leb128)].concat();
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_malformed(), "{error}");
        assert_eq!(error.offset(), Some(size + 1), "{leb128:x?}");
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    }
}

#[test]
fn a_size_past_the_end_of_the_input_costs_only_what_lies_behind() {
    let before = module(&[custom("authors", "me")]);
    for size in [12, 300, 1 << 30, u32::MAX] {
        for lie in [
            [&b"\x00"[..], &leb128(size), b"\x04note"].concat(), // data of no interest
            [&b"\x00"[..], &leb128(size), b"\x08licensesMI"].concat(), // data that is wanted
            [&b"\x0a"[..], &leb128(size), b"\x01"].concat(),     // code
            [&b"\x00"[..], &leb128(size.max(90)), b"\x50no"].concat(), // a name that breaks off
            [&b"\x7f"[..], &leb128(size)[..]].concat(),          // nothing follows
        ] {
            let bytes = [&before, &*lie].concat();
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
fn a_child_past_its_parent_inside_the_file() {
    let mut inner = component(&[custom("authors", "inner")]);
    inner.extend(b"\x00\x20\x04note"); // 0x20 bytes, of which the parent has 5
    let behind = custom("vendor", "v".repeat(100));
    let bytes = component(&[custom("authors", "outer"), nested(&inner), behind]);
    let (metadata, error) = partial(&bytes, Limits::default());
    assert!(error.is_malformed() && !error.is_truncated(), "{error}");
    assert_eq!(error.path().to_string(), "0");
    let inner_end = metadata.items()[1].end().unwrap();
    assert_eq!(error.offset(), Some(inner_end - 6), "the size field");
    assert_eq!(text(metadata.root(), Field::Authors), Some("outer"));
    assert_eq!(text(&metadata.items()[1], Field::Authors), Some("inner"));
    assert_eq!(metadata.root().annotation(Field::Vendor), None, "lies behind the break");
}
