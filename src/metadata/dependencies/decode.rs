//! Inflates the section and parses its JSON, within limits.

use std::collections::HashSet;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Package;
use crate::finding::FindingCode;
use crate::metadata::check::{ValueError, has_controls};
use crate::metadata::json::{DuplicateKeys, KeyWalker};

/// Decodes the packages, inflating at most `limit` bytes. Passes errors to `report`. Adds the
/// number of inflated bytes to `inflated`, even on errors.
pub(crate) fn decode(data: &[u8], limit: u32, inflated: &mut u64, mut report: impl FnMut(ValueError)) -> Vec<Package> {
    let packages = inflate(data, limit as usize, inflated).and_then(|(json, trailing)| {
        if trailing > 0 {
            report(malformed(format!("{trailing} extra bytes after the compressed data")));
        }
        parse(&json, &mut report)
    });
    match packages {
        Ok(packages) => {
            let is_deceptive =
                |package: &Package| has_controls(&package.name, false) || has_controls(&package.source, false);
            if packages.iter().any(is_deceptive) {
                let message = "control or bidirectional characters in a package's name or source".to_owned();
                report(ValueError { code: FindingCode::ControlCharacters, message });
            }
            packages
        }
        Err(error) => {
            report(error);
            Vec::new()
        }
    }
}

fn malformed(message: impl Into<String>) -> ValueError {
    ValueError { code: FindingCode::MalformedDependencies, message: message.into() }
}

/// Inflates one zlib stream. Returns the output and the number of bytes after the stream. The
/// output buffer grows with the inflated data, up to the limit.
fn inflate(data: &[u8], limit: usize, inflated: &mut u64) -> Result<(Vec<u8>, usize), ValueError> {
    use miniz_oxide::inflate::TINFLStatus;
    use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

    const FLAGS: u32 =
        inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;

    let mut state = Box::<DecompressorOxide>::default();
    let mut output = vec![0; data.len().saturating_mul(4).clamp(64, limit.max(64))];
    let (mut read, mut written) = (0, 0);
    loop {
        let (status, consumed, produced) = decompress(&mut state, &data[read..], &mut output, written, FLAGS);
        read += consumed;
        written += produced;
        *inflated += produced as u64;
        match status {
            TINFLStatus::Done if written <= limit => {
                output.truncate(written);
                return Ok((output, data.len() - read));
            }
            TINFLStatus::Done | TINFLStatus::HasMoreOutput if output.len() >= limit => {
                let message = format!("inflates to more than {limit} bytes");
                return Err(ValueError { code: FindingCode::TooLarge, message });
            }
            TINFLStatus::HasMoreOutput => output.resize((output.len() * 2).min(limit), 0),
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
                return Err(malformed("the compressed data is truncated"));
            }
            TINFLStatus::Adler32Mismatch => return Err(malformed("the zlib checksum does not match")),
            _ => return Err(malformed("the data is not zlib")),
        }
    }
}

/// Parses the inflated JSON. Passes errors that cost no package to `report`.
pub(super) fn parse(json: &[u8], report: impl FnMut(ValueError)) -> Result<Vec<Package>, ValueError> {
    use auditable_serde::DependencyKind;

    let PackageList { packages, duplicates, bad_format } =
        serde_json::from_slice(json).map_err(|error| malformed(format!("malformed JSON: {error}")))?;
    bad_format
        .map(|what| malformed(format!("`format` is {what}")))
        .into_iter()
        .chain(duplicates.errors())
        .for_each(report);
    let mut packages: Vec<Package> = packages
        .into_iter()
        .map(|mut package| {
            package.dependencies.shrink_to_fit();
            Package {
                name: package.name,
                version: package.version.to_string(),
                source: package.source.into(),
                build: package.kind == DependencyKind::Build,
                root: package.root,
                dependencies: package.dependencies,
            }
        })
        .collect();
    packages.shrink_to_fit();
    if packages.iter().filter(|package| package.root).count() > 1 {
        return Err(malformed("more than one root package"));
    }
    if packages.iter().flat_map(|package| &package.dependencies).any(|&index| index >= packages.len()) {
        return Err(malformed("a dependency on a missing package"));
    }
    if has_cycle(&packages) {
        return Err(malformed("circular dependencies between packages"));
    }
    Ok(packages)
}

/// The outermost object. cargo-auditable's own type is not used because its cycle check takes
/// quadratic time.
struct PackageList {
    packages: Vec<auditable_serde::Package>,
    /// Duplicate keys outside the packages.
    duplicates: DuplicateKeys,
    /// Description of an invalid `format`. The packages are read anyway.
    bad_format: Option<&'static str>,
}

/// Checks `format` without failing: a 32-bit unsigned integer, as in cargo-auditable's own reader.
struct FormatCheck<'a> {
    duplicates: &'a mut DuplicateKeys,
}

impl<'de> DeserializeSeed<'de> for FormatCheck<'_> {
    /// Description of an invalid value.
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FormatCheck<'_> {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a 32-bit unsigned integer")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).is_err().then_some("more than 32 bits"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Some("negative"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Some("not a 32-bit unsigned integer"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Some("a boolean"))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Some("a string"))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        KeyWalker { duplicates: self.duplicates }.visit_seq(list)?;
        Ok(Some("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        KeyWalker { duplicates: self.duplicates }.visit_map(map)?;
        Ok(Some("an object"))
    }
}

impl<'de> serde::Deserialize<'de> for PackageList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PackageListVisitor;

        impl<'de> Visitor<'de> for PackageListVisitor {
            type Value = PackageList;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with `packages`")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<PackageList, A::Error> {
                use serde::de::Error;
                let mut packages = None;
                let mut others = HashSet::new();
                let mut duplicates = DuplicateKeys::default();
                let mut bad_format = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key != "packages" {
                        if key == "format" {
                            let format = map.next_value_seed(FormatCheck { duplicates: &mut duplicates })?;
                            bad_format = bad_format.or(format);
                        } else {
                            map.next_value_seed(KeyWalker { duplicates: &mut duplicates })?;
                        }
                        if let Some(key) = others.replace(key) {
                            duplicates.add(key);
                        }
                    } else if packages.is_some() {
                        return Err(A::Error::duplicate_field("packages"));
                    } else {
                        packages = Some(map.next_value()?);
                    }
                }
                let packages = packages.ok_or_else(|| A::Error::missing_field("packages"))?;
                Ok(PackageList { packages, duplicates, bad_format })
            }
        }

        deserializer.deserialize_map(PackageListVisitor)
    }
}

/// Kahn's algorithm: removes packages without remaining dependencies; any packages left form a
/// cycle.
fn has_cycle(packages: &[Package]) -> bool {
    let mut dependents = vec![Vec::new(); packages.len()];
    for (index, package) in packages.iter().enumerate() {
        for &dependency in &package.dependencies {
            dependents[dependency].push(index);
        }
    }
    let mut left: Vec<usize> = packages.iter().map(|package| package.dependencies.len()).collect();
    let mut free: Vec<usize> = (0..packages.len()).filter(|&index| left[index] == 0).collect();
    let mut taken = 0;
    while let Some(index) = free.pop() {
        taken += 1;
        for &dependent in &dependents[index] {
            left[dependent] -= 1;
            if left[dependent] == 0 {
                free.push(dependent);
            }
        }
    }
    taken < packages.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(data: &[u8], limit: u32) -> (Vec<Package>, Vec<ValueError>) {
        let mut errors = Vec::new();
        let packages = super::decode(data, limit, &mut 0, |error| errors.push(error));
        (packages, errors)
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(data, 6)
    }

    fn read(json: &str) -> (Vec<Package>, Vec<FindingCode>) {
        let (packages, errors) = decode(&zlib(json.as_bytes()), 8 << 20);
        (packages, errors.into_iter().map(|error| error.code).collect())
    }

    const TWO: &str = r#"{"packages":[{"name":"adler","version":"0.2.3","source":"registry"},
        {"name":"app","version":"1.0.0","source":"local","kind":"build","dependencies":[0],"root":true}],"format":3}"#;

    #[test]
    fn packages() {
        let (packages, errors) = read(TWO);
        assert_eq!(errors, []);
        assert_eq!(packages[0].name, "adler");
        assert_eq!((packages[0].build, packages[0].root, &*packages[0].source), (false, false, "registry"));
        assert_eq!((packages[1].build, packages[1].root), (true, true));
        assert_eq!(packages[1].dependencies, [0]);
    }

    #[test]
    fn format_is_a_32_bit_integer() {
        let package = r#"{"name":"a","version":"1.0.0","source":"git"}"#;
        let with = |format: &str| read(&format!(r#"{{"packages":[{package}]{format}}}"#));
        for right in ["", r#","format":0"#, r#","format":1"#, r#","format":4294967295"#] {
            assert_eq!(with(right).1, [], "{right}");
        }
        for wrong in ["\"1\"", "null", "-1", "4294967296", "1.5", "1.0", "1e3", "true", "[1]", "{\"a\":1}"] {
            let (packages, codes) = with(&format!(r#","format":{wrong}"#));
            assert_eq!((packages.len(), codes), (1, vec![FindingCode::MalformedDependencies]), "{wrong}");
        }
        let codes = with(r#","format":null,"format":1"#).1;
        assert_eq!(codes, [FindingCode::MalformedDependencies, FindingCode::DuplicateJsonKey]);
        let codes = with(r#","format":{"a":1,"a":[{"b":1,"b":2}]}"#).1;
        assert_eq!(codes[0], FindingCode::MalformedDependencies);
        assert_eq!(codes[1..], [FindingCode::DuplicateJsonKey; 2]);
    }

    #[test]
    fn malformed_json_is_a_finding() {
        let package = |rest: &str| format!(r#"{{"name":"a","version":"1.0.0","source":"git"{rest}}}"#);
        for json in [
            String::new(),
            "[]".into(),
            "{}".into(),
            r#"{"packages":[{}]}"#.into(),
            r#"{"packages":[],"packages":[]}"#.into(),
            format!(r#"{{"packages":[{}]}}"#, package(r#","name":"b""#)),
            format!(r#"{{"packages":[{}]}}"#, package(r#","dependencies":[1]"#)),
            format!(r#"{{"packages":[{}]}}"#, package(r#","dependencies":[0]"#)),
            format!(r#"{{"packages":[{0},{0}]}}"#, package(r#","root":true"#)),
            format!(r#"{{"packages":{}}}"#, "[".repeat(100_000)),
        ] {
            assert_eq!(
                read(&json),
                (vec![], vec![FindingCode::MalformedDependencies]),
                "{}",
                &json[..json.len().min(80)]
            );
        }
        let (_, errors) = decode(&zlib(b"[]"), 8 << 20);
        assert!(errors[0].message.contains("expected an object"), "{}", errors[0].message);
    }

    #[test]
    fn malformed_compression_is_a_finding() {
        let whole = zlib(TWO.as_bytes());
        for len in 0..whole.len() {
            let (packages, errors) = decode(&whole[..len], 8 << 20);
            assert!(packages.is_empty() && errors[0].code == FindingCode::MalformedDependencies, "{len}");
            assert_eq!(errors[0].message, "the compressed data is truncated", "{len}");
        }
        assert_eq!(decode(b"no zlib", 8 << 20).1[0].message, "the data is not zlib");
        let mut checksum = whole.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert_eq!(decode(&checksum, 8 << 20).1[0].message, "the zlib checksum does not match");
    }

    #[test]
    fn a_second_stream_is_a_finding_and_the_first_is_read() {
        let data = [zlib(TWO.as_bytes()), zlib(b"{}")].concat();
        let (packages, errors) = decode(&data, 8 << 20);
        assert_eq!((packages.len(), errors[0].code), (2, FindingCode::MalformedDependencies));
    }

    #[test]
    fn zip_bombs_stop_at_the_limit() {
        let bomb = zlib(&vec![b' '; 64 << 20]);
        let (packages, errors) = decode(&bomb, 8 << 20);
        assert_eq!((packages, errors[0].code), (vec![], FindingCode::TooLarge));
        let exact = zlib(TWO.as_bytes());
        assert_eq!(decode(&exact, TWO.len() as u32).1, []);
        assert_eq!(decode(&exact, TWO.len() as u32 - 1).1[0].code, FindingCode::TooLarge);
    }

    #[test]
    fn a_wide_graph_takes_linear_time() {
        let edges: Vec<String> = (1..60_000).map(|index| index.to_string()).collect();
        let first = format!(r#"{{"name":"a","version":"1.0.0","source":"git","dependencies":[{}]}}"#, edges.join(","));
        let rest = r#",{"name":"b","version":"1.0.0","source":"git"}"#.repeat(59_999);
        let (packages, errors) = read(&format!(r#"{{"packages":[{first}{rest}]}}"#));
        assert_eq!((packages.len(), errors), (60_000, vec![]));
    }
}
