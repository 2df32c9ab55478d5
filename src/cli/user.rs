//! `annai user`: accounts of staff and of the ministry, and who is logged in.

use super::args::{UserArgs, UserVerb};
use super::ask::{Desk, items, text, when};
use super::secret::new_password;
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::crypto::password;
use crate::daemon::control::Request;
use crate::domain::MailAddress;
use crate::engine::people::PeopleVerb;
use crate::engine::staff::Verb;
use serde_json::Value;
use std::process::ExitCode;

/// Digits of a fingerprint in the list; `--json` has all.
const PRINT_DIGITS: usize = 16;

pub(super) fn run(args: &UserArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    let verb = match &args.verb {
        None | Some(UserVerb::List) => return desk.show(&Request::Accounts, accounts),
        Some(UserVerb::Sessions) => return desk.show(&Request::Sessions, sessions),
        Some(UserVerb::Add { name, role, person, mail, no_password, reason }) => {
            let hash = if *no_password { None } else { Some(hashed(name)?) };
            let (name, person, reason) = (name.clone(), person.clone(), reason.clone());
            PeopleVerb::Add { name, person, role: *role, mail: mail.clone(), hash, reason }
        }
        Some(UserVerb::Passwd { name, reason }) => {
            PeopleVerb::Password { name: name.clone(), hash: hashed(name)?, reason: reason.clone() }
        }
        Some(UserVerb::Role { name, role, reason }) => {
            PeopleVerb::SetRole { name: name.clone(), role: *role, reason: reason.clone() }
        }
        Some(UserVerb::Mail { name, address, reason }) => {
            PeopleVerb::SetMail { name: name.clone(), mail: address.clone(), reason: reason.clone() }
        }
        Some(UserVerb::Certificate { name, fingerprint, reason }) => {
            PeopleVerb::Certificate { name: name.clone(), fingerprint: *fingerprint, reason: reason.clone() }
        }
        Some(UserVerb::Disable { name, reason }) => PeopleVerb::Disable { name: name.clone(), reason: reason.clone() },
        Some(UserVerb::Enable { name, reason }) => PeopleVerb::Enable { name: name.clone(), reason: reason.clone() },
        Some(UserVerb::Kill { session }) => PeopleVerb::EndSession { session: *session },
    };
    desk.act(Verb::People(verb), |done| match text(done, "/name") {
        none if none.is_empty() => format!("セッション{}を終了しました", text(done, "/session")),
        name => format!("{name}：{}{}", text(done, "/role_name"), state(done)),
    })
}

/// The password is hashed here: only the hash goes to the daemon.
fn hashed(name: &str) -> Result<String, CliError> {
    password::hash(&new_password(name)?).map_err(|fault| CliError::Usage(fault.to_string()))
}

fn state(account: &Value) -> String {
    if account.get("disabled").is_some_and(|at| !at.is_null()) {
        "（停止中）".to_owned()
    } else if account.get("has_password").and_then(Value::as_bool) == Some(false) {
        "（パスワード未設定）".to_owned()
    } else {
        String::new()
    }
}

fn accounts(value: &Value) -> String {
    let mut table = Table::new(&[
        ("アカウント", Align::Left),
        ("役割", Align::Left),
        ("氏名", Align::Left),
        ("登録", Align::Left),
        ("通知先", Align::Left),
        ("クライアント証明書", Align::Left),
    ]);
    for account in items(value, "/accounts") {
        let role = text(account, "/role_name") + &state(account);
        let mail = text(account, "/mail").parse::<MailAddress>().map_or_else(|_| String::new(), |mail| mail.masked());
        let print = text(account, "/certificate/fingerprint");
        let print = print.get(..PRINT_DIGITS).unwrap_or_default().to_owned();
        table.row([text(account, "/name"), role, text(account, "/person"), when(account, "/since"), mail, print]);
    }
    let since = when(value, "/two_persons_since");
    let rule = if since.is_empty() {
        "二人承認：まだ有効ではありません（承認者または管理者を含む2人のアカウントで有効になります）\n".to_owned()
    } else {
        format!("二人承認：{since} から有効\n")
    };
    format!("{table}{rule}")
}

fn sessions(value: &Value) -> String {
    let mut table = Table::new(&[
        ("番号", Align::Right),
        ("アカウント", Align::Left),
        ("開始", Align::Left),
        ("最後の操作", Align::Left),
        ("接続元", Align::Left),
        ("ブラウザー", Align::Left),
    ]);
    for session in items(value, "") {
        let of = |name: &str| text(session, name);
        table.row([
            of("/no"),
            of("/account"),
            when(session, "/since"),
            when(session, "/seen"),
            of("/from"),
            of("/agent"),
        ]);
    }
    table.to_string()
}
