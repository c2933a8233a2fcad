//! Thousands of generated modules and components, many with wrong sizes. The seeds are fixed, so
//! failures are reproducible.

use arbitrary::Unstructured;

use sectile_testing::bodies::{self, Verdict};
use sectile_testing::seeded::Seeded;

#[test]
fn generated_binaries_agree_with_the_reference() {
    const CASES: usize = 20_000;
    let mut seeded = Seeded::new(1);
    let mut verdicts = [0; 3];
    for _ in 0..CASES {
        let len = 40 + seeded.below(1_000);
        let fuel = seeded.bytes(len);
        let bytes = bodies::binary(&mut Unstructured::new(&fuel));
        verdicts[bodies::framing(&bytes) as usize] += 1;
    }
    // The generator must produce all of these.
    for verdict in [Verdict::Accepted, Verdict::BrokenBody, Verdict::Rejected] {
        assert!(verdicts[verdict as usize] > CASES / 40, "{verdict:?}: {verdicts:?}");
    }
}

#[test]
fn every_driver_agrees_on_generated_binaries() {
    let mut seeded = Seeded::new(2);
    for nth in 0..4_000 {
        let len = 60 + seeded.below(1_000);
        let mut input = seeded.bytes(len);
        // Structured input. Half of the cases use the default limits, so that the scan goes deeper.
        input[0] |= 1;
        if nth % 2 == 0 {
            input[2..10].fill(0);
        }
        bodies::drivers(&input);
    }
}
