//! The memory that a gate needs for one upload, for any input.

use sectile::FindingCode;
use sectile::metadata::Field;
use sectile_policy::Policy;
use sectile_policy::gate::{Gate, Refusal};

use sectile_testing::binary::{component, custom, leb128, module, name, nested, prefixed, producers, section, zlib};
use sectile_testing::memory::{Allocated, measure};

/// The bound that docs/guarantees.md states for one upload.
const MAX_PEAK: u64 = 16 << 20;

/// The bound if the policy has a rule on imports.
const MAX_PEAK_WITH_IMPORTS: u64 = 24 << 20;

type Upload = (&'static str, Vec<u8>);

/// Uploads that take much memory for their length, or exceed one of the limits.
fn hostile_uploads() -> Vec<Upload> {
    let items = |number: usize, sections: &[Vec<u8>]| component(&vec![nested(&module(sections)); number]);
    let text = |len: usize| "x".repeat(len);
    let long_name = |nth: usize| custom(&format!("\u{1}{nth:04}{}", text(90_000)), "");
    let keys: Vec<_> = (0..28_000).map(|nth| format!("\"{nth:x}\":0")).collect();
    let many_keys = custom("registry-metadata", format!("{{{}}}", keys.join(",")));
    let authors = [custom("authors", "a"), custom("authors", text(1_000)), custom("authors", "c")];
    vec![
        ("items", items(20_000, &[])),
        ("items with every section", items(3_000, &every_section())),
        ("items at every depth with findings", deep_findings()),
        ("names of items", items(3_000, &[custom("name", name(&text(5_000)))])),
        ("long names of sections", module(&(0..100).map(long_name).collect::<Vec<_>>())),
        ("values", items(5, &Field::ALL.map(|field| custom(field.section(), text(100_000))))),
        ("control characters", items(50, &[custom("description", "\u{1}".repeat(100_000))])),
        ("duplicate values", items(3_000, &authors)),
        ("producers", module(&vec![many_producers(); 20])),
        ("empty producers", module(&vec![custom("producers", ""); 200_000])),
        ("short links", module(&vec![custom("build_id", "\u{1}x"); 200_000])),
        ("short sections", module(&vec![custom("x", ""); 500_000])),
        ("packages", items(64, &[packages(&vec![PACKAGE; 8_000])])),
        ("references of packages", items(64, &[many_references()])),
        ("packages that inflate to more", items(64, &[custom(".dep-v0", zlib(" ".repeat(4 << 20)))])),
        ("keys of JSON", items(10, &[many_keys])),
        ("many kinds", many_kinds(&[])),
    ]
}

/// Uploads that take memory if a rule concerns imports.
fn hostile_interfaces() -> Vec<Upload> {
    let repeated =
        |id: u8, entry: &[u8], times: usize| section(id, &[leb128(times as u32), entry.repeat(times)].concat());
    let import = [&*prefixed(""), &*prefixed(""), b"\x00\x00"].concat();
    let long_import = [&*prefixed("x".repeat(10_000)), &*prefixed(""), b"\x00\x00"].concat();
    let export = [&*prefixed(""), b"\x00\x00"].concat();
    let component_import = [&b"\x00"[..], &*prefixed(""), b"\x01\x00"].concat();
    let declaration = [&b"\x04\x00"[..], &prefixed("a"), b"\x03\x01"].concat();
    let exporting_type = [&b"\x41"[..], &leb128(1_000), &declaration.repeat(1_000)].concat();
    vec![
        ("imports", module(&[repeated(2, &import, 2_000_000)])),
        ("long imports", module(&[repeated(2, &long_import, 700)])),
        ("exports", module(&[repeated(7, &export, 2_000_000)])),
        ("types", component(&vec![repeated(7, b"\x41\x00", 100_000); 20])),
        ("types with exports", component(&vec![repeated(7, &exporting_type, 30); 20])),
        ("many kinds", many_kinds(&[repeated(10, &component_import, 2_000_000)])),
    ]
}

/// A section of each name that the reader decodes, with a small value.
fn every_section() -> Vec<Vec<u8>> {
    let others = "name producers .dep-v0 registry-metadata build_id sourceMappingURL external_debug_info .debug_x \
        target_features dylink dylink.0 linking reloc.x metadata.code.x signature signature_delimiter \
        signature_wasmsign jwt wasmcloud_jwt component-type:x component-type package-docs __wasm_bindgen_unstable core \
        coremodules coreinstances corestack contractspecv0 contractmetav0 contractenvmetav0 runtime_version \
        runtime_apis cw_migrate_version";
    let names = Field::ALL.into_iter().map(Field::section).chain(others.split_whitespace());
    names.map(|name| custom(name, "\u{1}x")).collect()
}

/// Nested components, each with values that have findings of several codes.
fn deep_findings() -> Vec<u8> {
    let names = ["licenses", "source", "created", "producers", "name", "registry-metadata", ".dep-v0", "build_id"];
    let bad: Vec<u8> = names.iter().flat_map(|name| [custom(name, "\u{1}"), custom(name, b"\xff")].concat()).collect();
    (0..990).fold(module(&[]), |item, _| component(&[bad.clone(), section(0x7f, b""), nested(&item)]))
}

const PACKAGE: &str = r#"{"name":"","version":"0.0.0","source":""}"#;

fn packages(list: &[&str]) -> Vec<u8> {
    custom(".dep-v0", zlib(format!(r#"{{"packages":[{}]}}"#, list.join(","))))
}

/// One package that depends on another one as often as fits into its section.
fn many_references() -> Vec<u8> {
    let first = PACKAGE.replace('}', &format!(r#","dependencies":[{}]}}"#, vec!["1"; 262_000].join(",")));
    packages(&[&first, PACKAGE])
}

fn many_producers() -> Vec<u8> {
    let tools: Vec<_> = (0..36_000).map(|nth| format!("{nth:x}")).collect();
    let tools: Vec<_> = tools.iter().map(|tool| (&**tool, "")).collect();
    custom("producers", producers(&[("sdk", &tools)]))
}

/// As many items as permitted, and values of several kinds in them.
fn many_kinds(more: &[Vec<u8>]) -> Vec<u8> {
    let mut sections = vec![nested(&module(&every_section())); 1_990];
    sections.extend(vec![nested(&module(&[many_references()])); 3]);
    sections.extend(vec![nested(&module(&[many_producers()])); 6]);
    sections.extend_from_slice(more);
    component(&sections)
}

/// A policy that refuses no finding, so that everything is read.
fn lenient(rules: &str) -> Policy {
    let severities = FindingCode::ALL.map(|code| format!("{} = 'note'\n", code.name())).concat();
    Policy::parse("p", &format!("[severity]\n{severities}{rules}")).unwrap()
}

/// Pushes an upload to its end or its refusal. Writes the verdict of a refusal, as a server does.
fn upload(policy: &Policy, bytes: &[u8]) -> Result<(), Refusal> {
    let mut gate = Gate::new(policy.clone());
    let pushed = bytes.chunks(16 << 10).try_for_each(|chunk| gate.push(chunk));
    let result = pushed.and_then(|()| gate.finish().map(drop));
    if let Err(refusal) = &result {
        let report = refusal.report("upload".as_ref());
        let mut json = Vec::new();
        report.write_verdict_json(&refusal.verdict(&report), &mut json).unwrap();
    }
    result
}

#[track_caller]
fn assert_bounded(policy: &Policy, kind: &str, bytes: &[u8], max_peak: u64) {
    _ = upload(policy, &module(&every_section())); // allocates what lives as long as the process
    let ((), Allocated { peak, kept, .. }) = measure(|| drop(upload(policy, bytes)));
    assert!(peak <= max_peak, "{kind}: {peak} bytes at the peak");
    assert_eq!(kept, 0, "{kind}: not released");
}

#[test]
fn an_upload_takes_no_more_memory_than_its_bound() {
    for (kind, bytes) in hostile_uploads() {
        for policy in [lenient(""), lenient("[sections]\nnames = '*'"), Policy::default()] {
            assert_bounded(&policy, kind, &bytes, MAX_PEAK);
        }
    }
}

#[test]
fn an_interface_takes_no_more_memory_than_its_bound() {
    for (kind, bytes) in hostile_interfaces() {
        assert_bounded(&lenient("[imports]\nnames = 'y'\n"), kind, &bytes, MAX_PEAK_WITH_IMPORTS);
    }
}

/// A refused upload keeps what was read. Further bytes take no more memory.
#[test]
fn a_refusal_keeps_no_more_than_the_gate_did() {
    let (_, bytes) = hostile_uploads().remove(0);
    let (refusal, allocated) = measure(|| upload(&Policy::default(), &bytes).unwrap_err());
    assert!(refusal.to_string().contains("more than 2000 items"), "{refusal}");
    assert!(allocated.kept <= 2 << 20, "{allocated:?}");
    assert!(allocated.peak <= 2 << 20, "{allocated:?}");
}

#[test]
fn limits_that_a_policy_sets_replace_those_of_a_gate() {
    let items = |number: usize| component(&vec![nested(&module(&[])); number - 1]);
    let accepts = |limits: &str, bytes: &[u8]| upload(&Policy::parse("p", limits).unwrap(), bytes).is_ok();
    assert!(accepts("", &items(2_000)) && !accepts("", &items(2_001)));
    assert!(accepts("limits.items = 3_000", &items(3_000)) && !accepts("limits.items = 3_000", &items(3_001)));
    assert!(accepts("limits.depth = 5", &items(2_000)) && !accepts("limits.depth = 5", &items(2_001)));
}
