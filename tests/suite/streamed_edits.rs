//! Streamed edits produce the bytes of the planned edit.

use bytes::Bytes;
use sectile::edit::{Edit, EditError, StreamEdit};
use sectile::{Error, Glob, Limits};

use sectile_testing::binary::{component, custom, module, name, nested, section};
use sectile_testing::bodies::run_stream_edit;
use sectile_testing::files::real_files;
use sectile_testing::memory::measure;
use sectile_testing::seeded::Seeded;

const CHUNKS: [&[usize]; 6] = [&[1], &[2], &[7, 1, 0, 64], &[13], &[4096], &[usize::MAX]];

fn glob(pattern: &str) -> Glob {
    pattern.parse().unwrap()
}

#[track_caller]
fn agrees(bytes: &[u8], patterns: &[&str], what: &str) {
    let mut stream_edit = StreamEdit::new().append("revision", "4f1c").unwrap().append("note", [0; 300]).unwrap();
    let mut edit = Edit::new().append("revision", "4f1c").unwrap().append("note", [0; 300]).unwrap();
    for pattern in patterns {
        stream_edit = stream_edit.remove_matching(glob(pattern));
        edit = edit.remove_matching(glob(pattern));
    }
    let expected = edit.plan_slice(bytes).map(|planned| planned.plan().to_vec(bytes).unwrap());
    let bytes = Bytes::copy_from_slice(bytes);
    for sizes in CHUNKS {
        match (run_stream_edit(&stream_edit, &bytes, sizes), &expected) {
            (Ok(passed), Ok(expected)) => assert!(passed == *expected, "{what} in chunks of {sizes:?}"),
            (Err(EditError::MovesLinked), _) => {} // a stream is refused more often, because later sections are unknown
            (passed, expected) => assert!(passed.is_err() && expected.is_err(), "{what}: {passed:?} {expected:?}"),
        }
    }
    let forced = edit.force().plan_slice(&bytes);
    if let Ok(planned) = forced {
        let passed = run_stream_edit(&stream_edit.force(), &bytes, &[5, 1000]).unwrap();
        assert!(passed == planned.plan().to_vec(&bytes).unwrap(), "{what}, forced");
    }
}

#[test]
fn streamed_edits_of_real_files_match_planned_edits() {
    for (name, bytes) in real_files() {
        for patterns in [&[][..], &["*"], &[".debug_*", "producers"], &["name"], &["nothing"]] {
            agrees(&bytes, patterns, &name);
        }
    }
}

#[test]
fn streamed_edits_of_generated_files_match_planned_edits() {
    let long = "é".repeat(3000);
    for seed in 0..300 {
        let mut random = Seeded::new(seed);
        let mut sections = Vec::new();
        for _ in 0..random.below(8) {
            sections.push(match random.below(7) {
                0 => custom("a", vec![0; random.below(300)]),
                1 => custom("b", "x"),
                2 => custom(&long, "y"),
                3 => custom("name", name("n")),
                4 => nested(&module(&[custom("a", "stays"), section(1, &[0])])),
                5 => nested(&component(&[custom("a", "stays"), nested(&module(&[]))])),
                _ => section(2, &vec![0; random.below(2000)]),
            });
        }
        let mut bytes = component(&sections);
        if seed % 3 == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        agrees(&bytes, [&["a"][..], &["a", "b"], &["*"], &["é*"]][seed as usize % 4], &format!("seed {seed}"));
    }
}

#[test]
fn sections_with_a_required_position_are_refused() {
    for name in ["name", "component-name", "producers", "dylink.0", "signature"] {
        let error = StreamEdit::new().append(name, "x").unwrap_err();
        assert!(matches!(&error, EditError::Placed(placed) if placed == name), "{error}");
    }
    for name in ["", "nul\0", &"x".repeat(100_001)] {
        assert!(StreamEdit::new().append(name, "x").is_err());
    }
}

#[test]
fn linker_sections_move_only_with_force() {
    for sections in [[custom("a", "x"), custom("linking", "y")], [custom("linking", "y"), custom("a", "x")]] {
        let bytes = Bytes::from(module(&sections));
        let edit = StreamEdit::new().remove("a");
        assert!(matches!(run_stream_edit(&edit, &bytes, &[1]), Err(EditError::MovesLinked)));
        assert_eq!(run_stream_edit(&edit.force(), &bytes, &[1]).unwrap(), module(&[custom("linking", "y")]));
    }
}

#[test]
fn an_error_is_repeated() {
    let mut stream_edit = StreamEdit::new().begin();
    let message = |error: EditError| match error {
        EditError::Source(error) => Error::to_string(&error),
        error => error.to_string(),
    };
    let first = message(stream_edit.push(&Bytes::from_static(b"no wasm at all")).map(|_| ()).unwrap_err());
    assert_eq!(message(stream_edit.push(&Bytes::new()).map(|_| ()).unwrap_err()), first);
    assert_eq!(message(stream_edit.finish().unwrap_err()), first);

    let bytes = Bytes::from(module(&[custom("a", "x"), custom("linking", "y")]));
    let mut stream_edit = StreamEdit::new().remove("a").begin();
    assert!(matches!(stream_edit.push(&bytes).map(|_| ()), Err(EditError::MovesLinked)));
    assert!(matches!(stream_edit.push(&Bytes::new()).map(|_| ()), Err(EditError::MovesLinked)));
    assert!(matches!(stream_edit.finish(), Err(EditError::MovesLinked)));
}

#[test]
fn streamed_bytes_are_neither_buffered_nor_copied() {
    let bytes = Bytes::from(module(&[custom("a", vec![1; 1_000_000]), section(11, &vec![0; 5_000_000])]));
    let mut stream_edit = StreamEdit::new().remove("a").append("b", "x").unwrap().begin();
    let mut passed = 0;
    let ((), allocated) = measure(|| {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(16 << 10));
            for piece in stream_edit.push(&chunk).unwrap() {
                passed += piece.len();
                assert!(bytes.as_ptr_range().contains(&piece.as_ptr()));
            }
        }
    });
    assert_eq!(passed, bytes.len() - custom("a", vec![1; 1_000_000]).len());
    assert!(allocated.total < 2000, "{allocated:?}");
}

#[test]
fn limits_apply_to_the_input() {
    let bytes = Bytes::from(component(&[custom("a", "1"), nested(&module(&[])), custom("b", "2")]));
    let edit = StreamEdit::new().remove("a");
    for limits in [Limits { max_items: 1, ..Limits::default() }, Limits { max_sections: 2, ..Limits::default() }] {
        let limited = edit.clone().with_limits(limits);
        for size in [1, 7, bytes.len()] {
            let error = run_stream_edit(&limited, &bytes, &[size]).unwrap_err();
            assert!(matches!(&error, EditError::Source(source) if source.is_limit()), "{error}");
        }
        let planned = Edit::new().remove("a").unwrap().with_limits(limits).plan_slice(&bytes).unwrap_err();
        assert_eq!(run_stream_edit(&limited, &bytes, &[7]).unwrap_err().to_string(), planned.to_string());
    }
    let exact = Limits { max_items: 2, max_sections: 3, ..Limits::default() };
    assert!(
        run_stream_edit(&edit.clone().with_limits(exact), &bytes, &[7]).unwrap()
            == run_stream_edit(&edit, &bytes, &[7]).unwrap()
    );
}
