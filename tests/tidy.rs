//! House rules, held against the text of the sources: layers, who imports which crate, sizes, headers, and that documents
//! name tests that exist. A rule that needs an exception has a table here, with the reason beside each entry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

/// Layers by module, as the table in src/lib.rs says.
const LAYERS: [&[&str]; 5] = [
    &["domain"],
    &["rules", "reading", "workflow", "letters"],
    &["clock", "crypto", "tls", "store", "pki", "engine"],
    &["intake", "dispatch", "scheduler", "web", "sandbox", "health"],
    &["config", "telemetry", "daemon", "cli", "demo", "main", "lib"],
];

/// Imports upwards that are meant: file, module, why.
const UPWARD: [(&str, &str, &str); 1] =
    [("src/engine/views/status.rs", "health", "the status shows how the loops are; `Vitals` are plain values")];

/// Where an outside crate may be used. One home each; more only with the reason.
const HOMES: &[(&str, &[&str])] = &[
    ("argon2", &["crypto"]),
    ("async_imap", &["intake", "telemetry"]), // telemetry silences its log
    ("aws_lc_rs", &["crypto", "tls"]),        // tls: the provider rustls runs on is this library
    ("axum", &["web", "demo"]),               // demo: the viewer of the sandbox mailboxes
    ("calamine", &["reading"]),
    ("chrono", &["domain", "scheduler", "sandbox"]), // scheduler: cron's own types; sandbox: INTERNALDATE
    ("clap", &["cli"]),
    ("cron", &["scheduler"]),
    ("csv", &["rules"]),
    ("encoding_rs", &["reading", "letters", "sandbox", "demo"]), // letters write ISO-2022-JP; sandbox and demo play others
    ("hickory_resolver", &["cli"]),
    ("imap_codec", &["sandbox"]),
    ("imap_types", &["sandbox"]),
    ("lettre", &["letters", "dispatch", "telemetry"]), // builder; SMTP half; telemetry silences its log
    ("mail_auth", &["dispatch", "intake"]),            // signing; checking, with the resolver it brings
    ("mail_parser", &["reading"]),
    ("minijinja", &["letters", "web", "demo"]), // mails and pages
    ("rcgen", &["pki"]),
    ("der", &["pki"]),
    ("p12_keystore", &["pki"]),
    ("pkcs12", &["pki"]),
    ("sha1", &["pki"]),
    ("sha2", &["pki"]),
    ("x509_cert", &["pki"]),
    ("x509_parser", &["pki"]),
    ("regex", &["rules", "reading"]), // patterns are given in rules and used in reading
    ("rustix", &["cli"]),
    ("sd_notify", &["cli"]),
    ("sled", &["store", "telemetry"]), // telemetry silences its log
    ("socket2", &["intake"]),
    ("toml", &["rules", "config", "demo"]), // files of staff; the story of the demo
    ("tracing_subscriber", &["telemetry"]),
    ("unicode_normalization", &["rules", "reading", "letters", "crypto"]), // names, lines, lint, typed codes
    ("unicode_width", &["cli", "demo"]),                                   // columns of a terminal
    ("zip", &["letters", "reading"]),                                      // reading: what an attached table unpacks to
];

/// Functions longer than the rule, with the reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("src/workflow/enrolment.rs::step", "the transition table itself: every state and event once"),
    ("src/workflow/delivery.rs::step", "the transition table itself: every state and event once"),
    ("src/rules/names.rs::variant", "a table of characters"),
    ("src/engine/staff.rs::act", "the table of verbs: each is done once"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(dir), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let found = found.into_iter().filter(|path| path.to_str().unwrap().ends_with(ending));
    found.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

fn sources() -> Vec<(String, String)> {
    let sources = files("src", ".rs");
    assert!(sources.len() > 100, "the sources were found");
    sources
}

/// A line without its comment; string literals of this house hold no `//` before code.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn module(file: &str) -> &str {
    let inner = file.strip_prefix("src/").unwrap();
    inner.split('/').next().unwrap().trim_end_matches(".rs")
}

fn layer(module: &str) -> usize {
    LAYERS.iter().position(|layer| layer.contains(&module)).unwrap_or_else(|| panic!("{module} stands in no layer"))
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_import_their_own_folder_and_lower_layers_only() {
    let mut faults = Vec::new();
    let mut meant = BTreeSet::new();
    for (file, text) in sources() {
        let own = module(&file);
        for (no, line) in text.lines().enumerate() {
            for part in code(line).split("crate::").skip(1) {
                let word: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if word == own || word.is_empty() || own == "lib" || layer(&word) < layer(own) {
                    continue;
                }
                if layer(&word) == layer(own) && layer(own) > 0 {
                    continue;
                }
                match UPWARD.iter().find(|(of, to, _)| *of == file && *to == word) {
                    Some(exception) => drop(meant.insert(exception)),
                    None => faults.push(format!("{file}:{}: {own} must not know {word}", no + 1)),
                }
            }
        }
    }
    none(&faults);
    assert_eq!(meant.len(), UPWARD.len(), "an exception nobody needs");
}

#[test]
fn pure_layers_know_no_time_chance_io_or_log() {
    let pure: BTreeSet<&str> = LAYERS[0].iter().chain(LAYERS[1]).copied().collect();
    let forbidden =
        ["std::fs", "std::net", "std::thread", "SystemTime::now", "Instant::now", "tokio::", "tracing::", "println!"];
    let mut faults = Vec::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| pure.contains(module(file))) {
        let production = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (no, line) in production.lines().enumerate() {
            faults.extend(
                forbidden.iter().filter(|w| code(line).contains(**w)).map(|w| format!("{file}:{}: {w}", no + 1)),
            );
        }
    }
    none(&faults);
}

#[test]
fn every_outside_crate_has_its_home() {
    let mut faults = Vec::new();
    let mut used: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (file, text) in sources() {
        for (name, homes) in HOMES {
            let path = format!("{name}::");
            let boundary =
                |at: usize, line: &str| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let is_used = text.lines().any(|line| {
                code(line).match_indices(&path).any(|(at, _)| boundary(at, line))
                    || code(line).contains(&format!("\"{name}="))
            });
            if is_used {
                *used.entry((name, module(&file).to_owned())).or_default() += 1;
                if !homes.contains(&module(&file)) {
                    faults.push(format!("{file}: {name} lives in {homes:?}"));
                }
            }
        }
    }
    none(&faults);
    let missing = HOMES.iter().filter(|(name, _)| !used.keys().any(|(of, _)| of == name)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "crates nobody uses: {missing:?}");
}

#[test]
fn files_introduce_themselves_and_stay_small() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        if !text.starts_with("//! ") {
            faults.push(format!("{file}: begins without //!"));
        }
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{file}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
    }
    none(&faults);
}

#[test]
fn functions_stay_small() {
    let mut faults = Vec::new();
    let mut long = BTreeSet::new();
    for (file, text) in sources() {
        let mut open: Option<(String, usize, usize)> = None;
        for (no, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match &open {
                None => {
                    let name = code(line).split_once("fn ").filter(|(before, _)| {
                        before.trim().split(' ').all(|w| {
                            w.is_empty() || w.starts_with("pub") || ["async", "const", "unsafe", "super)"].contains(&w)
                        })
                    });
                    if let Some((_, rest)) = name.filter(|_| !line.trim_end().ends_with([';', '}'])) {
                        let name = rest.split(['(', '<']).next().unwrap_or_default().to_owned();
                        open = Some((name, no, indent));
                    }
                }
                Some((name, from, at)) if indent == *at && line.trim_start() == "}" => {
                    let (length, key) = (no - from + 1, format!("{file}::{name}"));
                    if length > FUNCTION_LINES_MAX {
                        if !LONG_FUNCTIONS.iter().any(|(of, _)| *of == key) {
                            faults.push(format!("{key}: {length} lines, at most {FUNCTION_LINES_MAX}"));
                        }
                        long.insert(key);
                    }
                    open = None;
                }
                Some((_, _, at)) if indent == *at && line.trim_end().ends_with(';') => open = None,
                Some(_) => {}
            }
        }
    }
    none(&faults);
    let unneeded = LONG_FUNCTIONS.iter().filter(|(of, _)| !long.contains(*of)).collect::<Vec<_>>();
    assert!(unneeded.is_empty(), "exceptions nobody needs: {unneeded:?}");
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // Written apart, so that this file does not find itself.
    let words = [["to", "do!("], ["unimplem", "ented!("], ["db", "g!("], ["FIX", "ME"], ["XX", "X"], ["#[ign", "ore"]]
        .map(|w| w.concat());
    let mut faults = Vec::new();
    for (file, text) in sources().into_iter().chain(files("tests", ".rs")).chain(files("benches", ".rs")) {
        for (no, line) in text.lines().enumerate() {
            faults
                .extend(words.iter().filter(|w| line.contains(w.as_str())).map(|w| format!("{file}:{}: {w}", no + 1)));
            let allows = line.trim_start().starts_with("#[allow(") || line.trim_start().starts_with("#![allow(");
            if allows && !text.lines().skip(no).take(4).any(|l| l.contains("reason = ")) {
                faults.push(format!("{file}:{}: allow without a reason", no + 1));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_letter_has_its_template_and_every_template_its_letter() {
    let kinds: BTreeSet<String> =
        annai::letters::LetterKind::ALL.iter().map(|kind| format!("{}.txt", kind.name())).collect();
    let templates = files("templates/mail", ".txt");
    let files: BTreeSet<String> =
        templates.iter().map(|(file, _)| file.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, files);
}

/// `tests/file.rs::name` in any document: the test is in that file or in the folder of the same name.
#[test]
fn documents_name_tests_that_exist() {
    let tests = files("tests", ".rs");
    let documents =
        ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"].map(|name| (name, fs::read_to_string(root().join(name))));
    let mut faults = Vec::new();
    for (name, text) in documents.iter().filter_map(|(name, text)| text.as_ref().ok().map(|text| (name, text))) {
        for quoted in
            text.split('`').skip(1).step_by(2).filter(|quoted| quoted.starts_with("tests/") && quoted.contains(".rs::"))
        {
            let (file, test) = quoted.split_once("::").unwrap();
            let folder = file.replace(".rs", "/");
            let function = test.rsplit("::").next().unwrap();
            let exists =
                |text: &str| text.contains(&format!("fn {function}(")) || text.contains(&format!("fn {function}<"));
            if !tests.iter().any(|(of, text)| (of == file || of.starts_with(&folder)) && exists(text)) {
                faults.push(format!("{name}: there is no {quoted}"));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (mut inside, mut told, mut faults, mut count) = (false, false, Vec::new(), 0);
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line == "[dev-dependencies]";
            told = false;
        } else if line.starts_with('#') {
            told = true;
        } else if line.is_empty() {
            told = false;
        } else if inside && line.contains(" = ") {
            count += 1;
            if !told {
                faults.push(format!("Cargo.toml: {line} has no comment above it"));
            }
        }
    }
    none(&faults);
    assert!(count > 30, "the dependencies were found");
}
