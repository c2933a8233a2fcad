//! Public types of the crate are `Send` and `Sync`. Checked by compiling.

use sectile_oci::consumer::{ConsumerVerdict, ImageCheck, Rule, RuleFinding};
use sectile_oci::{AnnotationError, AnnotationOptions, Image, ImageDraft, ImageError, ImageOptions};
use sectile_oci::{Layout, LayoutError, LayoutImage};

fn shared<T: Send + Sync>() {}

macro_rules! all_shared {
    ($($type:ty),* $(,)?) => { $(shared::<$type>();)* };
}

#[test]
fn everything_is_send_and_sync() {
    all_shared!(AnnotationError, AnnotationOptions, Image, ImageDraft, ImageError, ImageOptions);
    all_shared!(Layout, LayoutError, LayoutImage);
    all_shared!(ConsumerVerdict, ImageCheck, Rule, RuleFinding);
}

#[cfg(feature = "registry")]
#[test]
fn registry_clients_are_send_and_sync() {
    use sectile_oci::registry::{Client, CredentialFile, Credentials, RegistryError, RegistryHost, RegistryImage};

    all_shared!(Client, CredentialFile, Credentials, RegistryError, RegistryHost, RegistryImage);
}
