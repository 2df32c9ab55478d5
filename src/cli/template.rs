//! `annai template`: check the templates, or look at a letter as it would leave, with sample values and the addresses of
//! the configuration. Nothing is sent.

use super::args::{TemplateArgs, TemplateVerb};
use super::{Cli, CliError, clean, load_templates};
use crate::config::Config;
use crate::domain::{MessageId, Timestamp};
use crate::letters::{Charset, Letter, LetterKind, Stamp, Templates, compose};
use crate::reading::{self, Reading};
use crate::rules::Rules;
use std::io::{self, Write};
use std::process::ExitCode;

/// The day samples are written as of: 2020-05-01T09:00:00+09:00.
const SAMPLE_MOMENT: Timestamp = Timestamp::from_unix(1_588_291_200);

pub(super) fn run(args: &TemplateArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut config = cli.load_config()?;
    match &args.verb {
        TemplateVerb::Check { dir } => {
            config.templates_dir = dir.clone().or(config.templates_dir);
            check(&load_templates(&config)?, cli.json)?;
        }
        TemplateVerb::Preview { kind } => preview(kind, &config, cli.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Warnings do not stop the daemon, so they do not fail the check either.
fn check(templates: &Templates, json: bool) -> Result<(), CliError> {
    let warnings: Vec<String> = templates.warnings().iter().map(ToString::to_string).collect();
    let mut out = io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::json!({ "ok": true, "warnings": warnings }))?);
    }
    warnings.iter().try_for_each(|w| writeln!(out, "WARN  {}", clean(w)))?;
    Ok(writeln!(out, "the templates are in order")?)
}

fn preview(name: &str, config: &Config, json: bool) -> Result<(), CliError> {
    let Some(kind) = LetterKind::ALL.into_iter().find(|k| k.name() == name) else {
        let known = LetterKind::ALL.map(LetterKind::name).join(", ");
        return Err(CliError::Usage(format!("there is no letter of this name; give one of {known}")));
    };
    let (templates, rules) = (load_templates(config)?, Rules::embedded()?);
    let mut out = io::stdout().lock();
    for letter in Letter::samples(kind) {
        let mail = compose(&letter, &stamp(config), &templates).map_err(|e| CliError::Failed(e.to_string()))?;
        show(&mut out, &reading::read_safely(&mail.bytes, &rules), json)?;
    }
    Ok(())
}

fn show(out: &mut impl Write, letter: &Reading, json: bool) -> io::Result<()> {
    let subject = letter.head.subject.clone().unwrap_or_default();
    if json {
        let object = serde_json::json!({ "subject": subject, "body": letter.body, "attachments": letter.attachments });
        return writeln!(out, "{object}");
    }
    writeln!(out, "── 件名：{}", clean(&subject))?;
    letter.attachments.iter().try_for_each(|name| writeln!(out, "── 添付：{}", clean(name)))?;
    writeln!(out)?;
    letter.body.lines().try_for_each(|line| writeln!(out, "{}", clean(line)))?;
    writeln!(out)
}

fn stamp(config: &Config) -> Stamp {
    Stamp {
        message_id: MessageId(format!("sample@{}", config.mail.from.domain())),
        date: SAMPLE_MOMENT,
        from: config.mail.from.clone(),
        reply_to: config.mail.contractor.clone(),
        to: config.mail.contractor.clone(),
        cc: Vec::new(),
        answers: None,
        charset: Charset::Utf8,
    }
}
