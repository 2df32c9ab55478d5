//! `annai rules`: check a rules directory, and try rules on sample mails, so that a programme's owner can change them
//! and see at once what becomes of mails whose reading is known.

use super::args::{RulesArgs, RulesVerb};
use super::read::read_json;
use super::{Cli, CliError, clean, load_rules};
use crate::rules::Rules;
use serde_json::Value;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(args: &RulesArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    match &args.verb {
        RulesVerb::Check { dir: Some(dir) } => load_rules(Some(dir)).map(|_| ())?,
        RulesVerb::Check { dir: None } => cli.rules(None).map(|_| ())?,
        RulesVerb::Test { samples, rules, record } => {
            return test(samples, &cli.rules(rules.as_deref())?, *record, cli.json);
        }
    }
    let built_in =
        matches!(args.verb, RulesVerb::Check { dir: None }) && cli.config.is_none() && !cli.config_path().exists();
    let answer = match (cli.json, built_in) {
        (true, _) => "{\"ok\":true}",
        (false, false) => "the rules are in order",
        (false, true) => "the built-in rules are in order; there is no annai.toml here that names others",
    };
    writeln!(io::stdout(), "{answer}")?;
    Ok(ExitCode::SUCCESS)
}

/// Every NAME.eml against NAME.json; only the names in the JSON are compared, so a sample may state only what matters.
fn test(dir: &Path, rules: &Rules, record: bool, json: bool) -> Result<ExitCode, CliError> {
    let mut out = io::stdout().lock();
    let mails = mails(dir)?;
    if mails.is_empty() {
        return Err(CliError::Usage(format!(
            "{} holds no .eml file; give a directory with sample mails",
            dir.display()
        )));
    }
    let mut differ = 0_usize;
    for (mail, read) in mails.iter().zip(read_json(&mails, rules)) {
        let expected = mail.with_extension("json");
        let faults = match std::fs::read_to_string(&expected) {
            Ok(text) => differences(&expected, &text, &read)?,
            Err(_) if record => {
                std::fs::write(&expected, format!("{read:#}\n"))?;
                Vec::new()
            }
            Err(_) => vec![format!("{} is missing; write it with --record", expected.display())],
        };
        differ += usize::from(!faults.is_empty());
        let name = mail.display().to_string();
        if json {
            writeln!(out, "{}", serde_json::json!({"file": name, "ok": faults.is_empty(), "differences": faults}))?;
        } else {
            let word = if faults.is_empty() { "OK  " } else { "FAIL" };
            writeln!(out, "{word}  {}", clean(&name))?;
            faults.iter().try_for_each(|f| writeln!(out, "      {}", clean(f)))?;
        }
    }
    out.flush()?;
    if differ > 0 {
        let all = mails.len();
        return Err(CliError::Failed(format!(
            "{differ} of {all} mails are read differently; mend the rules or the samples"
        )));
    }
    Ok(ExitCode::SUCCESS)
}

fn mails(dir: &Path) -> Result<Vec<PathBuf>, CliError> {
    let unreadable =
        |e| CliError::Usage(format!("{} cannot be read ({e}); give a directory with sample mails", dir.display()));
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e == "eml") {
            mails.push(path);
        }
    }
    mails.sort();
    Ok(mails)
}

/// Where the reading says something else than expected.
fn differences(file: &Path, expected: &str, read: &Value) -> Result<Vec<String>, CliError> {
    let wrong = |why: String| CliError::Usage(format!("{}: {why}; mend the file", file.display()));
    let expected: Value = serde_json::from_str(expected).map_err(|e| wrong(e.to_string()))?;
    let names = expected.as_object().ok_or_else(|| wrong("no JSON object".to_owned()))?;
    let differs = names.iter().filter(|(name, value)| *name != "file" && read.get(name.as_str()) != Some(value));
    let value = |name: &String| read.get(name.as_str()).unwrap_or(&Value::Null).to_string();
    Ok(differs.map(|(name, wanted)| format!("{name}: expected {wanted}, read {}", value(name))).collect())
}
