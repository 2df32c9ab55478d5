//! Looks for a secret in many files, in every writing it could have slipped out in: as it is, without hyphens, in
//! capitals or small letters, as base64 (wherever it begins), hexadecimal, percent-encoded, quoted-printable and UTF-16.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

pub(crate) struct Canary {
    pub(crate) what: String,
    /// Any of its writings.
    song: Regex,
}

#[derive(Default)]
pub(crate) struct Haystack(Vec<(String, Vec<u8>)>);

/// Shorter pieces would be found by chance.
const NEEDLE_BYTES_MIN: usize = 8;

impl Canary {
    pub(crate) fn new(what: &str, secret: &str) -> Self {
        let bare: String = secret.chars().filter(|c| *c != '-').collect();
        let spellings = [secret, &bare].into_iter().flat_map(|s| [s.to_owned(), s.to_uppercase(), s.to_lowercase()]);
        let needles = spellings.flat_map(|spelling| {
            let wide = |bytes: fn(u16) -> [u8; 2]| spelling.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            let wide = [wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
            let escaped = |sign: char| {
                let ascii =
                    |b: u8| if b.is_ascii_alphanumeric() { char::from(b).into() } else { format!("{sign}{b:02X}") };
                spelling.bytes().map(ascii).collect::<String>().into_bytes()
            };
            let quoted = serde_json::to_string(&spelling).expect("JSON");
            let quoted = quoted.trim_matches('"').as_bytes().to_vec();
            encoded(spelling.as_bytes())
                .into_iter()
                .chain(wide)
                .chain([escaped('%'), escaped('='), quoted])
                .collect::<Vec<_>>()
        });
        Self::of(what, needles.collect())
    }

    pub(crate) fn bytes(what: &str, secret: &[u8]) -> Self {
        Self::of(what, encoded(secret).into_iter().collect())
    }

    fn of(what: &str, needles: BTreeSet<Vec<u8>>) -> Self {
        assert!(needles.iter().all(|needle| needle.len() >= NEEDLE_BYTES_MIN), "{what} is too short to look for");
        let octets =
            |needle: Vec<u8>| needle.iter().fold(String::new(), |octets, byte| octets + &format!("\\x{byte:02x}"));
        let any = needles.into_iter().map(octets).collect::<Vec<_>>().join("|");
        let song = Regex::new(&format!("(?-u:{any})")).expect("an expression");
        Self { what: what.to_owned(), song }
    }
}

impl Haystack {
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) {
        assert!(!bytes.is_empty(), "{name} is empty");
        self.0.push((name.to_owned(), bytes));
    }

    /// Every file below a directory.
    pub(crate) fn add_tree(&mut self, dir: &Path) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                self.add_tree(&entry.path());
            } else if kind.is_file() {
                let path = entry.path().display().to_string();
                self.0.push((path, fs::read(entry.path()).expect("a file")));
            }
        }
    }

    /// Where the canary sings.
    pub(crate) fn find(&self, canary: &Canary) -> Vec<String> {
        self.0.iter().filter(|(_, bytes)| canary.song.is_match(bytes)).map(|(name, _)| name.clone()).collect()
    }
}

/// As it is, hexadecimal, and the part of its base64 that does not depend on what stands around it.
fn encoded(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> Vec<u8> {
        let digit = |b: &u8| if upper { format!("{b:02X}") } else { format!("{b:02x}") };
        bytes.iter().map(digit).collect::<String>().into_bytes()
    };
    let mut all = vec![bytes.to_vec(), hex(false), hex(true)];
    for before in 0..3_usize {
        let shifted: Vec<u8> = std::iter::repeat_n(&0, before).chain(bytes).copied().collect();
        let text = BASE64_STANDARD.encode(&shifted);
        // Digits that hold bits of the bytes before or behind are left out.
        let (first, last) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        let fixed = text.get(first..last).unwrap_or_default();
        all.push(fixed.as_bytes().to_vec());
        all.push(fixed.replace('+', "-").replace('/', "_").into_bytes());
    }
    all
}

#[test]
fn the_search_finds_every_writing() {
    let secret = "AB3D-9XQ7-MN2P";
    let canary = Canary::new("planted", secret);
    let check = |text: Vec<u8>| {
        let mut hay = Haystack::default();
        hay.add("hay", text.clone());
        assert_eq!(hay.find(&canary).len(), 1, "{:?}", String::from_utf8_lossy(&text));
    };
    check(b"x AB3D-9XQ7-MN2P y".to_vec());
    check(b"x ab3d9xq7mn2p y".to_vec());
    check(b"414233442d395851372d4d4e3250".to_vec());
    check("AB3D-9XQ7-MN2P".encode_utf16().flat_map(u16::to_be_bytes).collect());
    check(b"AB3D%2D9XQ7%2DMN2P".to_vec());
    for around in ["", "a", "ab", "abc"] {
        check(BASE64_STANDARD.encode(format!("{around}{secret}\r\n{around}").as_bytes()).into_bytes());
    }
    let mut hay = Haystack::default();
    hay.add("hay", b"AB3D-9XQ7-MN2Q".to_vec());
    assert_eq!(hay.find(&canary), Vec::<String>::new());
}
