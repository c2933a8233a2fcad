//! Whether servers may send the command to addresses of private networks.

use std::env;

/// Whether the environment allows it. A registry within an organization may keep its blobs on another host there.
pub fn are_allowed() -> bool {
    env::var_os("SECTILE_PRIVATE_REDIRECTS").is_some_and(|value| value == "1")
}
