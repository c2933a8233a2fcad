//! The digest of a file, and of everything in it but custom sections.

use sectile::digest::{self, Digest, Digests};
use sectile::edit::{Edit, Glob, Strip};
use sectile::metadata::Field;
use sectile::{Limits, Outcome};

use crate::fuzz_bodies::bodies::{self, CONTROLS};
use crate::support::binary::{COMPONENT, chain, component, custom, leb128, module, nested, padded, section};
use crate::support::files::real_files;
use crate::support::mouths;
use crate::support::seeded::Seeded;

fn digests(bytes: &[u8]) -> Outcome<Digests> {
    let digests = digest::read_at(bytes, bytes.len() as u64, Limits::default()).unwrap();
    let of_file = sectile::Input::of(mouths::file(bytes)).unwrap().digests(Limits::default()).unwrap();
    assert_eq!((of_file.value, of_file.cost), (digests.value, digests.cost), "a file");
    assert_eq!(digests.value.file, Digest::of(bytes));
    assert_eq!(digests.cost.bytes, bytes.len() as u64, "in one pass");
    digests
}

#[track_caller]
fn content(bytes: &[u8]) -> Digest {
    digests(bytes).complete().unwrap().content.unwrap()
}

/// What the documentation says is hashed, written out as another tool would.
fn hashed(item: &[u8], out: &mut Vec<u8>) {
    let (preamble, mut rest) = item.split_at(8);
    out.extend(preamble);
    while let [id, behind @ ..] = rest {
        let (mut size, mut width) = (0, 0);
        loop {
            size |= usize::from(behind[width] & 0x7f) << (7 * width);
            width += 1;
            if behind[width - 1] < 0x80 {
                break;
            }
        }
        let (payload, next) = behind[width..].split_at(size);
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
    Digest::of(&out)
}

#[test]
fn the_content_is_what_the_documentation_says() {
    for (name, bytes) in real_files() {
        assert_eq!(content(&bytes), expected(&bytes), "{name}");
    }
    let large = module(&[section(1, &vec![7; 1 << 20]), custom("note", vec![1; 300_000]), section(11, &[])]);
    assert_eq!(content(&large), expected(&large));
    assert_eq!(content(&component(&[])), Digest::of(&[&COMPONENT[..], &[0]].concat()));
}

#[test]
fn no_edit_of_custom_sections_shows() {
    let mut seeded = Seeded::new(11);
    let mut done = 0;
    for (name, source) in real_files().iter().filter(|(_, source)| source.len() < 60_000) {
        let before = content(source);
        for _ in 0..10 {
            let mut controls = seeded.bytes(CONTROLS);
            controls[0] = 0; // the source as it is
            let Some(edited) = bodies::plans(&[&controls, &source[..]].concat()) else { continue };
            done += usize::from(edited.bytes != edited.source);
            assert_eq!(content(&edited.bytes), before, "{name}");
        }
    }
    assert!(done > 20, "{done}");
}

#[test]
fn an_edit_deep_in_the_tree_does_not_show_however_sizes_grow() {
    let inner = module(&[section(1, b"types"), custom("a", b"b")]);
    let tree = component(&[nested(&component(&[nested(&inner), section(7, b"x")])), custom("c", b"d")]);
    let deepest = || Edit::new().at("0/0".parse().unwrap());
    let edits = [
        deepest().set(Field::Vendor, "v").unwrap(),
        deepest().put("note", vec![0; 100_000]).unwrap(), // three bytes of size where there was one
        deepest().remove("a").unwrap(),
        deepest().remove_matching(Glob::new("*").unwrap()),
        deepest().name("n").unwrap().add_producer("sdk", "s", "1"),
        Edit::new().strip(Strip::new().all().names()),
    ];
    for edit in edits {
        let plan = edit.plan_slice(&tree, Limits::default()).unwrap().plan;
        let edited = plan.to_vec(&tree).unwrap();
        assert_ne!(edited, tree);
        assert_eq!(content(&edited), content(&tree));
        assert_ne!(digests(&edited).value.file, digests(&tree).value.file);
    }
    // The size field's width is none of the content's.
    let wide = [&COMPONENT[..], &[4], &padded(8, 5), &COMPONENT].concat();
    assert_eq!(content(&wide), content(&component(&[nested(&COMPONENT)])));
}

#[test]
fn every_byte_that_is_no_custom_sections_shows() {
    let inner = module(&[section(1, b"types"), custom("a", b"b"), section(10, b"code")]);
    let tree = component(&[section(7, b"x"), nested(&inner), custom("c", b"d"), section(11, b"export")]);
    let before = content(&tree);
    let (mut same, mut other) = (0, 0);
    for at in 0..tree.len() {
        let mut changed = tree.clone();
        changed[at] ^= 1;
        // What is no longer WebAssembly has no content at all.
        let Ok(outcome) = digest::read_at(&changed[..], changed.len() as u64, Limits::default()) else { continue };
        match outcome.value.content {
            Some(content) if content == before => same += 1,
            Some(_) => other += 1,
            None => {}
        }
    }
    // The two custom sections' names, their lengths, and data, and nothing else.
    assert_eq!(same, 6);
    assert!(other >= 20, "{other}");
}

/// Pairs that a hash of nothing but payloads would take for the same.
#[test]
fn what_is_divided_otherwise_is_other_content() {
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
fn a_broken_file_has_a_digest_and_its_content_none() {
    let broken = [&module(&[section(1, b"a")])[..], &[3], &leb128(100), b"short"].concat();
    let outcome = digests(&broken);
    assert_eq!((outcome.value.content, outcome.broken.unwrap().is_truncated()), (None, true));
    let error = digest::read_at(&b"\x7fELF...."[..], 8, Limits::default()).unwrap_err();
    assert!(error.is_not_wasm());
    let short = digest::read_at(&module(&[])[..], 9, Limits::default()).unwrap_err();
    assert!(short.is_io(), "{short}");
}

#[test]
fn a_hasher_may_be_written_into() {
    use std::io::Write;

    let mut hasher = digest::Hasher::new();
    for chunk in COMPONENT.chunks(3) {
        hasher.write_all(chunk).unwrap();
    }
    hasher.flush().unwrap();
    assert_eq!(hasher.finish(), Digest::of(&COMPONENT));
}

/// What was read of a file that is changed meanwhile is the digest of nothing that ever stood there.
#[test]
fn of_a_file_that_is_changed_meanwhile_there_is_no_digest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    std::fs::write(&path, COMPONENT).unwrap();
    let input = sectile::Input::open(&path).unwrap();
    std::fs::write(&path, &COMPONENT[..COMPONENT.len() - 1]).unwrap();
    let error = input.digests(Limits::default()).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("was changed while it was read"), "{error}");
}
