//! A document is `Send` and `Sync`, including its borrows. Checked by compiling.

use sectile_sbom::Sbom;

fn shared<T: Send + Sync>() {}

#[test]
fn documents_are_send_and_sync() {
    shared::<Sbom<'_>>();
}
