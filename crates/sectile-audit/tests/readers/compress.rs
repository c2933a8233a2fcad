//! Compressed files that contradict themselves.

use super::generator::Generator;

/// Compresses in one or several members.
pub(crate) fn gzip(generator: &mut Generator, data: &[u8]) -> Vec<u8> {
    let choices = &mut generator.choices;
    choices.note("gzip".to_owned());
    let mut out = Vec::new();
    let parts = choices.lie("members", 1, &[2, 3]);
    let split =
        if parts > 1 { choices.pick(&[data.len() / 2, 512, 1, 0, 8, 1024]).min(data.len()) } else { data.len() };
    let mut members = vec![&data[..split], &data[split..]];
    members.truncate(parts);
    if parts == 3 {
        members.push(&[]);
    }
    for member in members {
        let flags = choices.lie("flags", 0, &[1, 2, 4, 8, 16, 31, 32, 0xe0]);
        let method = choices.lie("method", 8, &[0, 7, 9]);
        let start = out.len();
        out.extend([0x1f, 0x8b, method, flags, 0, 0, 0, 0, 0, 255]);
        if flags & 4 != 0 {
            out.extend(b"\x04\0ab\0\0");
        }
        if flags & 8 != 0 {
            out.extend(b"name\0");
        }
        if flags & 16 != 0 {
            out.extend(b"comment\0");
        }
        if flags & 2 != 0 {
            let sum = crc32fast::hash(&out[start..]) as u16;
            out.extend(sum.to_le_bytes());
        }
        let level = choices.pick(&[6, 0]);
        out.extend(miniz_oxide::deflate::compress_to_vec(member, level));
        let crc = crc32fast::hash(member) ^ choices.lie("CRC", 0, &[1]);
        out.extend(crc.to_le_bytes());
        let len = (member.len() as u32).wrapping_add(choices.lie("length", 0, &[1, u32::MAX]));
        out.extend(len.to_le_bytes());
        let zeros = choices.lie("zeros after the member", 0, &[1, 8, 512]);
        out.resize(out.len() + zeros, 0);
    }
    trailing(generator, out)
}

/// Frames of uncompressed blocks.
pub(crate) fn zstd(generator: &mut Generator, data: &[u8]) -> Vec<u8> {
    let choices = &mut generator.choices;
    choices.note("zstd".to_owned());
    let mut out = Vec::new();
    if choices.lies("a skippable frame first") {
        out.extend(b"\x50\x2a\x4d\x18\x04\0\0\0skip");
    }
    let split = choices.lie("split at", data.len(), &[data.len() / 2, 512.min(data.len()), 0]);
    for (nth, frame) in [&data[..split], &data[split..]].into_iter().enumerate() {
        if nth == 1 && frame.is_empty() {
            break;
        }
        let says = (frame.len() as u32).wrapping_add(choices.lie("frame length", 0, &[1, 512]));
        out.extend(b"\x28\xb5\x2f\xfd\xa0"); // single segment, four bytes of length
        out.extend(says.to_le_bytes());
        let mut blocks = frame.chunks(4096).peekable();
        if blocks.peek().is_none() {
            out.extend([1, 0, 0]);
        }
        while let Some(block) = blocks.next() {
            let header = (block.len() as u32) << 3 | u32::from(blocks.peek().is_none());
            out.extend(&header.to_le_bytes()[..3]);
            out.extend(block);
        }
    }
    trailing(generator, out)
}

fn trailing(generator: &mut Generator, mut out: Vec<u8>) -> Vec<u8> {
    let choices = &mut generator.choices;
    match choices.lie("trailing", "", &["zeros", "junk", "zeros, then junk", "a module", "cut"]) {
        "" => {}
        "zeros" => out.resize(out.len() + choices.pick(&[1, 7, 512, 10_240]), 0),
        "junk" => out.extend(b"trailing junk"),
        "zeros, then junk" => out.extend(b"\0\0\0\0junk"),
        "a module" => {
            let module = generator.module();
            out.extend(module);
        }
        _ => out.truncate(out.len() - choices.pick(&[1, 4, 8, 9]).min(out.len())),
    }
    out
}
