//! Public types of the crate are `Send` and `Sync`. Checked by compiling.

use sectile_remote::{Object, RemoteError};

fn shared<T: Send + Sync>() {}

#[test]
fn remote_objects_are_send_and_sync() {
    shared::<Object>();
    shared::<RemoteError>();
}
