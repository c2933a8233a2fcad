//! Writes packages as zlib-compressed JSON.

use auditable_serde::{DependencyKind, VersionInfo};

use super::Package;
use super::decode::parse;
use crate::finding::FindingCode;
use crate::metadata::check::ValueError;

/// The revision of the format in which procedural macros are build dependencies. Source:
/// `VersionInfo` of `auditable-serde`.
const FORMAT: u32 = 1;

/// The compression level of cargo-auditable.
const LEVEL: u8 = 7;

/// Encodes packages, after the checks of the decoder.
pub(crate) fn encode(packages: &[Package]) -> Result<Vec<u8>, ValueError> {
    let malformed = |message: String| ValueError::new(FindingCode::MalformedDependencies, message);
    let encoded = packages.iter().map(|package| {
        let version = package.version.parse();
        Ok(auditable_serde::Package {
            name: package.name.clone(),
            version: version.map_err(|error| malformed(format!("version of `{}`: {error}", package.name)))?,
            source: package.source.as_str().into(),
            kind: if package.build { DependencyKind::Build } else { DependencyKind::Runtime },
            dependencies: package.dependencies.clone(),
            root: package.root,
        })
    });
    let list = VersionInfo { packages: encoded.collect::<Result<_, ValueError>>()?, format: FORMAT };
    let json = serde_json::to_vec(&list).map_err(|error| malformed(error.to_string()))?;
    let mut errors = Vec::new();
    parse(&json, |error| errors.push(error))?;
    match errors.pop() {
        Some(error) => Err(error),
        None => Ok(miniz_oxide::deflate::compress_to_vec_zlib(&json, LEVEL)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    fn package(name: &str, version: &str, dependencies: &[usize]) -> Package {
        Package { dependencies: dependencies.to_vec(), ..Package::new(name, version, "crates.io") }
    }

    #[test]
    fn the_decoder_reads_what_the_encoder_writes() {
        let root = Package { root: true, source: "local".to_owned(), ..package("app", "1.0.0-rc.1+x", &[0, 1]) };
        let build = Package { build: true, ..package("cc", "0.1.0", &[]) };
        let packages = [build, package("adler", "2.0.1", &[]), root];
        let data = encode(&packages).unwrap();
        let decoded = decode(&data, 1 << 20, &mut 0, |error| panic!("{error:?}"));
        assert_eq!(decoded, packages);
        assert_eq!(encode(&packages).unwrap(), data);
    }

    #[test]
    fn lists_that_no_reader_accepts_are_refused() {
        let root = || Package { root: true, ..package("a", "1.0.0", &[]) };
        let refused = [
            vec![package("a", "1", &[])],
            vec![package("a", "1.0.0", &[1])],
            vec![package("a", "1.0.0", &[0])],
            vec![root(), root()],
        ];
        for packages in refused {
            assert_eq!(encode(&packages).unwrap_err().code(), FindingCode::MalformedDependencies, "{packages:?}");
        }
    }
}
