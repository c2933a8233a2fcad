//! The digest of a file, and of its content without custom sections.

use sectile::Glob;
use sectile::digest::{self, Digest, Digests};
use sectile::edit::{Edit, Strip};
use sectile::metadata::Field;
use sectile::{Limits, Outcome};

use sectile_testing::all_drivers;
use sectile_testing::binary::{COMPONENT, chain, component, custom, leb128, module, nested, padded, section};
use sectile_testing::bodies::{self, CONTROLS};
use sectile_testing::files::real_files;
use sectile_testing::seeded::Seeded;

fn digests(bytes: &[u8]) -> Outcome<Digests> {
    let digests = digest::compute_with(bytes, bytes.len() as u64, Limits::default());
    let of_file = sectile::Input::from_file(all_drivers::file(bytes)).unwrap().digests_with(Limits::default());
    let error = |outcome: &Outcome<Digests>| outcome.error().map(ToString::to_string);
    assert_eq!((of_file.value(), of_file.cost()), (digests.value(), digests.cost()), "a file");
    assert_eq!(error(&of_file), error(&digests), "a file");
    assert_eq!(digests.value().unwrap().file(), Digest::new(bytes));
    assert_eq!(digests.cost().bytes, bytes.len() as u64, "in one pass");
    digests
}

#[track_caller]
fn content(bytes: &[u8]) -> Digest {
    digests(bytes).complete().unwrap().content().unwrap()
}

/// An independent implementation of the documented content hash.
fn hashed(item: &[u8], out: &mut Vec<u8>) {
    let (preamble, mut rest) = item.split_at(8);
    out.extend(preamble);
    while let [id, after_id @ ..] = rest {
        let (mut size, mut width) = (0, 0);
        loop {
            size |= usize::from(after_id[width] & 0x7f) << (7 * width);
            width += 1;
            if after_id[width - 1] < 0x80 {
                break;
            }
        }
        let (payload, next) = after_id[width..].split_at(size);
        rest = next;
        match id {
            0 => {}
            1 | 4 if preamble == COMPONENT => {
                out.push(*id);
                hashed(payload, out);
            }
            _ => {
                out.push(*id);
                out.extend((size as u32).to_le_bytes());
                out.extend(payload);
            }
        }
    }
    out.push(0);
}

fn expected(bytes: &[u8]) -> Digest {
    let mut out = Vec::new();
    hashed(bytes, &mut out);
    Digest::new(&out)
}

#[test]
fn content_digest_follows_its_documentation() {
    for (name, bytes) in real_files() {
        assert_eq!(content(&bytes), expected(&bytes), "{name}");
    }
    let large = module(&[section(1, &vec![7; 1 << 20]), custom("note", vec![1; 300_000]), section(11, &[])]);
    assert_eq!(content(&large), expected(&large));
    assert_eq!(content(&component(&[])), Digest::new(&[&COMPONENT[..], &[0]].concat()));
}

#[test]
fn edits_of_custom_sections_keep_the_content_digest() {
    let mut seeded = Seeded::new(11);
    let mut done = 0;
    for (name, source) in real_files().iter().filter(|(_, source)| source.len() < 60_000) {
        let before = content(source);
        for _ in 0..10 {
            let mut controls = seeded.bytes(CONTROLS);
            controls[0] = 0; // the unchanged source
            let Some(edited) = bodies::plans(&[&controls, &source[..]].concat()) else { continue };
            done += usize::from(edited.bytes != edited.source);
            assert_eq!(content(&edited.bytes), before, "{name}");
        }
    }
    assert!(done > 20, "{done}");
}

#[test]
fn edits_of_nested_items_keep_the_content_digest() {
    let inner = module(&[section(1, b"types"), custom("a", b"b")]);
    let tree = component(&[nested(&component(&[nested(&inner), section(7, b"x")])), custom("c", b"d")]);
    let deepest = || Edit::new().at("0/0".parse().unwrap());
    let edits = [
        deepest().set(Field::Vendor, "v").unwrap(),
        deepest().put("note", vec![0; 100_000]).unwrap(), // the size field grows from one byte to three
        deepest().remove("a").unwrap(),
        deepest().remove_matching(Glob::new("*").unwrap()),
        deepest().name("n").unwrap().add_producer("sdk", "s", "1"),
        Edit::new().strip(Strip::new().all().names()),
    ];
    for edit in edits {
        let plan = edit.plan_slice(&tree).unwrap();
        let edited = plan.plan().to_vec(&tree).unwrap();
        assert_ne!(edited, tree);
        assert_eq!(content(&edited), content(&tree));
        assert_ne!(digests(&edited).value().unwrap().file(), digests(&tree).value().unwrap().file());
    }
    // The width of size fields is not part of the content.
    let wide = [&COMPONENT[..], &[4], &padded(8, 5), &COMPONENT].concat();
    assert_eq!(content(&wide), content(&component(&[nested(&COMPONENT)])));
}

#[test]
fn content_digest_covers_all_but_custom_sections() {
    let inner = module(&[section(1, b"types"), custom("a", b"b"), section(10, b"code")]);
    let tree = component(&[section(7, b"x"), nested(&inner), custom("c", b"d"), section(11, b"export")]);
    let before = content(&tree);
    let (mut same, mut other) = (0, 0);
    for at in 0..tree.len() {
        let mut changed = tree.clone();
        changed[at] ^= 1;
        let outcome = digest::compute_with(&changed[..], changed.len() as u64, Limits::default());
        let Some(digests) = outcome.value() else {
            assert!(outcome.error().unwrap().is_not_wasm());
            continue;
        };
        match digests.content() {
            Some(content) if content == before => same += 1,
            Some(_) => other += 1,
            None => {}
        }
    }
    // Names, lengths and data of the two custom sections.
    assert_eq!(same, 6);
    assert!(other >= 20, "{other}");
}

/// Pairs that a hash of only the payloads would not tell apart.
#[test]
fn differently_divided_payloads_have_different_digests() {
    let module_of = |sections: &[(u8, &[u8])]| {
        let sections: Vec<_> = sections.iter().map(|(id, payload)| section(*id, payload)).collect();
        module(&sections)
    };
    let pairs = [
        (module_of(&[(1, b"ab")]), module_of(&[(1, b"a"), (3, b"b")])),
        (module_of(&[(1, b"")]), module_of(&[])),
        (module_of(&[(1, b"a")]), module_of(&[(2, b"a")])),
        (
            component(&[nested(&component(&[section(7, b"")])), section(7, b"")]),
            component(&[nested(&component(&[section(7, b""), section(7, b"")]))]),
        ),
        (component(&[nested(&component(&[])), nested(&component(&[]))]), component(&[nested(&chain(2, &COMPONENT))])),
        (component(&[nested(&module(&[]))]), component(&[nested(&component(&[]))])),
    ];
    for (one, other) in pairs {
        assert_ne!(content(&one), content(&other), "{one:x?} {other:x?}");
    }
}

#[test]
fn malformed_files_have_no_content_digest() {
    let broken = [&module(&[section(1, b"a")])[..], &[3], &leb128(100), b"short"].concat();
    let outcome = digests(&broken);
    assert_eq!((outcome.value().unwrap().content(), outcome.error().unwrap().is_truncated()), (None, true));
    let other = digest::compute_with(&b"\x7fELF...."[..], 8, Limits::default());
    assert!(other.value().is_none() && other.error().unwrap().is_not_wasm());
    let short = digest::compute_with(&module(&[])[..], 9, Limits::default());
    assert!(short.value().is_none() && short.error().unwrap().is_io(), "{short:?}");
    assert!(digest::compute(&broken[..], broken.len() as u64).unwrap_err().is_truncated());
}

#[test]
fn the_hasher_implements_write() {
    use std::io::Write;

    let mut hasher = digest::Hasher::new();
    for chunk in COMPONENT.chunks(3) {
        hasher.write_all(chunk).unwrap();
    }
    hasher.flush().unwrap();
    assert_eq!(hasher.finish(), Digest::new(&COMPONENT));
}

/// A digest of a file that changed during the read would describe no state of it.
#[test]
fn a_file_that_changes_during_the_read_has_no_digest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    std::fs::write(&path, COMPONENT).unwrap();
    let input = sectile::Input::open(&path).unwrap();
    std::fs::write(&path, &COMPONENT[..COMPONENT.len() - 1]).unwrap();
    assert_eq!(input.digests_with(Limits::default()).value(), None);
    let error = input.digests().unwrap_err();
    assert!(error.is_io() && error.to_string().contains("changed while it was read"), "{error}");
}
