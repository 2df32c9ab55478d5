//! `annai rules`: check a rules directory, and try rules on sample mails, so that a programme's owner can change them
//! and see at once what becomes of mails whose reading is known.

use super::args::{RulesArgs, RulesVerb};
use super::ask::{Desk, items, text};
use super::read::read_json;
use super::{Cli, CliError, clean, load_rules};
use crate::daemon::control::Request;
use crate::domain::MailNo;
use crate::rules::Rules;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(args: &RulesArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    match &args.verb {
        RulesVerb::Check { dir: Some(dir) } => load_rules(Some(dir)).map(|_| ())?,
        RulesVerb::Check { dir: None } => cli.rules(None).map(|_| ())?,
        RulesVerb::Test { rules, fixtures: Some(fixtures), record } => {
            return test(fixtures, &cli.rules(rules.as_deref())?, *record, cli.json);
        }
        RulesVerb::Test { rules, fixtures: None, .. } => return retest(rules.as_deref(), cli),
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

/// All stored mails by the rules in force and by others.
fn retest(dir: Option<&Path>, cli: &Cli) -> Result<ExitCode, CliError> {
    let config = cli.load_config()?;
    let dir = dir.map(Path::to_owned).or(config.rules_dir);
    // Every fault of the new rules at once, before anything is read by them.
    load_rules(dir.as_deref())?;
    let dir = dir.map(std::path::absolute).transpose()?;
    let mut desk = Desk::open(cli)?;
    let (mut mails, mut items, mut after) = (0, Vec::new(), None);
    loop {
        let mut part = desk.ask(&Request::Retest { rules: dir.clone(), after })?;
        mails += part.get("mails").and_then(Value::as_u64).unwrap_or_default();
        if let Some(Value::Array(more)) = part.get_mut("items").map(Value::take) {
            items.extend(more);
        }
        after = part.get("next").and_then(Value::as_u64).map(MailNo);
        if after.is_none() {
            break;
        }
    }
    let differ = !items.is_empty();
    desk.print(&json!({"mails": mails, "different": items.len(), "items": items}), told)?;
    Ok(if differ { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One block per mail: what it was, what it would be.
fn told(report: &Value) -> String {
    let mut out = String::new();
    for item in items(report, "/items") {
        let _ = writeln!(out, "メール{}　{}　{}", text(item, "/mail"), text(item, "/from"), text(item, "/subject"));
        for (label, part) in
            [("扱い", "disposition"), ("自治体", "authority"), ("理由", "reasons"), ("不達", "recipients")]
        {
            let side = |side: &str| shown(item.pointer(&format!("/{side}/{part}")));
            change(&mut out, label, &side("before"), &side("after"));
        }
        let names = |side: &str| item.pointer(&format!("/{side}/tenants")).and_then(Value::as_object);
        let all: BTreeSet<&String> = ["before", "after"].into_iter().filter_map(names).flat_map(|t| t.keys()).collect();
        for name in all {
            let side = |side: &str| {
                names(side)
                    .and_then(|tenants| tenants.get(name))
                    .map_or("記載なし".to_owned(), |address| shown(Some(address)))
            };
            change(&mut out, &clean(name), &side("before"), &side("after"));
        }
    }
    let _ = writeln!(out, "{}通を読み直し、{}通の結果が変わります", text(report, "/mails"), text(report, "/different"));
    out
}

fn change(out: &mut String, label: &str, before: &str, after: &str) {
    if before != after {
        let _ = writeln!(out, "  {label}：{before} → {after}");
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "なし".to_owned(),
        Some(Value::Array(all)) if all.is_empty() => "なし".to_owned(),
        Some(Value::Array(all)) => all.iter().map(|one| text(one, "")).collect::<Vec<_>>().join("、"),
        Some(one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_))) => text(one, ""),
    }
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
