use super::*;

#[test]
fn files_are_told_by_content_in_the_order_of_names() {
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
    let shown = show(directory.path());
    assert_eq!(shown.files(), ["B", "a.wasm", "b/inner/.hidden", "empty.wasm", "z"]);
    assert_eq!((shown.passed, shown.bytes_read), (4, 13)); // the text and the rules
    assert!(shown.blobs.iter().all(|blob| blob.is_part && blob.has_state), "{shown:?}");
    assert_eq!(shown.blob("z").bytes, MODULE);

    let options = WalkOptions { ignore_rules: true, ..WalkOptions::default() };
    let ignoring = show_with(&[directory.path()], &options, Shown::default());
    assert_eq!(ignoring.blobs.len(), 4);
}

#[test]
fn what_is_known_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a"), directory.path().join("b.tgz"));
    fs::write(&a, MODULE).unwrap();
    fs::write(&b, gzip(&tar(&[("m", MODULE)]))).unwrap();
    let known = [a.clone().into_os_string(), b.clone().into()].into();
    let shown = show_with(&[directory.path()], &WalkOptions::default(), Shown { known, ..Shown::default() });
    assert!(shown.blobs.is_empty() && shown.bytes_read == 0 && shown.inflated == 0, "{shown:?}");
    let before = &shown.asked[0].1.0;
    fs::write(&a, OTHER).unwrap();
    let after = show(directory.path());
    assert_ne!(&after.asked[0].1.0, before);
}

#[test]
fn several_paths_and_none() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a"), directory.path().join("-"));
    fs::write(&a, MODULE).unwrap();
    fs::create_dir(&b).unwrap();
    fs::write(b.join("c"), MODULE).unwrap();
    let missing = directory.path().join("missing");
    let shown = show_with(&[&b, &a, &missing, &a], &WalkOptions::default(), Shown::default());
    assert_eq!(shown.files(), [text(b.join("c").as_os_str()), text(a.as_os_str())]);
    assert_eq!(shown.codes(), [format!("unreadable {}", missing.display())]);
}

#[test]
fn many_files_of_one_directory_come_in_units() {
    let directory = tempfile::tempdir().unwrap();
    for nth in 0..65_536 {
        fs::write(directory.path().join(format!("{nth:05}")), []).unwrap();
    }
    let mut units = 0;
    let mut shown = Shown::default();
    let options = WalkOptions::default();
    walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
        units += 1;
        unit.look_into(&options, asked(), &mut Scratch::default(), &mut shown);
        ControlFlow::Continue(())
    });
    let (few, many) = (super::super::batch(0), super::super::batch(u64::MAX));
    assert_eq!((units, shown.passed), (32 + (65_536 - 32 * few).div_ceil(many) + 1, 65_536));

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
    fn what_is_no_file_is_recorded_and_never_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("d")).unwrap();
        symlink("..", path("d/loop")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        symlink("nowhere", path("nowhere.wasm")).unwrap();
        fs::write(path("m"), MODULE).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let shown = show(directory.path());
        assert_eq!(shown.files(), ["m"]);
        let codes = [
            "not-followed d/loop",
            "not-followed device",
            "not-a-file fifo",
            "not-followed nowhere.wasm",
            "not-a-file socket",
        ];
        assert_eq!(shown.codes(), codes);
        // Named by who asks, a link is followed, and a FIFO is still not waited for.
        symlink(path("m"), path("named")).unwrap();
        symlink(path("d"), path("directory")).unwrap();
        fs::write(path("d/x"), MODULE).unwrap();
        let shown =
            show_with(&[&path("named"), &path("fifo"), &path("directory")], &WalkOptions::default(), Shown::default());
        let base = format!("{}/", directory.path().display());
        assert_eq!(shown.files(), [format!("{base}named"), format!("{base}directory/x")]);
        assert_eq!(shown.codes(), [format!("not-a-file {base}fifo"), format!("not-followed {base}directory/loop")]);
    }

    #[test]
    fn a_name_that_is_not_utf8() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(OsStr::from_bytes(b"\xff\x1b[31m.wasm"));
        fs::write(&path, MODULE).unwrap();
        let shown = show_with(&[directory.path()], &WalkOptions::default(), Shown::default());
        assert_eq!((shown.blobs.len(), &shown.asked[0].0), (1, &path.into_os_string()));
    }

    #[test]
    fn what_vanishes_meanwhile_is_recorded() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(directory.path().join(name), MODULE).unwrap();
        }
        let (mut shown, options) = (Shown::default(), WalkOptions::default());
        walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
            fs::remove_file(directory.path().join("a")).unwrap();
            fs::remove_file(directory.path().join("b")).unwrap();
            symlink("c", directory.path().join("b")).unwrap();
            unit.look_into(&options, asked(), &mut Scratch::default(), &mut shown);
            ControlFlow::Continue(())
        });
        let codes: Vec<_> = shown.troubles.iter().map(|trouble| trouble.code.name()).collect();
        assert_eq!((shown.blobs.len(), codes), (1, vec!["unreadable", "not-followed"]));
    }

    #[test]
    fn a_directory_that_vanishes_is_recorded() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        (0..64).for_each(|nth| fs::write(path(&format!("a{nth}")), MODULE).unwrap());
        fs::create_dir(path("gone")).unwrap();
        fs::write(path("z"), MODULE).unwrap();
        let (mut shown, options) = (Shown::default(), WalkOptions::default());
        walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
            _ = fs::remove_dir(path("gone"));
            unit.look_into(&options, asked(), &mut Scratch::default(), &mut shown);
            ControlFlow::Continue(())
        });
        assert_eq!((shown.blobs.len(), shown.codes()), (65, vec![format!("unreadable {}", path("gone").display())]));
    }

    /// When a file is given another length.
    #[derive(Clone, Copy, PartialEq)]
    enum When {
        /// Once it is opened, before anything of it is read.
        Opened,
        /// Once something in it was seen.
        Seen,
    }

    /// Gives a file another length while it is looked into.
    struct Meddling {
        path: std::path::PathBuf,
        len: u64,
        when: When,
        /// What was seen of parts of the file, and how often anything was.
        parts: Vec<(Range<u64>, Vec<u8>)>,
        seen: usize,
        passed: usize,
        told: Vec<&'static str>,
        was_read: bool,
    }

    impl Meddling {
        fn meddle(&self, when: When) {
            if when == self.when {
                fs::OpenOptions::new().write(true).open(&self.path).unwrap().set_len(self.len).unwrap();
            }
        }
    }

    impl Look for Meddling {
        fn open(&mut self, _: u64) {
            self.meddle(When::Opened);
        }
        fn archive(&mut self, archive: blob::Archive<'_>) {
            self.was_read = archive.was_read;
        }
        fn knows(&mut self, _: &Place, _: &State) -> bool {
            false
        }
        #[cfg(feature = "remote")]
        fn will_know(&self, _: &Place, _: &State) -> bool {
            false
        }
        fn see(&mut self, blob: Blob<'_>) {
            match blob.content {
                Content::Part { range, head, .. } => self.parts.push((range, head.to_vec())),
                Content::Stream(stream) => _ = std::io::copy(stream, &mut std::io::sink()), // fails once there is less
                #[cfg(feature = "remote")]
                Content::Looked(_) => unreachable!("nothing lies far away"),
            }
            self.meddle(When::Seen);
            self.seen += 1;
        }
        fn trouble(&mut self, trouble: Trouble) {
            self.told.push(trouble.code.name());
        }
        fn pass(&mut self, _: u64) {
            self.passed += 1;
        }
        fn stops(&self) -> bool {
            false
        }
    }

    /// Looks into a file of these bytes that is given another length meanwhile.
    fn changing(bytes: &[u8], len: u64, when: When) -> Meddling {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, bytes).unwrap();
        let (parts, told) = (Vec::new(), Vec::new());
        let mut meddling = Meddling { path: path.clone(), len, when, parts, seen: 0, passed: 0, told, was_read: false };
        let options = WalkOptions::default();
        walk(&[path.into()], &options, &|| false, &mut |unit| {
            unit.look_into(&options, asked(), &mut Scratch::default(), &mut meddling);
            ControlFlow::Continue(())
        });
        meddling
    }

    #[test]
    fn an_archive_that_changes_meanwhile_is_recorded() {
        let Meddling { seen, told, was_read, .. } = changing(&tar(&[("m", MODULE)]), 1 << 20, When::Seen);
        assert_eq!((seen, &*told, was_read), (1, &["changed"][..], true));
    }

    /// It cannot be read any further, and another time it may be.
    #[test]
    fn an_archive_that_shrinks_meanwhile_is_left() {
        let many: Vec<_> = (0..100).map(|nth| (format!("{nth}"), nth % 2 == 0)).collect();
        let tarred: Vec<_> = many.iter().map(|(name, _)| (&**name, MODULE)).collect();
        let deflated: Vec<_> = many.iter().map(|(name, _)| (&**name, MODULE, true)).collect();
        let either: Vec<_> = many.iter().map(|(name, deflated)| (&**name, MODULE, *deflated)).collect();
        for bytes in [tar(&tarred), zip(&deflated), zip(&either)] {
            let Meddling { seen, told, was_read, .. } = changing(&bytes, 100, When::Seen);
            assert!((1..100).contains(&seen) && !was_read, "{seen}");
            assert_eq!(told, ["unreadable", "changed"]);
        }
    }

    /// What there is left of it is looked at as what it was: whoever reads on will see.
    #[test]
    fn a_file_that_shrinks_before_it_is_read_has_its_row() {
        let Meddling { parts, seen, passed, told, .. } = changing(MODULE, 4, When::Opened);
        assert_eq!((seen, passed, told.len()), (1, 0, 0), "it begins as a module does: {told:?}");
        assert_eq!(parts, [(0..MODULE.len() as u64, MODULE[..4].to_vec())]);
    }

    #[test]
    fn a_file_with_several_names_is_seen_once() {
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
        let shown = show(directory.path());
        assert_eq!(shown.files(), ["z", "a", "x.tgz!m"]); // behind the others, by their first names
        assert_eq!(shown.blob("a").others, ["b", "d/c"]);
        assert_eq!(shown.blob("x.tgz!m").others, ["y.tgz!m"]);
        assert_eq!(shown.passed, 2);
        let asked: Vec<_> =
            shown.asked.iter().map(|(file, _)| text(file).rsplit('/').next().unwrap().to_owned()).collect();
        assert_eq!(asked, ["z", "a", "x.tgz"]);
    }

    #[test]
    fn the_last_unit_waits_for_those_before_it() {
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
                    let mut shown = Shown::default();
                    loop {
                        let unit = receiver.lock().unwrap().recv();
                        let Ok(unit) = unit else { break };
                        unit.look_into(&options, asked(), &mut Scratch::default(), &mut shown);
                    }
                    blobs.lock().unwrap().extend(shown.blobs);
                });
            }
            walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
                sender.send(unit).unwrap();
                ControlFlow::Continue(())
            });
            drop(sender);
        });
        let blobs = blobs.into_inner().unwrap();
        assert_eq!(blobs.len(), 1000);
        assert!(blobs.iter().all(|blob| blob.others.len() == 1));
        assert!(blobs.windows(2).all(|pair| pair[0].file < pair[1].file));
    }

    /// Whoever has the last unit, and is to stop, does not wait for those that nobody will look into.
    #[test]
    fn who_stops_waits_for_no_unit() {
        let directory = tempfile::tempdir().unwrap();
        (0..1000).for_each(|nth| fs::write(directory.path().join(format!("{nth:03}")), MODULE).unwrap());
        let options = WalkOptions::default();
        let mut units = Vec::new();
        walk(&[directory.path().into()], &options, &|| false, &mut |unit| {
            units.push(unit);
            ControlFlow::Continue(())
        });
        let last = units.pop().unwrap();
        assert!(last.is_last && last.len() > 0 && !units.is_empty());
        let (ends, ended) = std::sync::mpsc::channel();
        let stops_after = Some(last.len()); // all of it is seen
        std::thread::spawn(move || {
            let mut shown = Shown { stops_after, ..Shown::default() };
            last.look_into(&options, asked(), &mut Scratch::default(), &mut shown);
            _ = ends.send(shown.blobs.len()); // to nobody, where that was given up
        });
        assert_eq!(ended.recv_timeout(std::time::Duration::from_secs(60)).ok(), stops_after);
        drop(units);
    }
}
