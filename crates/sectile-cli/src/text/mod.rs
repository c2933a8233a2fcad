//! Text output. All text of the input goes through `Escaped` before it is written.

mod audit;
mod comparison;
mod digest;
mod edit;
mod explain;
mod image;
mod image_check;
mod interface;
mod layout;
mod metadata;
mod policy;
mod push_preview;
mod sections;
mod style;
mod value;
mod verdict;

pub use self::audit::write_summary;
pub use self::comparison::{write_comparison, write_counts, write_row_change};
pub use self::digest::write_digests;
pub use self::edit::write_edit;
pub use self::explain::{write_code_list, write_explanations};
pub use self::image::write_layout;
pub use self::image_check::write_image_check;
pub use self::layout::Layout;
pub use self::metadata::write_metadata;
pub use self::policy::write_policy_check;
pub use self::push_preview::write_push_preview;
pub use self::sections::SectionsList;
pub use self::style::counted;
pub use self::verdict::write_verdict;
