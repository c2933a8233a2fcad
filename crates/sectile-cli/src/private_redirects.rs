//! Whether servers may redirect the command to private network addresses.

use std::env;

/// Whether the environment allows it. An organization's registry may keep its blobs on another
/// private host.
pub fn are_allowed() -> bool {
    env::var_os("SECTILE_PRIVATE_REDIRECTS").is_some_and(|value| value == "1")
}
