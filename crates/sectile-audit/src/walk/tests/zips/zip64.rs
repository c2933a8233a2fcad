//! End records of 64 bits.

use super::*;

/// A record of 64 bits and its locator.
fn zip64_end(entries: u64, size: usize, offset: usize, at: usize) -> Vec<u8> {
    let values = [entries, entries, size as u64, offset as u64].map(u64::to_le_bytes).concat();
    let record = [&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &shorts(&[45, 45]), &u32_bytes(&[0, 0]), &values].concat();
    [&*record, b"PK\x06\x07", &u32_bytes(&[0]), &(at as u64).to_le_bytes(), &u32_bytes(&[1])].concat()
}

#[test]
fn zip64_end_records_are_read_in_addition_to_plain_ones() {
    let (body, directory) = parts(&[module_entry()], 0);
    let at = body.len() + directory.len();
    let full = end(u16::MAX, u32::MAX as usize, u32::MAX as usize, b"");
    let near = end(1, directory.len(), body.len(), b"");
    let with = |far: Vec<u8>, near: &[u8]| [&*body, &directory, &far, near].concat();
    let right = zip64_end(1, directory.len(), body.len(), at);
    finds_quietly("values in the record of 64 bits", &with(right.clone(), &full));
    finds_quietly("values in both", &with(right.clone(), &near));
    finds_quietly("a prefix", &[b"#!/bin/sh\n".to_vec(), with(right, &full)].concat());
    let lying = zip64_end(1, directory.len(), body.len(), at + 5);
    finds_with_dispute("a locator that leads elsewhere", &with(lying, &full)); // unzip, 7-Zip, Python, bsdtar
    let empty = zip64_end(0, 0, 0, at);
    finds_with_dispute("an empty record of 64 bits", &with(empty, &near)); // Go and Java read the one of 32 bits
    // Each leads to another directory.
    let (body, _) = parts(&[module_entry(), text_entry()], 0);
    let to_module = module_entry().central(0);
    let to_text = text_entry().central(module_entry().local().len() as u32);
    let (first, second) = (body.len(), body.len() + to_module.len());
    let at = second + to_text.len();
    for (far, near) in [
        (zip64_end(1, to_module.len(), first, at), end(1, to_text.len(), second, b"")),
        (zip64_end(1, to_text.len(), second, at), end(1, to_module.len(), first, b"")),
    ] {
        finds_with_dispute("two directories", &[&*body, &to_module, &to_text, &far, &near].concat());
    }
    // Sizes of 64 bits in an extra field.
    let sizes = [MODULE.len() as u64, deflate(MODULE).len() as u64].map(u64::to_le_bytes).concat();
    let far = module_entry().with(|entry| {
        (entry.compressed, entry.size) = (u32::MAX, u32::MAX);
        entry.extra = [&shorts(&[1, 16]), &*sizes].concat();
    });
    finds_quietly("sizes of 64 bits", &build(std::slice::from_ref(&far)));
    let twice = far.with(|entry| entry.extra.extend([&shorts(&[1, 16])[..], &[0; 16]].concat()));
    finds_with_dispute("two extra fields with sizes", &build(&[twice]));
}
