//! A blob goes to a registry: as one request where that works, in chunks where the registry asks for them, and from
//! where it broke off where a connection breaks. Source: the distribution specification, "Push".

use std::ops::Range;

use ureq::http::{Method, header};

use super::error::{Fault, RegistryError, told};
use super::session::{Ask, Body, Session, Source};
use super::transport::Answer;
use super::url::Url;
use crate::digest::Digest;

/// Chunks are never smaller, unless the blob ends: a registry that wants smaller ones wants none.
const MIN_CHUNK: u64 = 64 << 10;

/// Bytes on their way under one location.
struct Upload<'a> {
    digest: Digest,
    source: &'a dyn Source,
    url: Url,
    /// So many bytes the registry has.
    offset: u64,
    /// So many bytes go with one request; `None` where there is no limit.
    chunk: Option<u64>,
    /// No chunk but the last may be smaller.
    min_chunk: u64,
    /// How often it has been begun, or taken up again.
    attempts: u32,
}

/// What comes after one request.
enum Next {
    Done,
    Further,
    /// The location is of no use any more, and there are attempts left.
    Anew,
}

impl Session<'_> {
    /// Sees to it that the registry has a blob. Gives whether it had to be sent.
    pub(super) fn put_blob(
        &mut self,
        digest: Digest,
        source: &dyn Source,
        progress: &mut dyn FnMut(u64),
    ) -> Result<bool, RegistryError> {
        if self.has_blob(digest)? {
            return Ok(false);
        }
        let mut upload = self.begin(digest, source, None, 0)?;
        loop {
            let what = format!("uploading {digest} to {}", upload.url);
            match self.advance(&mut upload, progress).map_err(|fault| self.error(Some(what.clone()), fault))? {
                Next::Done => return Ok(true),
                Next::Further => {}
                Next::Anew => {
                    self.wait(upload.attempts, None).map_err(|fault| self.error(Some(what), fault))?;
                    // What broke off may have been the answer alone.
                    if self.has_blob(digest)? {
                        return Ok(true);
                    }
                    upload = self.begin(digest, source, upload.chunk, upload.attempts)?;
                }
            }
        }
    }

    /// Whether the registry has a blob.
    fn has_blob(&mut self, digest: Digest) -> Result<bool, RegistryError> {
        let ask = Ask::new(Method::HEAD, self.url(&format!("blobs/{digest}"))?);
        let name = format!("HEAD {}", ask.url);
        let answer = self.ask(ask)?;
        let has = match answer.status {
            200 => confirm(&answer, digest).map(|()| true),
            404 => Ok(false),
            _ => Err(Fault::unwanted(&answer)),
        };
        has.map_err(|fault| self.error(Some(name), fault))
    }

    fn begin<'a>(
        &mut self,
        digest: Digest,
        source: &'a dyn Source,
        chunk: Option<u64>,
        attempts: u32,
    ) -> Result<Upload<'a>, RegistryError> {
        let url = self.url("blobs/uploads/")?;
        let name = format!("POST {url}");
        let mut ignored = |_| {};
        let nothing = Body { source: &&[][..], range: 0..0, progress: &mut ignored };
        let answer = self.ask(Ask::new(Method::POST, url.clone()).body(nothing))?;
        let located = match answer.status {
            202 => self
                .location(&answer)
                .and_then(|to| to.ok_or_else(|| Fault::malformed("it says not where to upload to"))),
            _ => Err(Fault::unwanted(&answer)),
        };
        let url = located.map_err(|fault| self.error(Some(name), fault))?;
        let min_chunk = answer.field("oci-chunk-min-length").and_then(|length| length.trim().parse::<u64>().ok());
        // A registry that says how large chunks must be expects chunks.
        let wanted = min_chunk.map(|_| self.client().options.chunk);
        let min_chunk = min_chunk.unwrap_or(0).max(MIN_CHUNK.min(self.client().options.chunk)).max(1);
        let chunk = chunk.or(wanted).map(|chunk| chunk.max(min_chunk));
        Ok(Upload { digest, source, url, offset: 0, chunk, min_chunk, attempts: attempts + 1 })
    }

    /// Where an answer says that the upload goes on.
    fn location(&self, answer: &Answer) -> Result<Option<Url>, Fault> {
        let Some(location) = answer.field("location") else { return Ok(None) };
        let url = answer.url.join(location).and_then(|url| self.permitted(url));
        url.map(Some).map_err(|why| Fault::malformed(format!("the place to upload to is refused: {why}")))
    }

    /// Makes the next request of an upload.
    fn advance(&mut self, upload: &mut Upload<'_>, progress: &mut dyn FnMut(u64)) -> Result<Next, Fault> {
        if upload.source.is_changed().map_err(Fault::Source)? {
            return Err(Fault::Changed);
        }
        let (range, is_last) = upload.next();
        let (method, url) = if is_last {
            let url = upload.url.with_query("digest", &upload.digest.to_string()).map_err(Fault::malformed)?;
            (Method::PUT, url)
        } else {
            (Method::PATCH, upload.url.clone())
        };
        let mut ask = Ask::new(method, url).field(header::CONTENT_TYPE, "application/octet-stream");
        if !is_last {
            ask = ask.field(header::CONTENT_RANGE, &format!("{}-{}", range.start, range.end - 1));
        }
        let start = range.start;
        let mut sent = |sent| progress(start + sent);
        let mut ask = ask.body(Body { source: upload.source, range: range.clone(), progress: &mut sent });
        ask.is_repeatable = false;
        let answer = match self.try_ask(&mut ask) {
            Err(Fault::Source(_)) if upload.source.is_changed().unwrap_or(false) => return Err(Fault::Changed),
            Err(Fault::Broken(_, error)) => return self.take_up(upload, Fault::Broken(upload.attempts, error)),
            answer => answer?,
        };
        match answer.status {
            201 | 204 if is_last => confirm(&answer, upload.digest).map(|()| Next::Done),
            201 | 202 | 204 if !is_last => {
                if let Some(url) = self.location(&answer)? {
                    upload.url = url;
                }
                upload.has(range.end, &answer)?;
                if upload.offset < range.end {
                    // Some of it has to be sent once more, and that not without end.
                    upload.attempts += 1;
                    if upload.attempts > self.client().options.attempts {
                        return Err(Fault::malformed("it takes a part of what it is sent, again and again"));
                    }
                }
                Ok(Next::Further)
            }
            413 if upload.halve(&range, self.client().options.chunk) => Ok(Next::Further),
            416 => self.take_up(upload, Fault::unwanted(&answer)),
            // What was sent may be another thing than what was read before.
            400 if upload.source.is_changed().unwrap_or(false) => Err(Fault::Changed),
            _ => Err(Fault::unwanted(&answer)),
        }
    }

    /// Asks how far an upload has come that broke off with this fault.
    fn take_up(&mut self, upload: &mut Upload<'_>, fault: Fault) -> Result<Next, Fault> {
        if upload.attempts >= self.client().options.attempts {
            return Err(fault);
        }
        self.wait(upload.attempts, None)?;
        let answer = self.try_ask(&mut Ask::new(Method::GET, upload.url.clone()))?;
        let has = match answer.status {
            200 | 202 | 204 => last_byte(&answer),
            _ => None,
        };
        let len = upload.source.len();
        match has {
            Some(last) if last < len => {
                upload.attempts += 1;
                // Registries that have nothing say `0-0`, as do those that have one byte.
                upload.offset = if last == 0 { 0 } else { last + 1 };
                if let Some(url) = self.location(&answer)? {
                    upload.url = url;
                }
                // From here on in chunks, if only in one: a blob as one request begins at its beginning.
                upload.chunk = upload.chunk.or(Some(len.max(1)));
                Ok(Next::Further)
            }
            _ => Ok(Next::Anew),
        }
    }
}

impl Upload<'_> {
    /// The bytes that go next, and whether the blob ends with them.
    fn next(&self) -> (Range<u64>, bool) {
        let len = self.source.len();
        let is_whole = self.offset == 0 && self.chunk.is_none_or(|chunk| chunk >= len);
        let end = self.chunk.map_or(len, |chunk| len.min(self.offset.saturating_add(chunk)));
        (self.offset..end, is_whole || self.offset == len)
    }

    /// The registry has what was sent up to `end`, or says how much of it.
    fn has(&mut self, end: u64, answer: &Answer) -> Result<(), Fault> {
        let has = match last_byte(answer) {
            Some(0) if end != 1 => 0,
            Some(last) => last.saturating_add(1),
            None => end,
        };
        if has > end || has <= self.offset {
            return Err(Fault::malformed(format!(
                "it says that it has {has} bytes, after it was sent those up to {end}"
            )));
        }
        self.offset = has;
        Ok(())
    }

    /// Makes the chunks smaller, because these bytes were too many at once. Gives whether that is possible.
    fn halve(&mut self, range: &Range<u64>, usual: u64) -> bool {
        let sent = range.end - range.start;
        let half = if self.chunk.is_none() && usual < sent { usual } else { sent / 2 };
        self.chunk = Some(half);
        half >= self.min_chunk
    }
}

/// The end of the range that a registry says it has, the last byte included.
fn last_byte(answer: &Answer) -> Option<u64> {
    let range = answer.field("range")?.trim();
    let (start, end) = range.strip_prefix("bytes=").unwrap_or(range).split_once('-')?;
    (start == "0").then(|| end.parse().ok()).flatten()
}

/// Compares the digest that an answer may tell.
pub(super) fn confirm(answer: &Answer, expected: Digest) -> Result<(), Fault> {
    let Some(found) = answer.field("docker-content-digest") else { return Ok(()) };
    // It may be told by another algorithm, of which nothing is known here.
    let is_other_algorithm = found.split_once(':').is_some_and(|(algorithm, _)| algorithm == "sha512");
    if is_other_algorithm || found.parse() == Ok(expected) {
        return Ok(());
    }
    Err(Fault::OtherDigest { expected, found: told(found) })
}
