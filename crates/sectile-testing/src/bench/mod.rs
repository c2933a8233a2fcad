//! Shared by the benches: inputs, and paired measurements of two sides.

pub mod inputs;
pub mod paired;
pub mod rounds;
pub use crate::shapes;

use std::time::Duration;

use criterion::Criterion;

/// Times below criterion's defaults, because a paired measurement spends the same time again on the
/// other side. The command line overrides them.
pub fn criterion() -> Criterion {
    let criterion = Criterion::default();
    criterion.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).configure_from_args()
}
