//! What a power cut leaves: replays the records of `powercut.c` and builds the disk as it may look afterwards.
//!
//! Assumed of the disk: what was synced (fsync, fdatasync) stays; of what was written since, nothing stays, or each write
//! does or does not, or each sector of 512 bytes does or does not. `sync_file_range` promises nothing. Names (create, rename,
//! unlink) change in order and are safe once their directory was synced.

use crate::dice::Dice;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const SECTOR: usize = 512;

/// What happens to writes made since the last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Undone,
    EachByChance,
    Torn,
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: u8,
    fd: u32,
    offset: u64,
    pub(crate) first: Vec<u8>,
    second: Vec<u8>,
}

pub(crate) fn read_log(path: &Path) -> Vec<Record> {
    let log = std::fs::read(path).unwrap();
    let mut rest = log.as_slice();
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(21);
        let number = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
        let offset = u64::from_ne_bytes(head[5..13].try_into().unwrap());
        let (first, tail) = tail.split_at(number(13) as usize);
        let (second, tail) = tail.split_at(number(17) as usize);
        records.push(Record { kind: head[0], fd: number(1), offset, first: first.to_vec(), second: second.to_vec() });
        rest = tail;
    }
    records
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Naming {
    Is(String, usize),
    Gone(String),
    /// A file, or a directory with all in it.
    Moved(String, String),
    Directory(String),
}

/// The disk while the records are replayed.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    directories: Vec<String>,
    namings: Vec<Naming>,
    open: HashMap<u32, Option<usize>>,
    /// What was written to the file of this name is an acknowledgement, not data.
    ack: String,
    pub(crate) acknowledged: u64,
    /// A disk on which fdatasync does nothing: the negative control, since only the store's own rule calls it.
    pub(crate) ignores_fdatasync: bool,
}

fn apply(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    content.resize(content.len().max(at + data.len()), 0);
    content[at..at + data.len()].copy_from_slice(data);
}

impl Disk {
    pub(crate) fn new(ack: &Path) -> Self {
        Self { ack: ack.to_str().unwrap().to_owned(), ..Self::default() }
    }

    pub(crate) fn replay(&mut self, record: &Record) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        match record.kind {
            b'P' => self.open.clear(),
            b'O' | b'T' => self.opened(record, text(&record.first)),
            b'C' => drop(self.open.remove(&record.fd)),
            b'W' => self.written(record),
            b'L' => self.change(record.fd, Change::Length(usize::try_from(record.offset).unwrap())),
            b'D' if self.ignores_fdatasync => {}
            b'F' | b'D' => self.synced(record.fd),
            b'R' => {}
            b'N' => {
                let moved = Naming::Moved(text(&record.first), text(&record.second));
                name(&mut self.names, &mut Vec::new(), std::slice::from_ref(&moved));
                self.namings.push(moved);
            }
            b'U' => {
                self.names.remove(&text(&record.first));
                self.namings.push(Naming::Gone(text(&record.first)));
            }
            b'M' => self.namings.push(Naming::Directory(text(&record.first))),
            other => panic!("unknown record {other}"),
        }
    }

    fn opened(&mut self, record: &Record, path: String) {
        let fd = record.fd;
        if record.offset == 1 {
            self.open.insert(fd, None);
            return;
        }
        let inode = *self.names.entry(path.clone()).or_insert_with(|| {
            self.inodes.push(Inode::default());
            self.namings.push(Naming::Is(path, self.inodes.len() - 1));
            self.inodes.len() - 1
        });
        self.open.insert(fd, Some(inode));
        if record.kind == b'T' {
            self.change(fd, Change::Length(0));
        }
    }

    fn written(&mut self, record: &Record) {
        let inode = self.open.get(&record.fd).copied().flatten().unwrap();
        if self.names.get(&self.ack) == Some(&inode) {
            self.acknowledged = std::str::from_utf8(&record.first).unwrap().trim().parse().unwrap();
        } else {
            self.change(record.fd, Change::Write(usize::try_from(record.offset).unwrap(), record.first.clone()));
        }
    }

    fn change(&mut self, fd: u32, change: Change) {
        let inode = self.open.get(&fd).copied().flatten().unwrap();
        self.inodes[inode].pending.push(change);
    }

    fn synced(&mut self, fd: u32) {
        if let Some(inode) = self.open.get(&fd).copied().flatten() {
            let Inode { durable, pending } = &mut self.inodes[inode];
            for change in pending.drain(..) {
                match change {
                    Change::Write(at, data) => apply(durable, at, &data),
                    Change::Length(length) => durable.resize(length, 0),
                }
            }
        } else {
            let safe: Vec<_> = self.namings.drain(..).collect();
            name(&mut self.durable_names, &mut self.directories, &safe);
        }
    }

    /// Builds what is left after a cut now, with the recorded root `from` becoming `to`.
    pub(crate) fn cut(&self, fate: Fate, dice: &mut Dice, from: &Path, to: &Path) {
        let kept = if fate == Fate::Undone { 0 } else { dice.under(self.namings.len() as u64 + 1) };
        let (mut names, mut directories) = (self.durable_names.clone(), self.directories.clone());
        name(&mut names, &mut directories, &self.namings[..usize::try_from(kept).unwrap()]);
        let moved = |path: &str| to.join(Path::new(path).strip_prefix(from).unwrap());
        for directory in directories {
            std::fs::create_dir_all(moved(&directory)).unwrap();
        }
        for (path, inode) in names {
            let content = self.inodes[inode].after(fate, dice);
            std::fs::write(moved(&path), content).unwrap();
        }
    }
}

fn name(names: &mut BTreeMap<String, usize>, directories: &mut Vec<String>, namings: &[Naming]) {
    for naming in namings {
        match naming {
            Naming::Is(path, inode) => drop(names.insert(path.clone(), *inode)),
            Naming::Gone(path) => drop(names.remove(path)),
            Naming::Directory(path) => directories.push(path.clone()),
            Naming::Moved(from, to) => {
                let moved = |path: &String| match path.strip_prefix(from.as_str()) {
                    Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{to}{rest}"),
                    _ => path.clone(),
                };
                *names = names.iter().map(|(path, inode)| (moved(path), *inode)).collect();
                *directories = directories.iter().map(moved).collect();
            }
        }
    }
}

impl Inode {
    fn after(&self, fate: Fate, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.durable.clone();
        for change in &self.pending {
            let stays = fate != Fate::Undone && dice.under(2) == 0;
            match change {
                Change::Length(length) if stays => content.resize(*length, 0),
                Change::Write(at, data) if fate == Fate::Torn => {
                    let mut done = 0;
                    while done < data.len() {
                        let piece = (SECTOR - (at + done) % SECTOR).min(data.len() - done);
                        if dice.under(2) == 0 {
                            apply(&mut content, at + done, &data[done..done + piece]);
                        }
                        done += piece;
                    }
                }
                Change::Write(at, data) if stays => apply(&mut content, *at, data),
                Change::Length(_) | Change::Write(..) => {}
            }
        }
        content
    }
}
