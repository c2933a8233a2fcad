//! Uploads in any chunks: the gate accepts an upload if and only if the policy accepts the whole.

use arbitrary::Unstructured;
use sectile::digest::Digest;
use sectile_policy::Policy;
use sectile_policy::gate::Gate;
use sectile_policy::report::Report;
use sectile_testing::bodies::binary;

/// Bytes of an input that control the upload. The others are its content.
const CONTROLS: usize = 8;

/// Pushes an upload through a gate in chunks, with or without a declared length.
///
/// # Panics
///
/// The gate decides otherwise than the policy about the whole, or revokes a refusal.
pub fn gate(input: &[u8]) {
    let Some((controls, rest)) = input.split_first_chunk::<CONTROLS>() else { return };
    let [kind, _, flags, sizes @ ..] = controls;
    let bytes = match kind % 2 {
        0 => rest.to_vec(),
        _ => binary(&mut Unstructured::new(rest)),
    };
    // The last size is never 0: the chunks would not end.
    let sizes: Vec<usize> = sizes.iter().map(|size| usize::from(*size)).chain([1 + usize::from(*flags)]).collect();
    upload(&bytes, &sizes, flags & 2 != 0);
}

fn upload(bytes: &[u8], sizes: &[usize], declared: bool) {
    let mut policy = Policy::default();
    policy.limits = Gate::LIMITS; // those that the gate reads with
    let outcome = sectile_policy::read_slice(bytes, &policy);
    let is_accepted = policy.judge(&Report::for_policy("".as_ref(), None, &outcome)).is_accepted();
    let mut gate = Gate::new(policy);
    if declared {
        gate = gate.with_declared_len(bytes.len() as u64);
    }
    let early = chunks(bytes, sizes).find_map(|chunk| gate.push(chunk).err());
    match (gate.finish(), early) {
        (Ok(accepted), None) => {
            assert!(is_accepted);
            assert_eq!((accepted.digest(), accepted.size()), (Digest::new(bytes), bytes.len() as u64));
            assert_eq!(Some(accepted.reading()), outcome.value());
        }
        (Ok(_), Some(early)) => panic!("accepted after {early}"),
        (Err(refusal), early) => {
            assert!(!is_accepted, "{refusal}");
            assert!(early.is_none_or(|early| early.to_string() == refusal.to_string()));
        }
    }
}

/// The chunks of these sizes, again and again.
fn chunks<'b>(bytes: &'b [u8], sizes: &[usize]) -> impl Iterator<Item = &'b [u8]> {
    let mut rest = bytes;
    sizes.iter().cycle().map_while(move |size| {
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        let is_left = !rest.is_empty();
        rest = behind;
        is_left.then_some(chunk)
    })
}
