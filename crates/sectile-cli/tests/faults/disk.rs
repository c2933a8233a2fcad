//! A model of a disk that forgets. After a power cut, each unsynced sector and each unsynced name
//! may be present or missing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::trace::Call;
use sectile_testing::seeded::Seeded;

const SECTOR: u64 = 512;

/// With more parts than this, only a sample of their combinations is tested.
const EXHAUSTIVE: usize = 12;
const SAMPLES: usize = 3000;

/// Whether something survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Undecided until the next sync.
    Pending,
    /// Undecided forever: a sync failed, and the next one does not write the data again.
    Limbo,
    Lasting,
}

/// A directory and its files.
#[derive(Clone, Debug)]
pub struct Disk {
    directory: PathBuf,
    files: Vec<Inode>,
    names: Vec<(Naming, Fate)>,
    /// The names as running programs see them.
    current: BTreeMap<String, usize>,
    open: HashMap<i64, Open>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    /// The content at the beginning.
    durable: Vec<u8>,
    /// In order. No part crosses a sector boundary.
    parts: Vec<(Part, Fate)>,
    /// The lengths so far, the current one last.
    lens: Vec<(u64, Fate)>,
    /// The content as running programs see it.
    current: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Part {
    offset: u64,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Naming {
    gone: Option<String>,
    new: Option<(String, usize)>,
}

#[derive(Clone, Copy, Debug)]
enum Open {
    Directory,
    File(usize),
}

/// A directory after a power cut: the content of each name.
pub type State = BTreeMap<String, Vec<u8>>;

impl Disk {
    /// A disk on which these files are durable.
    pub fn of(directory: &Path, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let directory = directory.canonicalize().unwrap();
        let mut disk =
            Self { directory, files: Vec::new(), names: Vec::new(), current: BTreeMap::new(), open: HashMap::new() };
        for (name, content) in files {
            let lens = vec![(content.len() as u64, Fate::Lasting)];
            disk.files.push(Inode { durable: content.clone(), current: content, lens, parts: Vec::new() });
            let inode = disk.files.len() - 1;
            disk.names.push((Naming { gone: None, new: Some((name.clone(), inode)) }, Fate::Lasting));
            disk.current.insert(name, inode);
        }
        disk
    }

    /// The state as running programs see it.
    pub fn seen(&self) -> State {
        self.current.iter().map(|(name, &inode)| (name.clone(), self.files[inode].current.clone())).collect()
    }

    /// Applies a system call. Returns whether the possible states after a power cut change.
    pub fn carry_out(&mut self, call: &Call) -> bool {
        let args = call.arguments();
        if matches!(&*call.name, "fsync" | "fdatasync") {
            return self.sync(args[0].number(), call.result == 0);
        }
        if call.result < 0 {
            return false;
        }
        match &*call.name {
            "openat" => self.open(&args[1].text(), &args[2].0, call.result),
            "pwrite64" => self.write(args[0].number(), args[3].number(), &args[1].bytes()[..call.result as usize]),
            "copy_file_range" => {
                let Some(&Open::File(source)) = self.open.get(&args[0].number()) else { panic!("{call:?}") };
                let from = args[1].number() as usize;
                let bytes = self.files[source].current[from..from + call.result as usize].to_vec();
                self.write(args[2].number(), args[3].number(), &bytes)
            }
            "ftruncate" | "fallocate" => {
                let Some(&Open::File(inode)) = self.open.get(&args[0].number()) else { panic!("{call:?}") };
                let len = args.last().unwrap().number(); // of a new file, all of it is allocated
                self.files[inode].current.resize(len as usize, 0);
                self.files[inode].lens.push((len as u64, Fate::Pending));
                true
            }
            "rename" => self.rename(&args[0].text(), &args[1].text()),
            "renameat2" => self.rename(&args[1].text(), &args[3].text()),
            "unlink" => {
                let name = self.name(&args[0].text()).unwrap();
                self.current.remove(&name);
                self.names.push((Naming { gone: Some(name), new: None }, Fate::Pending));
                true
            }
            "pread64" | "statx" | "flock" => false,
            name => panic!("the model does not know {name}"),
        }
    }

    /// The name of a path in the directory.
    fn name(&self, path: &str) -> Option<String> {
        let path = self.directory.join(path);
        (path.parent() == Some(&*self.directory)).then(|| path.file_name().unwrap().to_str().unwrap().to_owned())
    }

    fn open(&mut self, path: &str, flags: &str, descriptor: i64) -> bool {
        self.open.remove(&descriptor);
        if self.directory.join(path) == self.directory {
            self.open.insert(descriptor, Open::Directory);
            return false;
        }
        let Some(name) = self.name(path) else { return false };
        let is_new = flags.contains("O_CREAT") && !self.current.contains_key(&name);
        if is_new {
            assert!(flags.contains("O_EXCL"), "{path} {flags}");
            self.files.push(Inode { lens: vec![(0, Fate::Lasting)], ..Inode::default() });
            let inode = self.files.len() - 1;
            self.current.insert(name.clone(), inode);
            self.names.push((Naming { gone: None, new: Some((name.clone(), inode)) }, Fate::Pending));
        }
        self.open.insert(descriptor, Open::File(self.current[&name]));
        is_new
    }

    fn write(&mut self, descriptor: i64, offset: i64, bytes: &[u8]) -> bool {
        let Some(&Open::File(inode)) = self.open.get(&descriptor) else { panic!("a write to {descriptor}") };
        let inode = &mut self.files[inode];
        let (mut offset, mut left) = (offset as u64, bytes);
        let end = offset as usize + bytes.len();
        if inode.current.len() < end {
            inode.current.resize(end, 0);
            inode.lens.push((end as u64, Fate::Pending));
        }
        inode.current[offset as usize..end].copy_from_slice(bytes);
        while !left.is_empty() {
            let len = left.len().min((SECTOR - offset % SECTOR) as usize);
            let (part, rest) = left.split_at(len);
            inode.parts.push((Part { offset, bytes: part.to_vec() }, Fate::Pending));
            offset += len as u64;
            left = rest;
        }
        true
    }

    fn rename(&mut self, from: &str, to: &str) -> bool {
        let (from, to) = (self.name(from).unwrap(), self.name(to).unwrap());
        let inode = self.current.remove(&from).unwrap();
        self.current.insert(to.clone(), inode);
        self.names.push((Naming { gone: Some(from), new: Some((to, inode)) }, Fate::Pending));
        true
    }

    fn sync(&mut self, descriptor: i64, succeeds: bool) -> bool {
        let fate = if succeeds { Fate::Lasting } else { Fate::Limbo };
        let settle = |now: &mut Fate| {
            if *now == Fate::Pending {
                *now = fate;
            }
        };
        match self.open.get(&descriptor) {
            Some(Open::Directory) => self.names.iter_mut().for_each(|(_, now)| settle(now)),
            Some(&Open::File(inode)) => {
                let inode = &mut self.files[inode];
                let is_changed = inode.parts.iter().map(|part| part.1).chain(inode.lens.iter().map(|len| len.1));
                // Any change of a file also writes its current length.
                if is_changed.into_iter().any(|now| now == Fate::Pending) && succeeds {
                    inode.lens.push((inode.current.len() as u64, Fate::Pending));
                }
                inode.parts.iter_mut().for_each(|(_, now)| settle(now));
                inode.lens.iter_mut().for_each(|(_, now)| settle(now));
            }
            None => panic!("a sync of {descriptor}"),
        }
        true
    }

    /// The possible states of the requested names after a power cut now. Also returns whether these
    /// are all states.
    pub fn after_power_cut(&self, wanted: impl Fn(&str) -> bool, random: &mut Seeded) -> (BTreeSet<State>, bool) {
        let (mut states, mut is_all) = (BTreeSet::new(), true);
        let fates: Vec<Fate> = self.names.iter().map(|naming| naming.1).collect();
        let mut namings = BTreeSet::new();
        is_all &= subsets(&fates, random, |is_kept| {
            let mut names = BTreeMap::new();
            for ((naming, _), _) in self.names.iter().zip(is_kept).filter(|(_, is_kept)| **is_kept) {
                naming.gone.as_ref().map(|gone| names.remove(gone));
                names.extend(naming.new.clone());
            }
            names.retain(|name, _| wanted(name));
            namings.insert(names);
        });
        let mut contents: HashMap<usize, Vec<Vec<u8>>> = HashMap::new();
        for names in namings {
            let mut combined = vec![State::new()];
            for (name, inode) in names {
                let contents = contents.entry(inode).or_insert_with(|| {
                    let (contents, is_whole) = self.files[inode].after_power_cut(random);
                    is_all &= is_whole;
                    contents.into_iter().collect()
                });
                if combined.len() * contents.len() > 50_000 {
                    is_all = false;
                    combined = (0..SAMPLES).map(|_| combined[random.below(combined.len())].clone()).collect();
                    for state in &mut combined {
                        state.insert(name.clone(), contents[random.below(contents.len())].clone());
                    }
                    continue;
                }
                let with = |state: &State, content: &Vec<u8>| {
                    let mut state = state.clone();
                    state.insert(name.clone(), content.clone());
                    state
                };
                combined = combined.iter().flat_map(|state| contents.iter().map(move |it| with(state, it))).collect();
            }
            states.extend(combined);
        }
        (states, is_all)
    }
}

impl Inode {
    fn after_power_cut(&self, random: &mut Seeded) -> (BTreeSet<Vec<u8>>, bool) {
        let lasting = self.lens.iter().rposition(|len| len.1 == Fate::Lasting).unwrap();
        let lens: BTreeSet<u64> = self.lens[lasting..].iter().map(|len| len.0).collect();
        let fates: Vec<Fate> = self.parts.iter().map(|part| part.1).collect();
        let mut contents = BTreeSet::new();
        let is_all = subsets(&fates, random, |is_kept| {
            for &len in &lens {
                let mut content = self.durable.clone();
                content.resize(len as usize, 0); // a length without its data
                for ((part, _), _) in self.parts.iter().zip(is_kept).filter(|(_, is_kept)| **is_kept) {
                    let start = (part.offset as usize).min(content.len());
                    let end = (part.offset as usize + part.bytes.len()).min(content.len());
                    content[start..end].copy_from_slice(&part.bytes[..end - start]);
                }
                contents.insert(content);
            }
        });
        (contents, is_all)
    }
}

/// Passes each combination of kept parts to `show`. Durable parts are always kept. Returns whether
/// these were all combinations.
fn subsets(fates: &[Fate], random: &mut Seeded, mut show: impl FnMut(&[bool])) -> bool {
    let open: Vec<usize> = (0..fates.len()).filter(|&place| fates[place] != Fate::Lasting).collect();
    let mut is_kept = vec![true; fates.len()];
    let is_all = open.len() <= EXHAUSTIVE;
    let count = if is_all { 1 << open.len() } else { SAMPLES };
    for choice in 0..count {
        // A sample also contains all parts, no parts, and each prefix, as on a disk that preserves
        // the order.
        let choice = match choice {
            nth if is_all => nth as u64,
            nth if nth <= open.len() => (1 << nth) - 1,
            _ => random.number(),
        };
        for (bit, &place) in open.iter().enumerate() {
            is_kept[place] = choice >> bit & 1 == 1;
        }
        show(&is_kept);
    }
    is_all
}
