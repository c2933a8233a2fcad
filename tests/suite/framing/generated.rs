//! Modules and components that lie, by the thousand. The seeds are fixed: what fails here, fails again.

use arbitrary::Unstructured;

use crate::fuzz_bodies::bodies::{self, Verdict};
use crate::support::seeded::Seeded;

#[test]
fn modules_and_components_that_lie() {
    const CASES: usize = 20_000;
    let mut seeded = Seeded::new(1);
    let mut verdicts = [0; 3];
    for _ in 0..CASES {
        let len = 40 + seeded.below(1_000);
        let fuel = seeded.bytes(len);
        let bytes = bodies::binary(&mut Unstructured::new(&fuel));
        verdicts[bodies::framing(&bytes) as usize] += 1;
    }
    // The generator is worth something only if all of these come up.
    for verdict in [Verdict::Accepted, Verdict::BrokenBody, Verdict::Rejected] {
        assert!(verdicts[verdict as usize] > CASES / 40, "{verdict:?}: {verdicts:?}");
    }
}

#[test]
fn every_driver_and_the_metadata_of_what_lies() {
    let mut seeded = Seeded::new(2);
    for nth in 0..4_000 {
        let len = 60 + seeded.below(1_000);
        let mut input = seeded.bytes(len);
        // Structured; and half of the time within the default limits, which lets a reading go deeper.
        input[0] |= 1;
        if nth % 2 == 0 {
            input[2..10].fill(0);
        }
        bodies::drivers(&input);
    }
}
