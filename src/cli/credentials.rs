//! User ids and passwords in and out: `annai tenant import-credentials`, `annai tenant export --credentials`.

use super::CliError;
use super::ask::{Desk, items, text};
use crate::daemon::control::Request;
use crate::domain::sheet;
use serde_json::{Value, json};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

/// Most lines of one export.
const LINES_MAX: u32 = 100_000;

/// Takes over a list; annai reads the file itself, so that no password passes through the socket.
pub(super) fn import(desk: &mut Desk, file: &Path) -> Result<ExitCode, CliError> {
    let cannot =
        |e: std::io::Error| CliError::Failed(format!("{} cannot be read ({e}); check the path", file.display()));
    let path = file.canonicalize().map_err(cannot)?;
    desk.show(&Request::ImportAccounts { path }, |answer| {
        format!(
            "{}件のユーザIDとパスワードを取り込みました。{} は安全に消去してください。\n",
            text(answer, "/accounts"),
            text(answer, "/file")
        )
    })
}

/// `tenant,name,user_id,password_hash`, one line each; never a password.
pub(super) fn export(desk: &mut Desk, file: Option<&Path>, json: bool) -> Result<ExitCode, CliError> {
    let list = desk.list(LINES_MAX, None, |after, limit| Request::ExportAccounts {
        after: after.and_then(|id| id.parse().ok()),
        limit,
    })?;
    if json && file.is_none() {
        super::ask::print_json(&list)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut csv = "tenant,name,user_id,password_hash\r\n".to_owned();
    let mut count = 0;
    for line in items(&list, "/items") {
        let cell = |name: &str| quoted(&text(line, name));
        // The name comes out of a mail.
        let name = sheet::cell(&text(line, "/name"));
        let cells = [cell("/tenant"), name, cell("/user_id"), cell("/password_hash")];
        csv += &(cells.join(",") + "\r\n");
        count += 1;
    }
    let Some(file) = file else {
        super::ask::print(&csv)?;
        return Ok(ExitCode::SUCCESS);
    };
    let cannot =
        |e: std::io::Error| CliError::Failed(format!("{} cannot be written ({e}); check the path", file.display()));
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(cannot)?;
    out.write_all(csv.as_bytes()).and_then(|()| out.sync_all()).map_err(cannot)?;
    let report: Value = json!({"file": file, "accounts": count});
    desk.print(&report, |report| {
        format!("{}件を {} に書き出しました。\n", text(report, "/accounts"), text(report, "/file"))
    })
}

/// A CSV cell (RFC 4180): hashes hold commas.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
