//! Streamed edits in any chunks produce the bytes of the planned edit.

use arbitrary::Unstructured;
use bytes::Bytes;

use sectile::Glob;
use sectile::edit::{Edit, EditError, StreamEdit};

use super::generate;

/// Bytes of the fuzz input that choose the edit and the chunks. The rest is the binary.
const CONTROLS: usize = 8;

/// Streams the binary through an edit chosen by the control bytes.
///
/// # Panics
///
/// The streamed edit differs from the planned edit.
pub fn stream_edits(input: &[u8]) {
    let Some((controls, rest)) = input.split_first_chunk::<CONTROLS>() else { return };
    let [kind, pattern, flags, sizes @ ..] = controls;
    let bytes = match kind % 2 {
        0 => rest.to_vec(),
        _ => generate::binary(&mut Unstructured::new(rest)),
    };
    // The last size is never 0, so that the loop ends.
    let sizes: Vec<usize> = sizes.iter().map(|size| usize::from(*size)).chain([1 + usize::from(*flags)]).collect();
    let bytes = Bytes::from(bytes);
    edited(&bytes, &sizes, *pattern, flags & 1 != 0);
}

/// The bytes after a streamed edit with chunks of these sizes, repeated. At least one size must not
/// be 0.
pub fn run_stream_edit(edit: &StreamEdit, bytes: &Bytes, sizes: &[usize]) -> Result<Vec<u8>, EditError> {
    let mut editor = edit.begin();
    let mut output = Vec::new();
    for chunk in chunks(bytes, sizes) {
        editor.push(&chunk)?.for_each(|piece| output.extend(piece));
    }
    output.extend(editor.finish()?);
    Ok(output)
}

/// The chunks, in order.
fn chunks(bytes: &Bytes, sizes: &[usize]) -> impl Iterator<Item = Bytes> {
    let mut rest = bytes.clone();
    sizes.iter().cycle().map_while(move |size| {
        let next = rest.len().min(*size);
        (!rest.is_empty()).then(|| rest.split_to(next))
    })
}

fn edited(bytes: &Bytes, sizes: &[usize], pattern: u8, forced: bool) {
    const PATTERNS: [&str; 5] = ["*", "name", "producers", "*e*", "?"];
    let glob = Glob::new(PATTERNS[usize::from(pattern) % PATTERNS.len()]).expect("the patterns are valid");
    let edit = Edit::new().remove_matching(glob.clone()).append("revision", "x").expect("the value is valid");
    let stream_edit = StreamEdit::new().remove_matching(glob).append("revision", "x").expect("the value is valid");
    let (edit, stream_edit) = if forced { (edit.force(), stream_edit.force()) } else { (edit, stream_edit) };

    let planned = edit.plan_slice(bytes);
    let planned = planned.map(|planned| planned.plan().to_vec(bytes).expect("it was made for it"));
    match (run_stream_edit(&stream_edit, bytes, sizes), planned) {
        (Ok(output), Ok(planned)) => assert_eq!(output, planned),
        (Err(EditError::MovesLinked), _) if !forced => {}
        (Err(EditError::Source(streamed)), Err(EditError::Source(planned))) => {
            assert_eq!(streamed.to_string(), planned.to_string());
        }
        (streamed, planned) => panic!("{:?} {:?}", streamed.err(), planned.err()),
    }
}
