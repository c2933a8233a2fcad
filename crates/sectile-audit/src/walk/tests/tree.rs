use super::*;

#[test]
fn files_are_detected_by_content_in_name_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("b/inner")).unwrap();
    fs::write(path("z"), MODULE).unwrap();
    fs::write(path("b/inner/text"), b"text").unwrap();
    fs::write(path("b/inner/.hidden"), OTHER).unwrap();
    fs::write(path("a.wasm"), b"no module").unwrap();
    fs::write(path("empty.wasm"), b"").unwrap();
    fs::write(path("empty"), b"").unwrap();
    fs::write(path("B"), b"\0asm\xff\0\0\0").unwrap();
    fs::write(path(".gitignore"), b"z\n").unwrap();
    fs::create_dir_all(path(".git/info")).unwrap();
    fs::write(path(".git/info/exclude"), b"a.wasm\n").unwrap();
    let recorder = walk_path(directory.path());
    assert_eq!(recorder.files(), ["B", "a.wasm", "b/inner/.hidden", "empty.wasm", "z"]);
    assert_eq!((recorder.passed, recorder.bytes_read), (4, 13)); // the text and the ignore files
    assert!(recorder.blobs.iter().all(|blob| blob.is_part && blob.has_state), "{recorder:?}");
    assert_eq!(recorder.blob("z").bytes, MODULE);

    let options = WalkOptions { ignore_rules: true, ..WalkOptions::default() };
    let ignoring = walk_paths(&[directory.path()], &options, Recorder::default());
    assert_eq!(ignoring.blobs.len(), 4);
}

#[test]
fn reused_files_are_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a"), directory.path().join("b.tgz"));
    fs::write(&a, MODULE).unwrap();
    fs::write(&b, gzip(&tar(&[("m", MODULE)]))).unwrap();
    let known = [a.clone().into_os_string(), b.clone().into()].into();
    let recorder = walk_paths(&[directory.path()], &WalkOptions::default(), Recorder { known, ..Recorder::default() });
    assert!(recorder.blobs.is_empty() && recorder.bytes_read == 0 && recorder.inflated == 0, "{recorder:?}");
    let before = &recorder.queried[0].1.0;
    fs::write(&a, OTHER).unwrap();
    let after = walk_path(directory.path());
    assert_ne!(&after.queried[0].1.0, before);
}

#[test]
fn several_roots_and_a_missing_one() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a"), directory.path().join("-"));
    fs::write(&a, MODULE).unwrap();
    fs::create_dir(&b).unwrap();
    fs::write(b.join("c"), MODULE).unwrap();
    let missing = directory.path().join("missing");
    let recorder = walk_paths(&[&b, &a, &missing, &a], &WalkOptions::default(), Recorder::default());
    assert_eq!(recorder.files(), [text(b.join("c").as_os_str()), text(a.as_os_str())]);
    assert_eq!(recorder.codes(), [format!("unreadable {}", missing.display())]);
}

#[test]
fn large_directory_is_split_into_units() {
    let directory = tempfile::tempdir().unwrap();
    for nth in 0..65_536 {
        fs::write(directory.path().join(format!("{nth:05}")), []).unwrap();
    }
    let mut units = 0;
    let mut recorder = Recorder::default();
    let options = WalkOptions::default();
    walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
        units += 1;
        unit.inspect(&options, read_options(), &mut Scratch::default(), &mut recorder);
        ControlFlow::Continue(())
    });
    let (first, few) = (unit::batch(0), (0..80).map(unit::batch).sum::<usize>());
    let many = (65_536 - few) / unit::batch(u64::MAX);
    assert_eq!((first, units, recorder.passed), (1, 80 + many + 1, 65_536));

    let mut first = 0;
    walk(&[directory.path().into()], &options, &|| false, &mut |_| {
        first += 1;
        ControlFlow::Break(())
    });
    assert_eq!(first, 1);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ops::Range;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn special_files_are_reported_and_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("d")).unwrap();
        symlink("..", path("d/loop")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        symlink("nowhere", path("nowhere.wasm")).unwrap();
        fs::write(path("m"), MODULE).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let recorder = walk_path(directory.path());
        assert_eq!(recorder.files(), ["m"]);
        let codes = [
            "not-followed d/loop",
            "not-followed device",
            "not-a-file fifo",
            "not-followed nowhere.wasm",
            "not-a-file socket",
        ];
        assert_eq!(recorder.codes(), codes);
        // A root may be a link. A FIFO is not opened even as a root.
        symlink(path("m"), path("named")).unwrap();
        symlink(path("d"), path("directory")).unwrap();
        fs::write(path("d/x"), MODULE).unwrap();
        let recorder = walk_paths(
            &[&path("named"), &path("fifo"), &path("directory")],
            &WalkOptions::default(),
            Recorder::default(),
        );
        let base = format!("{}/", directory.path().display());
        assert_eq!(recorder.files(), [format!("{base}named"), format!("{base}directory/x")]);
        assert_eq!(recorder.codes(), [format!("not-a-file {base}fifo"), format!("not-followed {base}directory/loop")]);
    }

    #[test]
    fn file_name_that_is_not_utf8() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(OsStr::from_bytes(b"\xff\x1b[31m.wasm"));
        fs::write(&path, MODULE).unwrap();
        let recorder = walk_paths(&[directory.path()], &WalkOptions::default(), Recorder::default());
        assert_eq!((recorder.blobs.len(), &recorder.queried[0].0), (1, &path.into_os_string()));
    }

    #[test]
    fn vanished_files_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(directory.path().join(name), MODULE).unwrap();
        }
        let (mut recorder, options) = (Recorder::default(), WalkOptions::default());
        let mut units = Vec::new();
        walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
            units.push(unit);
            if units.len() == 3 {
                fs::remove_file(directory.path().join("a")).unwrap();
                fs::remove_file(directory.path().join("b")).unwrap();
                symlink("c", directory.path().join("b")).unwrap();
                for unit in units.drain(..) {
                    unit.inspect(&options, read_options(), &mut Scratch::default(), &mut recorder);
                }
            }
            ControlFlow::Continue(())
        });
        let codes: Vec<_> = recorder.errors.iter().map(|error| error.code.name()).collect();
        assert_eq!((recorder.blobs.len(), codes), (1, vec!["unreadable", "not-followed"]));
    }

    #[test]
    fn vanished_directory_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        (0..64).for_each(|nth| fs::write(path(&format!("a{nth}")), MODULE).unwrap());
        fs::create_dir(path("gone")).unwrap();
        fs::write(path("z"), MODULE).unwrap();
        let (mut recorder, options) = (Recorder::default(), WalkOptions::default());
        walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
            _ = fs::remove_dir(path("gone"));
            unit.inspect(&options, read_options(), &mut Scratch::default(), &mut recorder);
            ControlFlow::Continue(())
        });
        assert_eq!(
            (recorder.blobs.len(), recorder.codes()),
            (65, vec![format!("unreadable {}", path("gone").display())])
        );
    }

    /// The time when the length of a file changes.
    #[derive(Clone, Copy, PartialEq)]
    enum ChangeTime {
        /// After it is opened, before it is read.
        Opened,
        /// After its first blob is added.
        BlobAdded,
    }

    /// Changes the length of a file during the walk.
    struct ChangingSink {
        path: std::path::PathBuf,
        len: u64,
        when: ChangeTime,
        /// The ranges of blobs in the file, and the number of all blobs.
        parts: Vec<(Range<u64>, Vec<u8>)>,
        seen: usize,
        passed: usize,
        reported: Vec<&'static str>,
        was_read: bool,
        /// Whether one read returned all bytes of the file.
        was_whole: bool,
    }

    impl ChangingSink {
        fn change(&self, when: ChangeTime) {
            if when == self.when {
                fs::OpenOptions::new().write(true).open(&self.path).unwrap().set_len(self.len).unwrap();
            }
        }
    }

    impl BlobSink for ChangingSink {
        fn begin_file(&mut self, _: u64) {
            self.change(ChangeTime::Opened);
        }
        fn skip_archive(&mut self, _: u64) {}
        fn add_not_opened(&mut self, _: NotOpened) {}
        fn end_archive(&mut self, archive: blob::ArchiveReading<'_>) {
            self.was_read = archive.was_read;
            self.reported.extend(archive.findings.iter().map(|finding| finding.code.name()));
        }
        fn reuse_rows(&mut self, _: &BlobLocation, _: &FileState) -> bool {
            false
        }
        #[cfg(feature = "remote")]
        fn can_reuse_rows(&self, _: &BlobLocation, _: &FileState) -> bool {
            false
        }
        fn add_blob(&mut self, blob: Blob<'_>) {
            match blob.content {
                Content::Bytes(_) => self.was_whole = true,
                Content::Range { range, head, .. } => self.parts.push((range, head.to_vec())),
                Content::Stream(stream) => _ = std::io::copy(stream, &mut std::io::sink()), // fails after the file shrank
                #[cfg(feature = "remote")]
                Content::Reading(_) => unreachable!("the store is local"),
            }
            self.change(ChangeTime::BlobAdded);
            self.seen += 1;
        }
        fn add_error(&mut self, error: WalkError) {
            self.reported.push(error.code.name());
        }
        fn skip(&mut self, _: u64) {
            self.passed += 1;
        }
        fn row_bytes(&self) -> u64 {
            0
        }
        fn should_stop(&self) -> bool {
            false
        }
    }

    /// Walks a file with these bytes whose length changes.
    fn changing(bytes: &[u8], len: u64, when: ChangeTime) -> ChangingSink {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, bytes).unwrap();
        let (parts, reported) = (Vec::new(), Vec::new());
        let mut sink = ChangingSink {
            path: path.clone(),
            len,
            when,
            parts,
            seen: 0,
            passed: 0,
            reported,
            was_read: false,
            was_whole: false,
        };
        let options = WalkOptions::default();
        walk(&[path.into()], &options, &|| false, &mut |unit| {
            unit.inspect(&options, read_options(), &mut Scratch::default(), &mut sink);
            ControlFlow::Continue(())
        });
        sink
    }

    #[test]
    fn short_file_is_whole_unless_its_length_changes() {
        let page = [MODULE, &vec![0; 4096 - MODULE.len()]].concat();
        for (bytes, longer, is_whole) in
            [(MODULE, 0, true), (MODULE, 1, false), (MODULE, 5000, false), (&page, 0, false)]
        {
            let len = bytes.len() as u64 + longer;
            let ChangingSink { was_whole, seen, .. } = changing(bytes, len, ChangeTime::Opened);
            assert_eq!((was_whole, seen), (is_whole, 1), "{longer}");
        }
        let ChangingSink { was_whole, seen, .. } = changing(MODULE, MODULE.len() as u64 - 1, ChangeTime::Opened);
        assert_eq!((was_whole, seen), (false, 1));
    }

    #[test]
    fn archive_that_changes_during_the_walk_is_reported() {
        let ChangingSink { seen, reported, was_read, .. } =
            changing(&tar(&[("m", MODULE)]), 1 << 20, ChangeTime::BlobAdded);
        assert_eq!((seen, &*reported, was_read), (1, &["changed"][..], true));
    }

    /// The rest of the archive may be readable another time.
    #[test]
    fn archive_that_shrinks_during_the_walk_is_unreadable() {
        let many: Vec<_> = (0..100).map(|nth| (format!("{nth}"), nth % 2 == 0)).collect();
        let tarred: Vec<_> = many.iter().map(|(name, _)| (&**name, MODULE)).collect();
        let deflated: Vec<_> = many.iter().map(|(name, _)| (&**name, MODULE, true)).collect();
        let either: Vec<_> = many.iter().map(|(name, deflated)| (&**name, MODULE, *deflated)).collect();
        for bytes in [tar(&tarred), zip(&deflated), zip(&either)] {
            let ChangingSink { seen, reported, was_read, .. } = changing(&bytes, 100, ChangeTime::BlobAdded);
            assert!((1..100).contains(&seen) && !was_read, "{seen}");
            assert_eq!(reported, ["unreadable", "changed"]);
        }
    }

    /// The remaining bytes still identify it as a module; the reader reports the rest.
    #[test]
    fn file_that_shrinks_before_the_read_is_a_blob() {
        let ChangingSink { parts, seen, passed, reported, .. } = changing(MODULE, 4, ChangeTime::Opened);
        assert_eq!((seen, passed, reported.len()), (1, 0, 0), "it begins as a module does: {reported:?}");
        assert_eq!(parts, [(0..MODULE.len() as u64, MODULE[..4].to_vec())]);
    }

    #[test]
    fn hard_links_are_one_blob() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("d")).unwrap();
        fs::write(path("b"), MODULE).unwrap();
        fs::hard_link(path("b"), path("a")).unwrap();
        fs::hard_link(path("b"), path("d/c")).unwrap();
        fs::write(path("z"), OTHER).unwrap();
        fs::write(path("text"), b"text").unwrap();
        fs::hard_link(path("text"), path("text2")).unwrap();
        fs::write(path("x.tgz"), gzip(&tar(&[("m", MODULE)]))).unwrap();
        fs::hard_link(path("x.tgz"), path("y.tgz")).unwrap();
        let recorder = walk_path(directory.path());
        assert_eq!(recorder.files(), ["z", "a", "x.tgz!m"]); // after the others, in the order of their first names
        assert_eq!(recorder.blob("a").other_names, ["b", "d/c"]);
        assert_eq!(recorder.blob("x.tgz!m").other_names, ["y.tgz!m"]);
        assert_eq!(recorder.passed, 2);
        let queried: Vec<_> =
            recorder.queried.iter().map(|(file, _)| text(file).rsplit('/').next().unwrap().to_owned()).collect();
        assert_eq!(queried, ["z", "a", "x.tgz"]);
    }

    #[test]
    fn linked_files_wait_for_all_names() {
        let directory = tempfile::tempdir().unwrap();
        for nth in 0..1000 {
            fs::write(directory.path().join(format!("{nth:03}")), MODULE).unwrap();
            fs::hard_link(directory.path().join(format!("{nth:03}")), directory.path().join(format!("{nth:03}b")))
                .unwrap();
        }
        let options = WalkOptions::default();
        let (sender, receiver) = std::sync::mpsc::channel::<Unit>();
        let receiver = std::sync::Mutex::new(receiver);
        let blobs = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut recorder = Recorder::default();
                    loop {
                        let unit = receiver.lock().unwrap().recv();
                        let Ok(unit) = unit else { break };
                        unit.inspect(&options, read_options(), &mut Scratch::default(), &mut recorder);
                    }
                    blobs.lock().unwrap().extend(recorder.blobs);
                });
            }
            walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
                sender.send(unit).unwrap();
                ControlFlow::Continue(())
            });
            drop(sender);
        });
        let mut blobs = blobs.into_inner().unwrap();
        blobs.sort_by(|a, b| a.file.cmp(&b.file));
        assert_eq!(blobs.len(), 1000);
        assert!(blobs.iter().all(|blob| blob.other_names.len() == 1));
    }

    /// A walk does not wait for units that are never inspected, if the audit stops.
    #[test]
    fn stopped_walk_does_not_wait_for_units() {
        let directory = tempfile::tempdir().unwrap();
        (0..1000).for_each(|nth| fs::write(directory.path().join(format!("{nth:03}")), MODULE).unwrap());
        let stops = std::sync::atomic::AtomicBool::new(false);
        let (sender, units) = std::sync::mpsc::channel();
        let (ends, ended) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let (directory, stops) = (&directory, &stops);
            scope.spawn(move || {
                let should_stop = || stops.load(std::sync::atomic::Ordering::Relaxed);
                walk(&[directory.path().into()], &WalkOptions::default(), &should_stop, &mut |unit| {
                    sender.send(unit).unwrap();
                    ControlFlow::Continue(())
                });
                ends.send(()).unwrap();
            });
            let mut files = 0;
            let mut waiting = Vec::new();
            while files < 1000 {
                let unit = units.recv().unwrap();
                files += unit.len();
                waiting.push(unit);
            }
            assert!(ended.recv_timeout(std::time::Duration::from_millis(300)).is_err(), "it waits for the units");
            stops.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(ended.recv_timeout(std::time::Duration::from_secs(60)).is_ok());
            drop(waiting);
        });
    }
}
