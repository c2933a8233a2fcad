//! Uploads in any chunks: what is edited as it passes is what the planned edit makes of the whole, and the gate says what the
//! policy says of the whole.

use arbitrary::Unstructured;
use bytes::Bytes;

use sectile::Limits;
use sectile::edit::{Edit, EditError, Glob, PassingEdit};

use super::generate;

/// Bytes of an input to the body that say how it passes. The others are what passes.
const CONTROLS: usize = 8;

/// Passes what the input says, as the input says.
///
/// # Panics
///
/// What passes depends on the chunks, or is judged otherwise than the whole.
pub fn passing(input: &[u8]) {
    let Some((controls, rest)) = input.split_first_chunk::<CONTROLS>() else { return };
    let [kind, pattern, flags, sizes @ ..] = controls;
    let bytes = match kind % 2 {
        0 => rest.to_vec(),
        _ => generate::binary(&mut Unstructured::new(rest)),
    };
    // The last is never 0, or there would be no end.
    let sizes: Vec<usize> = sizes.iter().map(|size| usize::from(*size)).chain([1 + usize::from(*flags)]).collect();
    let bytes = Bytes::from(bytes);
    edited(&bytes, &sizes, *pattern, flags & 1 != 0);
    #[cfg(feature = "gate")]
    judged(&bytes, &sizes, flags & 2 != 0);
}

/// What comes of an input that passes in chunks of these sizes, again and again; one of them is not 0.
pub fn pass(edit: &PassingEdit, bytes: &Bytes, sizes: &[usize]) -> Result<Vec<u8>, EditError> {
    let mut passing = edit.begin(Limits::default());
    let mut passed = Vec::new();
    for chunk in chunks(bytes, sizes) {
        passing.push(&chunk)?.for_each(|piece| passed.extend(piece));
    }
    passed.extend(passing.finish()?);
    Ok(passed)
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
    let glob = Glob::new(PATTERNS[usize::from(pattern) % PATTERNS.len()]).expect("they are patterns");
    let edit = Edit::new().remove_matching(glob.clone()).append("revision", "x").expect("it is sound");
    let passing = PassingEdit::new().remove_matching(glob).append("revision", "x").expect("it is sound");
    let (edit, passing) = if forced { (edit.force(), passing.force()) } else { (edit, passing) };

    let planned = edit.plan_slice(bytes, Limits::default());
    let planned = planned.map(|planned| planned.plan.to_vec(bytes).expect("it was made for it"));
    match (pass(&passing, bytes, sizes), planned) {
        (Ok(passed), Ok(planned)) => assert_eq!(passed, planned),
        (Err(EditError::MovesLinked), _) if !forced => {}
        (Err(EditError::Source(passed)), Err(EditError::Source(planned))) => {
            assert_eq!(passed.to_string(), planned.to_string());
        }
        (passed, planned) => panic!("{:?} {:?}", passed.err(), planned.err()),
    }
}

#[cfg(feature = "gate")]
fn judged(bytes: &Bytes, sizes: &[usize], declared: bool) {
    use sectile::digest::Digest;
    use sectile::gate::Gate;
    use sectile::policy::{self, Policy};
    use sectile::report::Report;

    let policy = Policy::default();
    let reading = policy::read_slice(bytes, &policy);
    let fits = policy.judge(&Report::of_reading("".as_ref(), None, &reading)).is_accepted();
    let mut gate = Gate::new(policy);
    if declared {
        gate = gate.declared(bytes.len() as u64);
    }
    let early = chunks(bytes, sizes).find_map(|chunk| gate.push(&chunk).err());
    match (gate.finish(), early) {
        (Ok(accepted), None) => {
            assert!(fits);
            assert_eq!((accepted.digest, accepted.size), (Digest::of(bytes), bytes.len() as u64));
            assert_eq!(accepted.metadata(), &reading.expect("it fits").value.metadata);
        }
        (Ok(_), Some(early)) => panic!("accepted after {early}"),
        (Err(refused), early) => {
            assert!(!fits, "{refused}");
            assert!(early.is_none_or(|early| early.to_string() == refused.to_string()));
        }
    }
}
