//! Operations on bytes that arrive in order.

use sectile::digest::Digest;
use sectile::drive::PushDriver;
use sectile::metadata::StreamReader;
use sectile_policy::gate::{Gate, Refusal};
use sectile_policy::{Policy, PolicyReader};

use crate::failure::Failure;
use crate::inspect::{check_document, document, read_document, reader};
use crate::request::{Operation, Request};
use crate::session::{Output, Status};

/// Bytes that arrive in order, and the operation on them.
#[derive(Debug)]
pub struct Upload {
    request: Request,
    inspector: Inspector,
}

#[derive(Debug)]
enum Inspector {
    Gate(Gate),
    Reader(Box<PushDriver<PolicyReader<StreamReader>>>, Policy),
}

impl Upload {
    pub fn new(request: Request) -> Result<Self, Failure> {
        let policy = request.policy()?;
        let day = request.day(&policy)?;
        let inspector = match request.op {
            Operation::Gate => {
                let mut gate = Gate::new(policy).with_max_bytes(request.max_bytes.unwrap_or(u64::MAX));
                if let Some(len) = request.declared_len {
                    gate = gate.with_declared_len(len);
                }
                for location in &request.locations {
                    gate = gate.with_location(location);
                }
                if let Some(day) = day {
                    gate = gate.with_day(day);
                }
                // Only an exception depends on the digest.
                if request.host_digest || request.digest.is_none() {
                    gate = gate.without_hashing();
                }
                if let Some(digest) = &request.digest {
                    gate = gate.with_digest(digest);
                }
                Inspector::Gate(gate)
            }
            Operation::Read | Operation::Check => {
                Inspector::Reader(Box::new(PushDriver::new(reader(&request, &policy))), policy)
            }
            Operation::Sections | Operation::Edit => {
                return Err(Failure::argument("bytes that arrive in order have the operations gate, read and check"));
            }
        };
        Ok(Self { request, inspector })
    }

    pub fn feed(&mut self, chunk: &[u8]) -> Status {
        match &mut self.inspector {
            Inspector::Gate(gate) => progress(gate.push(chunk), Status::Refused),
            Inspector::Reader(push, _) => progress(push.push(chunk), Status::Partial),
        }
    }

    pub fn skip(&mut self, len: u64) -> Status {
        match &mut self.inspector {
            Inspector::Gate(gate) => progress(gate.skip(len), Status::Refused),
            Inspector::Reader(push, _) => progress(push.skip(len), Status::Partial),
        }
    }

    pub fn skippable(&self) -> u64 {
        match &self.inspector {
            Inspector::Gate(gate) => gate.skippable(),
            Inspector::Reader(push, _) => push.skippable(),
        }
    }

    pub fn end(self, digest: Option<[u8; 32]>) -> Result<(Status, Output), Failure> {
        let Self { request, inspector } = self;
        match inspector {
            Inspector::Gate(gate) => Ok(gate_document(&request, gate.finish_with_digest(digest.map(Digest::from)))),
            Inspector::Reader(push, policy) => {
                let read = push.finish();
                let size = Some(read.cost().bytes);
                match request.op {
                    Operation::Check => check_document(&request, &policy, size, read),
                    _ => Ok(read_document(&request, size, read)),
                }
            }
        }
    }
}

fn progress<E>(result: Result<(), E>, stopped: Status) -> Status {
    result.map_or_else(|_| stopped, |()| Status::Done)
}

/// The document of `sectile check --json`, and the reason for a refusal.
fn gate_document(request: &Request, judged: Result<sectile_policy::gate::Accepted, Refusal>) -> (Status, Output) {
    let name = request.file.as_ref();
    match judged {
        Ok(accepted) => {
            let report = accepted.report(name);
            let document = document(|out| report.write_verdict_json(&accepted.verdict(&report), out));
            (Status::Done, Output { document, ..Output::default() })
        }
        Err(refusal) => {
            let report = refusal.report(name);
            let document = document(|out| report.write_verdict_json(&refusal.verdict(&report), out));
            let error = Failure::refusal(&refusal).to_json();
            (Status::Refused, Output { document, error, ..Output::default() })
        }
    }
}
