//! The C library `libsectile`. `include/sectile.h` is generated from these modules, and is the documentation.
//!
//! Each exported function only checks its pointers and calls safe code in [`boundary::guarded`], which catches panics.
//! The contract of all pointers is in the head of the header (`cbindgen.toml`). Types that C sees are `#[repr(C)]`; all
//! others are behind pointers.

#![allow(unsafe_code)] // pointers of C: converted in `boundary`, with the contract of each conversion

mod boundary;
mod buffer;
mod check;
mod document;
mod edit;
mod error;
mod gate;
mod metadata;
mod push;
mod source;
mod version;
