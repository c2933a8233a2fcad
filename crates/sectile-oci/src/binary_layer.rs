//! The layer of an image with the binary, as a stream of bytes.

use std::io::{self, Cursor, Read, Write};
#[cfg(feature = "registry")]
use std::io::{Seek, SeekFrom};

use flate2::read::GzEncoder;
use flate2::{Compression, GzBuilder};

use crate::WrittenShape;
use sectile::Input;
use sectile::digest::{Digest, Hasher};
use sectile::splice::Plan;

/// The file in the archive of the compat variant.
const PLUGIN_FILE: &str = "plugin.wasm";

/// Size of a tar block.
const BLOCK: u64 = 512;

/// The layer with the result of a plan for an input.
///
/// It is made again for each reader, so that it is kept nowhere. Equal binaries give equal bytes.
#[derive(Clone, Copy)]
pub(crate) struct BinaryLayer<'a> {
    pub(crate) shape: WrittenShape,
    pub(crate) input: &'a Input,
    pub(crate) plan: &'a Plan,
}

impl<'a> BinaryLayer<'a> {
    /// Writes the layer. Returns the digest of its unpacked contents if it is packed.
    pub(crate) fn write_to(&self, out: &mut impl Write) -> io::Result<Option<Digest>> {
        match self.shape {
            WrittenShape::Cncf | WrittenShape::Envoy => {
                self.plan.write_to(self.input, out)?;
                Ok(None)
            }
            WrittenShape::Compat => {
                let mut packed = packed(HashingReader { reader: self.archive()?, hasher: Hasher::new() });
                io::copy(&mut packed, out)?;
                Ok(Some(packed.reader.into_inner().reader.hasher.finish()))
            }
        }
    }

    /// Returns a reader of the layer from an offset on.
    #[cfg(feature = "registry")]
    pub(crate) fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + 'a>> {
        match self.shape {
            WrittenShape::Cncf | WrittenShape::Envoy => {
                let mut reader = self.plan.reader(self.input);
                reader.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(reader))
            }
            WrittenShape::Compat => {
                let mut packed = packed(self.archive()?);
                io::copy(&mut packed.by_ref().take(offset), &mut io::sink())?;
                Ok(Box::new(packed))
            }
        }
    }

    /// Returns a reader of a tar archive with the binary as its only file.
    fn archive(&self) -> io::Result<impl Read + use<'a>> {
        let size = self.plan.len();
        let mut header = tar::Header::new_ustar();
        header.set_path(PLUGIN_FILE)?;
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        let end = size.next_multiple_of(BLOCK) - size + 2 * BLOCK;
        let header = Cursor::new(header.as_bytes().to_vec());
        Ok(header.chain(self.plan.reader(self.input)).chain(io::repeat(0).take(end)))
    }
}

/// Compresses with a gzip header that has neither a time nor a file name.
///
/// The result of the compression depends on the sizes of its reads and buffers, so they are fixed
/// on both sides.
fn packed<R: Read>(archive: R) -> FixedReads<GzEncoder<FullReads<R>>> {
    let encoder = GzBuilder::new().mtime(0).read(FullReads { reader: archive }, Compression::default());
    FixedReads { reader: encoder, part: Cursor::default() }
}

/// A reader that fills each buffer, except at the end.
struct FullReads<R> {
    reader: R,
}

impl<R: Read> Read for FullReads<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            match self.reader.read(&mut buffer[read..]) {
                Ok(0) => break,
                Ok(len) => read += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }
}

/// A reader that reads from another in parts of the same size, whatever its caller requests.
struct FixedReads<R> {
    reader: R,
    part: Cursor<Vec<u8>>,
}

/// Size of a part.
const PART_LEN: usize = 32 << 10;

impl<R: Read> Read for FixedReads<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let mut part = vec![0; PART_LEN];
        let len = FullReads { reader: &mut self.reader }.read(&mut part)?;
        part.truncate(len);
        self.part = Cursor::new(part);
        self.part.read(buffer)
    }
}

/// A reader that hashes the bytes that it returns.
struct HashingReader<R> {
    reader: R,
    hasher: Hasher,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns at most this number of bytes at once.
    struct Short<R>(R, usize);

    impl<R: Read> Read for Short<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(self.1);
            self.0.read(&mut buffer[..len])
        }
    }

    #[test]
    fn compression_does_not_depend_on_the_sizes_of_reads() {
        let bytes: Vec<u8> =
            (0..700_000_u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as u8 ^ (at % 7) as u8).collect();
        let pack = |input: usize, output: usize| {
            let mut packed = Vec::new();
            Short(packed_of(&bytes, input), output).read_to_end(&mut packed).unwrap();
            packed
        };
        let expected = pack(usize::MAX, usize::MAX);
        for (input, output) in [(1, usize::MAX), (usize::MAX, 1), (1_000, 7_777), (100_000, 64 << 10)] {
            assert!(pack(input, output) == expected, "{input} {output}");
        }
    }

    fn packed_of(bytes: &[u8], input: usize) -> impl Read + '_ {
        packed(Short(bytes, input))
    }
}
