//! Reports about stored images, each one line of JSON.

mod layout;
#[cfg(feature = "registry")]
mod push;

pub use self::layout::LayoutReport;
#[cfg(feature = "registry")]
pub use self::push::PushReport;
