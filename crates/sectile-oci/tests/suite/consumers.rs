//! The rules of consumers: each is kept by a valid image, and broken by another.

use sectile::digest::Digest;
use sectile_oci::consumer::{Consumer, ImageCheck, RULES, RuleFinding};
use sectile_oci::{Locator, Selector};
use sectile_testing::images::{TestImage, gzip, loaded, refused, tar};
use serde_json::json;

/// Checks an image as a layout on disk.
pub fn check(image: &TestImage, consumers: &[Consumer]) -> ImageCheck {
    let directory = tempfile::tempdir().unwrap();
    let digest = image.write_layout(directory.path());
    ImageCheck::from_layout(&Locator::new(directory.path(), Selector::Digest(digest)), consumers).unwrap()
}

fn named(name: &str) -> Consumer {
    Consumer::ALL.into_iter().find(|consumer| consumer.name() == name).unwrap()
}

fn names(findings: &[RuleFinding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule().name).collect()
}

#[test]
fn each_consumer_loads_its_valid_images() {
    for (case, consumer, image) in loaded() {
        let consumer = named(consumer);
        let check = check(&image, &[consumer]);
        let verdict = &check.verdicts()[0];
        assert_eq!(verdict.loads(), Some(true), "{case}: {consumer:?}: {:?}", check.verdicts());
    }
}

#[test]
fn each_rule_is_broken_by_an_image_that_keeps_the_others() {
    let mut seen = Vec::new();
    for (rule, consumer, image) in refused() {
        let consumer = named(consumer);
        let check = check(&image, &[consumer]);
        let verdict = &check.verdicts()[0];
        let broken = names(verdict.broken());
        assert_eq!((verdict.loads(), &broken[..]), (Some(false), &[rule][..]), "{consumer:?}: {verdict:?}");
        seen.push((rule, consumer));
    }
    for rule in &RULES {
        for consumer in rule.consumers {
            assert!(seen.contains(&(rule.name, *consumer)), "no image breaks {} of {consumer:?}", rule.name);
        }
    }
}

#[test]
fn rules_that_cannot_be_checked_give_no_verdict() {
    let text = TestImage::ordinary().edit(|image| image.layers[0].1 = gzip(&tar(&[("srv/app.wasm", b"(module)")])));
    let zstd = TestImage::ordinary().edit(|image| image.layers[0].0 = "application/vnd.oci.image.layer.v1.tar+zstd");
    let archive = TestImage::spin()
        .edit(|image| image.layers[1].0 = "application/vnd.wasm.content.bundle.v1.tar+gzip")
        .edit_application(|application| {
            application["components"][0]["files"][0]["digest"] = json!(Digest::new(b"in the archive").to_string());
        });
    for (image, consumer, rule) in [
        (text, Consumer::Runwasi, "entrypoint-file"),
        (zstd, Consumer::Runwasi, "entrypoint-file"),
        (archive, Consumer::Spin, "file-layers"),
    ] {
        let check = check(&image, &[consumer]);
        let verdict = &check.verdicts()[0];
        assert_eq!((verdict.loads(), names(verdict.unchecked())), (None, vec![rule]), "{verdict:?}");
    }
}

#[test]
fn shapes_are_reported() {
    for (image, shape) in [
        (TestImage::cncf(), "cncf"),
        (TestImage::envoy(), "envoy"),
        (TestImage::compat(), "compat"),
        (TestImage::docker_compat(), "image"),
        (TestImage::spin(), "spin"),
        (TestImage::kubewarden(), "kubewarden"),
        (TestImage::runwasi(), "runwasi"),
        (TestImage::ordinary(), "image"),
        (TestImage::files(), "files"),
    ] {
        assert_eq!(check(&image, &[]).shape().unwrap().name, shape);
    }
    assert!(check(&TestImage::cncf().in_index(json!([null])), &[]).shape().is_none());
}
