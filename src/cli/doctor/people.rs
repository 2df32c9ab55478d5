//! Whether anybody hears of an alert: accounts, and the addresses they have. Asks the daemon, or the closed store if there
//! is one; where nothing has been started yet there is nothing to ask.

use super::Finding;
use crate::cli::Cli;
use crate::cli::ask::{Desk, items, text};
use crate::config::Config;
use crate::daemon::control::Request;
use crate::workflow::rights::Role;
use serde_json::Value;

pub(super) fn check(config: &Config, cli: &Cli) -> Vec<Finding> {
    let begun = std::fs::read_dir(&config.state_dir).is_ok_and(|mut files| files.next().is_some());
    if !begun {
        return Vec::new();
    }
    // What keeps the store from being asked is told elsewhere.
    let Ok(answer) = Desk::open(cli).and_then(|mut desk| desk.ask(&Request::Accounts)) else { return Vec::new() };
    let active: Vec<&Value> =
        items(&answer, "/accounts").filter(|a| a.get("disabled").is_none_or(Value::is_null)).collect();
    // The ministry's accounts get none (research R19).
    let told =
        active.iter().filter(|a| text(a, "/role") != Role::Auditor.name() && !text(a, "/mail").is_empty()).count();
    vec![match (active.len(), told) {
        (0, _) => Finding::warn(
            "accounts: there is none, so nobody can log in to the console and alerts reach nobody",
            "annai user add NAME --role admin --mail ADDRESS",
        ),
        (_, 0) => Finding::warn(
            "accounts: none has a mail address, so alerts reach nobody",
            "annai user mail NAME ADDRESS, or in the console under アカウント",
        ),
        (all, told) => Finding::ok(format!("accounts: {all}, alerts go to {told} of them")),
    }]
}
