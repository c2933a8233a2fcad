//! Reports about stored images, each one line of JSON.

mod check;
mod layout;
#[cfg(feature = "registry")]
mod push;

pub use self::check::CheckReport;
pub use self::layout::LayoutReport;
#[cfg(feature = "registry")]
pub use self::push::PushReport;
