//! `annai forecast`: what would leave on which day if nobody did anything more.

use super::args::ForecastArgs;
use super::ask::{Desk, items, text};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::domain::Date;
use crate::letters::LetterKind;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

pub(super) fn run(args: &ForecastArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    Desk::open(cli)?.show(&Request::Forecast { until: args.until }, human)
}

fn human(forecast: &Value) -> String {
    let mut table = Table::new(&[("日", Align::Left), ("通数", Align::Right), ("種類", Align::Left)]);
    for day in items(forecast, "/days") {
        let mut date = text(day, "/day").parse().map_or_else(|_| text(day, "/day"), Date::staff);
        for kind in LetterKind::ALL {
            let count = text(day, &format!("/letters/{}", kind.name()));
            if !count.is_empty() {
                table.row([std::mem::take(&mut date), count, kind.japanese().to_owned()]);
            }
        }
    }
    let mut out = table.to_string();
    out.push_str("すべて予定どおり届き、だれも証明書を取得しない場合の見込みです。\n");
    match text(forecast, "/held").as_str() {
        "" | "0" => {}
        held => _ = writeln!(out, "ほかに判断待ちの送信が {held} 通あります。"),
    }
    if forecast.get("cut_short").and_then(Value::as_bool) == Some(true) {
        out.push_str("数が多いため、一部の利用機関は含まれていません。\n");
    }
    out
}
