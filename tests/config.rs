//! Configurations as data: `tests/data/cli/config/NAME.toml` is read, and every fault must stand in `NAME.txt`, in this
//! order, and no other (an empty file: accepted). `ANNAI_BLESS=1` writes the `.txt` files anew for review.
#![cfg(feature = "daemon")]

use annai::config::{AfterReading, Config, ImapLogin};
use annai::tls::Tls;
use std::path::{Path, PathBuf};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cli/config")
}

fn check(name: &str) {
    let path = dir().join(name);
    let faults = match Config::load(&path) {
        Ok(_) => String::new(),
        Err(faults) => {
            assert!(!faults.is_empty(), "{name}: refused without a reason");
            faults.iter().map(|f| format!("{f}\n")).collect()
        }
    };
    let faults = faults.replace(&format!("{}/", dir().display()), "");
    assert!(!faults.contains("hunter2"), "{name}: a value is shown");
    let expected = path.with_extension("txt");
    if std::env::var_os("ANNAI_BLESS").is_some() {
        std::fs::write(&expected, &faults).unwrap();
    }
    assert_eq!(faults, std::fs::read_to_string(&expected).unwrap_or_default(), "{name}");
}

#[test]
fn every_fault_is_named_with_its_line_and_remedy() {
    let names: Vec<String> = std::fs::read_dir(dir())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| Path::new(n).extension().is_some_and(|e| e == "toml"))
        .collect();
    assert!(names.len() >= 6);
    names.iter().for_each(|n| check(n));
}

#[test]
fn defaults_are_safe_and_paths_are_beside_the_file() {
    let config = Config::load(&dir().join("minimal.toml")).unwrap();
    assert_eq!((config.imap.port, config.imap.tls, config.imap.mailbox.as_str()), (993, Tls::Implicit, "INBOX"));
    assert_eq!((config.smtp.port, config.smtp.tls, config.smtp.max_per_minute), (587, Tls::StartTls, 0));
    assert_eq!(config.imap.login, ImapLogin::PasswordFile(dir().join("secrets/imap-password")));
    assert_eq!(config.imap.after, AfterReading::Keyword);
    assert_eq!(config.state_dir, dir().join("state"));
    assert_eq!(config.keys.master_key_file, dir().join("secrets/master.key"));
    assert_eq!(config.web.pickup_url, "https://pickup.example.jp");
    assert!(config.web.pickup_listen.ip().is_loopback() && config.web.console_listen.ip().is_loopback());
    assert!(!config.test.enabled && config.rules_dir.is_none());
    assert_eq!(config.keys.unzip_password().unwrap().reveal(), "kikokuFU2020");
}

#[test]
fn every_setting_of_the_contract_is_taken() {
    let config = Config::load(&dir().join("contract.toml")).unwrap();
    assert_eq!(config.imap.after, AfterReading::Move("Processed".to_owned()));
    assert_eq!(config.keys.master_key_file, Path::new("credential:master-key"));
    assert_eq!(config.rules_dir, Some(dir().join("rules")));
    assert!(config.test.enabled && config.smtp.dkim.is_some() && config.smtp.login.is_some());
    assert!(config.web.tls.is_some() && config.web.gate_listen.is_some());
}

/// Whatever a file holds, the answer is a configuration or a list of faults on lines that exist.
#[test]
fn damaged_files_are_refused_with_lines_that_exist() {
    let good = std::fs::read(dir().join("contract.toml")).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("annai.toml");
    let mut chance = 20_200_501_u64;
    let mut next = |below: usize| {
        // Knuth's MMIX generator: the same damage in every run.
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(chance >> 33).unwrap() % below
    };
    let mut refused = 0;
    for round in 0..600 {
        let mut bytes = good.clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(3) {
                0 => bytes[at] = b"\0\"=[]\n{'\xff#"[next(10)],
                1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
        if let Err(faults) = Config::load(&path) {
            refused += 1;
            assert!(!faults.is_empty(), "round {round}");
            assert!(
                faults.iter().all(|f| f.line.is_none_or(|l| (1..=lines).contains(&l))),
                "round {round}: {faults:?}"
            );
        }
    }
    assert!(refused > 100, "{refused}");
}
