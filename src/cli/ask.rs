//! What the verbs of staff share: the way to the state (daemon or closed store), pages put together, and answers printed.
//! Whatever came out of a mail passes [`clean`] before a terminal sees it; in JSON such characters are escaped.

use super::table::{clean, json_line};
use super::{Cli, CliError};
use crate::config::TestOverrides;
use crate::daemon::control::{Door, Refusal, Request};
use crate::domain::Timestamp;
use crate::engine::staff::Verb;
use crate::engine::views::PAGE_MAX;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

/// A way to the state for the time of one command.
pub(super) struct Desk {
    door: Door,
    json: bool,
}

impl From<Refusal> for CliError {
    fn from(Refusal { sentence, exit }: Refusal) -> Self {
        if exit == 2 { Self::Usage(sentence) } else { Self::Failed(sentence) }
    }
}

impl Desk {
    pub(super) fn open(cli: &Cli) -> Result<Self, CliError> {
        let config = cli.load_config()?;
        let overrides = TestOverrides::from_env(&config)?;
        let signature = super::secret::signature(cli)?;
        Ok(Self { door: Door::open(&config, overrides, signature.as_ref())?, json: cli.json })
    }

    /// Whether a running daemon answers, and not the closed store.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.door, Door::Daemon { .. })
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    pub(super) fn ask(&mut self, request: &Request) -> Result<Value, CliError> {
        Ok(self.door.ask(request)?)
    }

    /// Asks and prints: as JSON, or as `human` shows it.
    pub(super) fn show(
        &mut self,
        request: &Request,
        human: impl FnOnce(&Value) -> String,
    ) -> Result<ExitCode, CliError> {
        let answer = self.ask(request)?;
        self.print(&answer, human)
    }

    /// Does one act; `done` says it in a line.
    pub(super) fn act(&mut self, act: Verb, done: impl FnOnce(&Value) -> String) -> Result<ExitCode, CliError> {
        self.show(&Request::Act { act }, |answer| match text(answer, "/asked") {
            none if none.is_empty() => done(answer) + "\n",
            no => format!("別の人の承認が必要です。申請{no}として受け付けました（annai approval show {no}）\n"),
        })
    }

    pub(super) fn print(&self, answer: &Value, human: impl FnOnce(&Value) -> String) -> Result<ExitCode, CliError> {
        if self.json {
            print_json(answer)?;
        } else {
            print(&human(answer))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A list of at most `limit` items, page by page: `{"items": […], "next": key or null}`.
    pub(super) fn list(
        &mut self,
        limit: u32,
        mut after: Option<String>,
        request: impl Fn(Option<&str>, usize) -> Request,
    ) -> Result<Value, CliError> {
        let limit = usize::try_from(limit).unwrap_or(PAGE_MAX);
        let mut items = Vec::new();
        loop {
            let wanted = limit.saturating_sub(items.len()).min(PAGE_MAX);
            let mut page = self.ask(&request(after.as_deref(), wanted))?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            after = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if after.is_none() || items.len() >= limit {
                return Ok(json!({"items": items, "next": after}));
            }
        }
    }
}

/// Prints one line of JSON.
pub(super) fn print_json(value: &Value) -> Result<(), CliError> {
    print(&json_line(value))
}

/// Text for the terminal; every line was cleaned where it was put together.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// The value at a JSON pointer as clean text; nothing for null.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => clean(text),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            clean(&other.to_string())
        }
    }
}

/// The moment at a JSON pointer, `2020-05-01 (金) 09:00`.
pub(super) fn when(value: &Value, pointer: &str) -> String {
    let moment = value.pointer(pointer).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    moment.map_or_else(String::new, Timestamp::staff)
}

/// The list at a JSON pointer.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// `label：value` lines, without those that have no value.
pub(super) fn labelled<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = String::new();
    for (label, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(out, "{label}：{value}");
    }
    out
}

/// The hint under a list that was cut.
pub(super) fn more(list: &Value) -> String {
    match text(list, "/next") {
        next if next.is_empty() => String::new(),
        next => format!("続きがあります（--after {next}）\n"),
    }
}
