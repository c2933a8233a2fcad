//! The core of Sectile as one WebAssembly module, without WASI, for hosts such as Go and JavaScript.
//!
//! `README.md` describes the exports, the requests and the documents. A [`session::Session`] is the
//! module without its boundary.

mod abi;
mod edit;
mod failure;
mod inspect;
mod json;
mod request;
mod session;
mod source;
mod upload;

pub use self::session::{Part, Session, Status};
