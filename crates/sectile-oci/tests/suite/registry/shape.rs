//! Images of every shape, pushed to a registry and checked there; previews of a push.

use sectile_oci::WrittenShape;
use sectile_oci::consumer::Consumer;
use sectile_oci::registry::Reference;
use sectile_testing::binary::{custom, module};
use sectile_testing::registry::{Registry, start};

use super::super::Fixture;
use super::anonymous;
use sectile_oci::{Image, ImageOptions};

#[test]
fn every_shape_is_pushed_and_checked_by_requests_for_its_parts() {
    for (shape, consumer) in [
        (WrittenShape::Cncf, Consumer::Cncf),
        (WrittenShape::Envoy, Consumer::Istio),
        (WrittenShape::Compat, Consumer::Envoy),
    ] {
        let (server, registry) = start(Registry::default(), |_| None);
        // The layer is larger than one request for a part of it.
        let noise: Vec<u8> = (0..3_u64 << 20).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
        let fixture = Fixture::new(&module(&[custom("noise", noise)]));
        let (input, plan) = fixture.input();
        let image = Image::new(&input, &plan, &ImageOptions { shape, ..Default::default() }).unwrap();
        let reference: Reference = format!("{}/app:1", server.address).parse().unwrap();
        let preview = anonymous().preview_push(&reference, &image, &plan, &input).unwrap();
        assert_eq!((preview.previous(), preview.is_new(), preview.sent().len()), (None, true, 2));
        assert!(registry.lock().unwrap().blobs.is_empty(), "a preview sends nothing");
        let pushed = anonymous().push(&reference, &image, &plan, &input, &mut |_, _| {}).unwrap();
        assert_eq!((pushed.sent(), pushed.bytes_sent()), (preview.sent(), preview.bytes_sent()));

        let check = anonymous().check(&reference, &[consumer]).unwrap();
        assert_eq!(check.verdicts()[0].loads(), Some(true), "{check:?}");
        assert_eq!(check.digest(), image.descriptor().digest());
    }
}

#[test]
fn a_tag_that_moves_is_reported() {
    let (server, _registry) = start(Registry::default(), |_| None);
    let reference: Reference = format!("{}/app:1", server.address).parse().unwrap();
    let push = |bytes: &[u8]| {
        let fixture = Fixture::new(bytes);
        let (input, plan) = fixture.input();
        let image = Image::new(&input, &plan, &ImageOptions::default()).unwrap();
        let preview = anonymous().preview_push(&reference, &image, &plan, &input).unwrap();
        let pushed = anonymous().push(&reference, &image, &plan, &input, &mut |_, _| {}).unwrap();
        assert_eq!((preview.previous(), preview.moved_from()), (pushed.previous(), pushed.moved_from()));
        pushed
    };
    let (first, second) = (module(&[]), module(&[custom("vendor", "v")]));
    let pushed = push(&first);
    assert_eq!((pushed.previous(), pushed.moved_from()), (None, None));
    let again = push(&first);
    assert_eq!((again.previous(), again.moved_from()), (Some(pushed.descriptor().digest()), None));
    assert_eq!(push(&second).moved_from(), Some(pushed.descriptor().digest()));
}

#[test]
fn a_tag_without_a_digest_in_the_response_is_hashed() {
    let (server, registry) = start(Registry::default(), |_| None);
    let reference: Reference = format!("{}/app:1", server.address).parse().unwrap();
    let fixture = Fixture::new(&module(&[]));
    let (input, plan) = fixture.input();
    let image = Image::new(&input, &plan, &ImageOptions::default()).unwrap();
    anonymous().push(&reference, &image, &plan, &input, &mut |_, _| {}).unwrap();
    let registry = std::mem::take(&mut *registry.lock().unwrap());
    let (server, _registry) = start(registry, |request| {
        let is_tag = request.method == "HEAD" && request.path.ends_with("/manifests/1");
        is_tag.then(|| sectile_testing::server::Reply::of(200))
    });
    let reference: Reference = format!("{}/app:1", server.address).parse().unwrap();
    let preview = anonymous().preview_push(&reference, &image, &plan, &input).unwrap();
    assert_eq!((preview.is_new(), preview.sent().len()), (false, 0));
}
