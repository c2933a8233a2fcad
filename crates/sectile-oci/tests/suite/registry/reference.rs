//! References.

use sectile_oci::registry::{Reference, ReferenceError};

use sectile_testing::seeded::Seeded;

fn parse(text: &str) -> Result<Reference, ReferenceError> {
    text.parse()
}

#[test]
fn references_are_parsed() {
    let digest = format!("sha256:{}", "0".repeat(64));
    for (text, registry, repository, tag) in [
        ("registry.example.com/app", "registry.example.com", "app", None),
        ("localhost/app:1", "localhost", "app", Some("1")),
        ("127.0.0.1:5000/a/b/c:v1.0_x-y", "127.0.0.1:5000", "a/b/c", Some("v1.0_x-y")),
        ("[::1]:5000/app", "[::1]:5000", "app", None),
        ("[fe80::1]/app", "[fe80::1]", "app", None),
        ("HOST/app", "HOST", "app", None),
        ("host:1/a__b/c.d/e---f/0", "host:1", "a__b/c.d/e---f/0", None),
        ("docker.io/library/app", "docker.io", "library/app", None),
    ] {
        let reference = parse(text).unwrap();
        assert_eq!((reference.registry(), reference.repository(), reference.tag()), (registry, repository, tag));
        assert_eq!(reference.to_string(), text);
        let with_digest = parse(&format!("{text}@{digest}")).unwrap();
        assert_eq!(with_digest.digest().unwrap().to_string(), digest);
        assert_eq!(with_digest, reference.with_digest(digest.parse().unwrap()));
    }
    for (text, canonical) in [
        ("docker.io/app:1", "docker.io/library/app:1"),
        ("index.docker.io/app", "docker.io/library/app"),
        ("index.docker.io/a/b", "docker.io/a/b"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), canonical);
    }
}

#[test]
fn invalid_references_have_a_reason() {
    let long = "a".repeat(256);
    for (text, part) in [
        ("", "has no registry"),
        ("app", "write HOST/app"),
        ("app:1.0", "write HOST/app:1.0"),
        ("team/app:1.0", "write HOST/team/app:1.0"),
        ("/app", "has no registry"),
        ("https://h.example/app", "not a valid registry host"),
        ("h.example:/app", "not a valid registry host"),
        ("h.example:0/app", "not a valid registry host"),
        ("h.example:65536/app", "not a valid registry host"),
        ("h.example:+1/app", "not a valid registry host"),
        ("-h.example/app", "not a valid registry host"),
        ("h..example/app", "not a valid registry host"),
        ("h_.example/app", "not a valid registry host"),
        ("me@h.example/app", "not a supported digest"),
        ("[::1/app", "not a valid registry host"),
        ("[::g]/app", "not a valid registry host"),
        ("[fe80::1%eth0]/app", "not a valid registry host"),
        ("::1/app", "not a valid registry host"),
        ("h.example/", "not a valid repository"),
        ("h.example/App", "not a valid repository"),
        ("h.example/a//b", "not a valid repository"),
        ("h.example/a/", "not a valid repository"),
        ("h.example/../b", "not a valid repository"),
        ("h.example/a___b", "not a valid repository"),
        ("h.example/a..b", "not a valid repository"),
        ("h.example/a._b", "not a valid repository"),
        ("h.example/-a", "not a valid repository"),
        ("h.example/a b", "not a valid repository"),
        ("h.example/a?b", "not a valid repository"),
        ("h.example/é", "not a valid repository"),
        ("h.example/a:", "not a valid tag"),
        ("h.example/a:.b", "not a valid tag"),
        ("h.example/a:-b", "not a valid tag"),
        ("h.example/a:b/c", "not a valid tag"),
        ("h.example/a:b:c", "not a valid tag"),
        ("h.example/a@", "not a supported digest"),
        ("h.example/a@sha256:00", "not a supported digest"),
        ("h.example/a@sha512:00", "not a supported digest"),
        ("h.example/a@sha256:../../x", "not a supported digest"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert!(parse(&format!("h.example/{}", &long[1..])).is_ok());
    assert!(parse(&format!("h.example/{long}")).is_err());
    assert!(parse(&format!("h.example/a:{}", &long[..128])).is_ok());
    assert!(parse(&format!("h.example/a:{}", &long[..129])).is_err());
    assert!(parse(&format!("{long}.example/a")).is_err());
    assert!(parse(&"a/".repeat(1 << 20)).unwrap_err().to_string().len() < 1000);
}

/// Every accepted text is displayed unchanged and is safe in a URL.
#[test]
fn accepted_references_are_displayed_unchanged() {
    let alphabet =
        ["a", "B", "0", ".", ":", "/", "@", "-", "_", "[", "]", "%", "?", "#", " ", "..", "::1", "localhost", "é"];
    let mut seeded = Seeded::new(7);
    let mut taken = 0;
    for _ in 0..100_000 {
        let host: &str = seeded.pick(&["h.example/", ""]);
        let parts = 1 + seeded.below(10);
        let text = (0..parts).fold(host.to_owned(), |text, _| text + seeded.pick::<str>(&alphabet));
        let Ok(reference) = parse(&text) else { continue };
        taken += 1;
        assert_eq!(reference.to_string(), text);
        assert_eq!(parse(&reference.to_string()).unwrap(), reference);
        let is_plain =
            |part: &str| !part.contains(['?', '#', '%', '@', ' ', '[', '/']) && !matches!(part, "" | "." | "..");
        assert!(reference.repository().split('/').chain(reference.tag()).all(is_plain), "{text}");
    }
    assert!(taken > 500, "{taken}");
}
