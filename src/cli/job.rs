//! `annai job`: one act on many, as the console begins it: how far it is, what was refused; halt and resume.

use super::args::{JobArgs, JobVerb};
use super::ask::{Desk, items, labelled, text, when};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::engine::jobs::Pace;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

pub(super) fn run(args: &JobArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    match &args.verb {
        None | Some(JobVerb::List) => desk.show(&Request::Jobs, jobs),
        Some(JobVerb::Show { job }) => desk.show(&Request::Job { no: *job }, human),
        Some(JobVerb::Halt { job }) => desk.show(&Request::SteerJob { no: *job, pace: Pace::Halted }, human),
        Some(JobVerb::Resume { job }) => {
            let live = desk.is_live();
            desk.show(&Request::SteerJob { no: *job, pace: Pace::Running }, |job| {
                let later = if live { "" } else { "annai を起動すると、続きを実行します\n" };
                human(job) + later
            })
        }
    }
}

fn done(job: &Value) -> String {
    format!("{} / {}", text(job, "/at"), text(job, "/all"))
}

fn jobs(value: &Value) -> String {
    let mut table = Table::new(&[
        ("一括処理", Align::Right),
        ("状態", Align::Left),
        ("進み", Align::Right),
        ("不可", Align::Right),
        ("開始", Align::Left),
        ("実行者", Align::Left),
        ("操作", Align::Left),
    ]);
    for job in items(value, "") {
        let of = |name: &str| text(job, name);
        let (no, state, refused) = (of("/no"), of("/state_name"), of("/refused"));
        table.row([no, state, done(job), refused, when(job, "/began"), of("/by"), of("/text")]);
    }
    table.to_string()
}

fn human(job: &Value) -> String {
    let mut out = labelled([
        ("一括処理", text(job, "/no")),
        ("操作", text(job, "/text")),
        ("状態", text(job, "/state_name")),
        ("進み", done(job)),
        ("成功", text(job, "/succeeded")),
        ("できなかったもの", text(job, "/refused")),
        ("実行者", text(job, "/by")),
        ("開始", when(job, "/began")),
    ]);
    if job.pointer("/refusals/0").is_some() {
        let mut table = Table::new(&[("対象", Align::Left), ("理由", Align::Left)]);
        for refusal in items(job, "/refusals") {
            let (letter, tenant) = (text(refusal, "/target/letter"), text(refusal, "/target/tenant"));
            let target = if letter.is_empty() { tenant } else { format!("送信{letter}") };
            table.row([target, text(refusal, "/why")]);
        }
        let _ = write!(out, "\n{table}");
    }
    out
}
