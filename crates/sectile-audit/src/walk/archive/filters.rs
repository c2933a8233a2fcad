//! Compressed formats that are opened only if their first bytes can be decoded: Brotli, bzip2 and xz.
//!
//! Any other file of these formats is not opened, and has a finding.

use std::ffi::OsStr;
use std::io::{self, BufRead, Read};

use brotli_decompressor::Decompressor;
use bzip2::bufread::MultiBzDecoder;
use lzma_rust2::XzReader;

use super::budget::Budget;
use crate::fill::fill;
use crate::inside::Magic;
use crate::walk::formats;

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Brotli,
    Bzip2,
    Xz,
}

impl Filter {
    const ALL: [Self; 3] = [Self::Brotli, Self::Bzip2, Self::Xz];

    /// The format of data with this name and these first bytes, if they can be decoded.
    pub(super) fn detect(name: &OsStr, head: &[u8]) -> Option<Self> {
        let format = formats::detect(formats::Sample { head, ..formats::Sample::default() })
            .or_else(|| formats::detect_by_name(name, head))?;
        let filter = Self::ALL.into_iter().find(|filter| filter.name() == format)?;
        // A short text is decoded completely. The header of a longer one is enough to know.
        let mut reader = filter.with_limit(head, MAX_TRIAL_KIB);
        match reader.read(&mut [0; 1]) {
            Ok(len) => len > 0,
            Err(_) => head.len() >= super::HEAD_LEN && filter != Self::Brotli, // its first block is longer
        }
        .then_some(filter)
    }

    /// The name in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "brotli",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// The decompressed output of a stream.
    pub(super) fn reader<'r>(self, compressed: impl BufRead + 'r, budget: &Budget) -> Box<dyn Read + 'r> {
        let most = u32::try_from(budget.available_memory() >> 10).unwrap_or(u32::MAX);
        self.with_limit(compressed, most)
    }

    fn with_limit<'r>(self, compressed: impl BufRead + 'r, max_kib: u32) -> Box<dyn Read + 'r> {
        const BUFFER_LEN: usize = 16 << 10;
        match self {
            Self::Brotli => Box::new(Decompressor::new(compressed, BUFFER_LEN)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(compressed)),
            Self::Xz => Box::new(XzReader::new_mem_limit(compressed, true, max_kib)),
        }
    }
}

/// Memory for the dictionary in the first decoding.
const MAX_TRIAL_KIB: u32 = 128 << 10;

/// Whether data is Brotli: its content begins like a binary, or all of it is one stream, which contains text or a format
/// that the walk detects. Brotli has no signature.
pub(super) fn is_brotli(compressed: &[u8], budget: &Budget) -> bool {
    let mut head = [0; 64];
    let len = fill(&mut Filter::Brotli.with_limit(compressed, 0), &mut head).unwrap_or(0);
    match Magic::detect(&head[..len]) {
        Magic::Wasm => true,
        Magic::Known => {
            let is_stream = |compressed: &[u8]| {
                let mut decoder = Filter::Brotli.with_limit(compressed, 0).take(budget.available_inflation());
                let outcome = io::copy(&mut decoder, &mut io::sink());
                budget.take_inflation(*outcome.as_ref().unwrap_or(&0));
                outcome.is_ok()
            };
            // A stream that is complete without its last byte is followed by other data.
            is_stream(compressed) && !is_stream(&compressed[..compressed.len() - 1])
        }
        Magic::Zlib | Magic::Unknown => false,
    }
}
