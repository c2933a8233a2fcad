//! What the benches share: inputs, and two sides timed in turn.
#![allow(dead_code)] // each bench uses a part

pub mod clusters;
pub mod duel;
pub mod inputs;
pub mod shapes;

use std::time::Duration;

use criterion::Criterion;

/// Shorter than criterion's own choice: a duel spends as much time again on the other side. The command line overrules it.
pub fn criterion() -> Criterion {
    let criterion = Criterion::default();
    criterion.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).configure_from_args()
}
