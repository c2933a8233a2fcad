//! The rows and findings of an archive, and their locations.

use std::ffi::OsString;

use super::ArchiveWalker;
use super::entry_path::{EntryPath, MAX_NAME_LEN, location};
use super::findings::FindingPlace;
use crate::blob::{Blob, BlobLocation, Content, NotOpened};
use crate::row_name::RowName;
use crate::walk::file::StoredBlob;
use crate::walk::store_files::{StoreFiles, TarFiles};
use sectile::FindingCode;
use sectile::digest::Digest;

impl ArchiveWalker<'_> {
    pub(super) fn check_name(&mut self, path: &EntryPath<'_>) {
        if path.has_long_name() {
            let message = format!("its name has {} bytes, and at most {MAX_NAME_LEN} are shown", path.name.len());
            self.report(path, FindingCode::MalformedArchive, message);
        }
    }

    pub(super) fn add_blob(&mut self, path: &EntryPath<'_>, content: Content<'_>) {
        let digest = self.file.digest.filter(|_| path.outer.is_none() && path.encodings.is_none());
        self.add_stored_blob(path, digest, content);
    }

    /// Adds a blob with the digest that its store states.
    pub(super) fn add_stored_blob(&mut self, path: &EntryPath<'_>, digest: Option<Digest>, content: Content<'_>) {
        self.findings.set_has_binary();
        if !self.budget.row(self.sink.row_bytes()) {
            return;
        }
        let (location, encodings) = (self.location(path), path.hidden_encodings());
        self.sink.add_blob(Blob { location, state: Some(self.file.state.clone()), digest, encodings, content });
    }

    pub(super) fn location(&self, path: &EntryPath<'_>) -> BlobLocation {
        let mut location = location(&self.file.location, path);
        let Some(StoredBlob { image_names, .. }) = self.layer(path) else { return location };
        let mut names = image_names.names.iter().map(|image| path.name_in_layer(image));
        if let Some(first) = names.next() {
            location.other_names.insert(0, std::mem::replace(&mut location.file, first));
            location.other_names.extend(names);
        }
        location.omits_names |= image_names.omits_some;
        location
    }

    /// The layer of an image that an entry is, or is in.
    pub(super) fn layer(&self, path: &EntryPath<'_>) -> Option<StoredBlob> {
        self.store.as_ref()?.layer(path.outermost()?.name)
    }

    /// Inspects the layers in descriptors, as if they were entries.
    pub(super) fn embedded_layers(&mut self, path: &EntryPath<'_>, files: &TarFiles<'_>) {
        let places = self.store.as_mut().map(|store| std::mem::take(&mut store.embedded)).unwrap_or_default();
        for (name, place) in places {
            let layer = EntryPath::new(path, name.as_ref());
            match place.read(&StoreFiles::in_tar(files)) {
                Ok(bytes) => {
                    let expects_wasm = self.layer(&layer).is_some_and(|layer| layer.expects_wasm);
                    self.stream(&layer.with_hint(expects_wasm), &mut &*bytes, 1);
                }
                Err(error) => self.report(&layer, FindingCode::MalformedLayout, error.to_string()),
            }
        }
    }

    /// Reports the findings on the images of a store. Their locations are entries of the tar.
    pub(super) fn report_store_errors(&mut self) {
        let errors = self.store.as_mut().map(|store| std::mem::take(&mut store.errors)).unwrap_or_default();
        for mut error in errors {
            let location = &mut error.location;
            let names = [&mut location.file].into_iter().chain(&mut location.other_names);
            for name in names.filter(|name| !name.as_encoded_bytes().starts_with(b"oci:")) {
                *name = RowName::new(&self.file.name).with_entry(&**name).to_os_string();
            }
            error.state = Some(self.file.state.clone());
            self.sink.add_error(error);
        }
    }

    /// Reports a finding on an archive, or on an entry of one.
    ///
    /// Damage is [`MalformedArchive`](FindingCode::MalformedArchive), which becomes
    /// [`DisputedArchive`](FindingCode::DisputedArchive) at the end if the file contains a binary.
    pub(super) fn report(&mut self, path: &EntryPath<'_>, code: FindingCode, message: String) {
        if path.expects_wasm {
            self.findings.set_has_binary();
        }
        let file = &self.file.location;
        self.findings.add(code, message, || {
            let archive = path.archive();
            let mut entry = OsString::new();
            path.push_below(archive, &mut entry);
            let is_entry = !std::ptr::eq(path, archive);
            FindingPlace { archive: location(file, archive), entry: is_entry.then_some(entry) }
        });
    }

    /// Reports a contradiction that readers of the archive may interpret differently.
    pub(super) fn dispute(&mut self, path: &EntryPath<'_>, message: String) {
        self.report(path, FindingCode::DisputedArchive, message);
    }

    /// Reports an entry of a format that is not opened, by the name of the format.
    ///
    /// An entry that is named as WebAssembly has its own row.
    pub(super) fn not_opened(&mut self, path: &EntryPath<'_>, format: &str) {
        if path.expects_wasm {
            self.findings.set_has_binary();
            let (location, state) = (self.location(path), Some(self.file.state.clone()));
            let format = format.to_owned();
            return self.sink.add_not_opened(NotOpened { location, state, format, expects_wasm: true, bytes_read: 0 });
        }
        self.findings.add_not_opened(format, || {
            let (mut file, mut entry) = (path, OsString::new());
            while let Some(outer) = file.outer {
                file = outer;
            }
            path.push_below(file, &mut entry);
            entry
        });
    }

    /// Reports the first of the last failures, unless it was caused by a stop.
    pub(super) fn report_fault(&mut self, path: &EntryPath<'_>) {
        let fault = self.budget.take_fault();
        if let Some((code, message)) = fault.filter(|_| !self.sink.should_stop()) {
            self.report(path, code, message);
        }
    }

    /// Counts an error that is not reported separately.
    pub(super) fn count(&mut self, code: FindingCode) {
        self.findings.count(code);
    }
}
