//! Inflating the section and reading its JSON, within limits.

use std::collections::HashSet;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Package;
use crate::finding::FindingCode;
use crate::metadata::check::{ValueError, has_controls};
use crate::metadata::json::{Duplicates, Walk};

/// Decodes the data, inflating it to `limit` bytes at the most; gives the packages, and what is wrong to `report`. What it
/// inflates is added to `inflated`, whatever becomes of it.
pub(crate) fn decode(data: &[u8], limit: u32, inflated: &mut u64, mut report: impl FnMut(ValueError)) -> Vec<Package> {
    let packages = inflate(data, limit as usize, inflated).and_then(|(json, behind)| {
        if behind > 0 {
            report(malformed(format!("{behind} bytes behind the compressed data")));
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
        Err(flaw) => {
            report(flaw);
            Vec::new()
        }
    }
}

fn malformed(message: impl Into<String>) -> ValueError {
    ValueError { code: FindingCode::MalformedDependencies, message: message.into() }
}

/// Inflates one zlib stream; gives what it holds, and how many bytes lie behind it. The output grows with what was
/// really inflated, and never beyond the limit.
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
                return Err(malformed("the compressed data ends too early"));
            }
            TINFLStatus::Adler32Mismatch => return Err(malformed("the checksum of the zlib data is wrong")),
            _ => return Err(malformed("the data is not zlib")),
        }
    }
}

fn parse(json: &[u8], report: impl FnMut(ValueError)) -> Result<Vec<Package>, ValueError> {
    use auditable_serde::DependencyKind;

    let Tree { packages, twice, bad_format } =
        serde_json::from_slice(json).map_err(|error| malformed(format!("the inflated JSON is wrong: {error}")))?;
    bad_format.map(|what| malformed(format!("`format` is {what}"))).into_iter().chain(twice.errors()).for_each(report);
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
    if packages.iter().flat_map(|package| &package.dependencies).any(|&place| place >= packages.len()) {
        return Err(malformed("a dependency on a package that is not there"));
    }
    if has_cycle(&packages) {
        return Err(malformed("packages that depend on one another in a circle"));
    }
    Ok(packages)
}

/// The outermost object. cargo-auditable's own type is not used: its check for circles takes quadratic time.
struct Tree {
    packages: Vec<auditable_serde::Package>,
    /// The keys, other than that of the packages, that stand twice in one object.
    twice: Duplicates,
    /// The kind of value of `format`, if it is not a number. The packages are read in spite of it.
    bad_format: Option<&'static str>,
}

/// Judges the value of `format` without failing: a whole number of 32 bits, as cargo-auditable's own reader asks.
struct FormatCheck<'a> {
    duplicates: &'a mut Duplicates,
}

impl<'de> DeserializeSeed<'de> for FormatCheck<'_> {
    /// What it is instead.
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FormatCheck<'_> {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number of 32 bits")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).is_err().then_some("more than 32 bits"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Some("negative"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Some("not a whole number of 32 bits"))
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
        Walk { duplicates: self.duplicates }.visit_seq(list)?;
        Ok(Some("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Walk { duplicates: self.duplicates }.visit_map(map)?;
        Ok(Some("an object"))
    }
}

impl<'de> serde::Deserialize<'de> for Tree {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TreeVisitor;

        impl<'de> Visitor<'de> for TreeVisitor {
            type Value = Tree;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with `packages`")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                use serde::de::Error;
                let mut packages = None;
                let mut others = HashSet::new();
                let mut twice = Duplicates::default();
                let mut bad_format = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key != "packages" {
                        if key == "format" {
                            let format = map.next_value_seed(FormatCheck { duplicates: &mut twice })?;
                            bad_format = bad_format.or(format);
                        } else {
                            map.next_value_seed(Walk { duplicates: &mut twice })?;
                        }
                        if let Some(key) = others.replace(key) {
                            twice.add(key);
                        }
                    } else if packages.is_some() {
                        return Err(A::Error::duplicate_field("packages"));
                    } else {
                        packages = Some(map.next_value()?);
                    }
                }
                let packages = packages.ok_or_else(|| A::Error::missing_field("packages"))?;
                Ok(Tree { packages, twice, bad_format })
            }
        }

        deserializer.deserialize_map(TreeVisitor)
    }
}

/// Kahn's algorithm: takes away what depends on nothing that is left; what remains stands in a circle.
fn has_cycle(packages: &[Package]) -> bool {
    let mut dependents = vec![Vec::new(); packages.len()];
    for (place, package) in packages.iter().enumerate() {
        for &dependency in &package.dependencies {
            dependents[dependency].push(place);
        }
    }
    let mut left: Vec<usize> = packages.iter().map(|package| package.dependencies.len()).collect();
    let mut free: Vec<usize> = (0..packages.len()).filter(|&place| left[place] == 0).collect();
    let mut taken = 0;
    while let Some(place) = free.pop() {
        taken += 1;
        for &dependent in &dependents[place] {
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
        let packages = super::decode(data, limit, &mut 0, |flaw| errors.push(flaw));
        (packages, errors)
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(data, 6)
    }

    fn read(json: &str) -> (Vec<Package>, Vec<FindingCode>) {
        let (packages, errors) = decode(&zlib(json.as_bytes()), 8 << 20);
        (packages, errors.into_iter().map(|flaw| flaw.code).collect())
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
    fn format_is_a_number_of_32_bits() {
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
            assert_eq!(errors[0].message, "the compressed data ends too early", "{len}");
        }
        assert_eq!(decode(b"no zlib", 8 << 20).1[0].message, "the data is not zlib");
        let mut checksum = whole.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert_eq!(decode(&checksum, 8 << 20).1[0].message, "the checksum of the zlib data is wrong");
    }

    #[test]
    fn a_second_stream_is_a_finding_and_the_first_is_read() {
        let data = [zlib(TWO.as_bytes()), zlib(b"{}")].concat();
        let (packages, errors) = decode(&data, 8 << 20);
        assert_eq!((packages.len(), errors[0].code), (2, FindingCode::MalformedDependencies));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = zlib(&vec![b' '; 64 << 20]);
        let (packages, errors) = decode(&bomb, 8 << 20);
        assert_eq!((packages, errors[0].code), (vec![], FindingCode::TooLarge));
        let exact = zlib(TWO.as_bytes());
        assert_eq!(decode(&exact, TWO.len() as u32).1, []);
        assert_eq!(decode(&exact, TWO.len() as u32 - 1).1[0].code, FindingCode::TooLarge);
    }

    #[test]
    fn a_wide_graph_takes_linear_time() {
        let edges: Vec<String> = (1..60_000).map(|place| place.to_string()).collect();
        let first = format!(r#"{{"name":"a","version":"1.0.0","source":"git","dependencies":[{}]}}"#, edges.join(","));
        let rest = r#",{"name":"b","version":"1.0.0","source":"git"}"#.repeat(59_999);
        let (packages, errors) = read(&format!(r#"{{"packages":[{first}{rest}]}}"#));
        assert_eq!((packages.len(), errors), (60_000, vec![]));
    }
}
