//! What can be checked without the network: rules, templates, keys, pages, state directory, disk, clock, holidays.

use super::{Finding, fault};
use crate::cli::{load_rules, load_templates};
use crate::config::{Config, FileError, ImapLogin};
use crate::domain::Timestamp;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Below this the daemon will soon stop.
const FREE_MIB_FAIL: u64 = 200;
/// Below this somebody should make room.
const FREE_MIB_WARN: u64 = 2_000;
/// Holidays must be known so far ahead, in days (six months).
const HOLIDAYS_AHEAD_DAYS: i64 = 183;
/// A file may be newer than the clock by so much (network file systems), in seconds.
const CLOCK_SLACK_S: i64 = 120;

/// `now`: what the clock of this machine, or `ANNAI_NOW`, says.
pub(super) fn check(config: &Config, now: Timestamp) -> Vec<Finding> {
    let mut out = vec![Finding::ok(format!("configuration {}", config.file.display()))];
    rules(config, now, &mut out);
    templates(config, &mut out);
    keys(config, &mut out);
    super::authority::check(config, now, &mut out);
    pages(config, &mut out);
    state(config, &mut out);
    clock(config, now, &mut out);
    if config.test.enabled {
        out.push(Finding::warn("test mode: ANNAI_NOW and ANNAI_SEED are obeyed", "set [test] enabled = false"));
    }
    out
}

fn rules(config: &Config, now: Timestamp, out: &mut Vec<Finding>) {
    let name = config.rules_dir.as_ref().map_or("built-in rules".to_owned(), |d| format!("rules {}", d.display()));
    match load_rules(config.rules_dir.as_deref()) {
        Err(faults) => out.extend(faults.to_string().lines().map(fault)),
        Ok(rules) => {
            out.push(Finding::ok(name));
            let last = rules.holidays.last_year();
            let days = last.and_then(|y| crate::domain::Date::new(y, 12, 31)).map(|d| d.days_since(now.date()));
            out.push(match (last, days) {
                (Some(year), Some(days)) if days >= HOLIDAYS_AHEAD_DAYS => {
                    Finding::ok(format!("holidays known until the end of {year}"))
                }
                (Some(year), _) => Finding::warn(
                    format!("holidays known only until the end of {year}"),
                    "add the next years to rules/holidays.csv (Cabinet Office list)",
                ),
                (None, _) => Finding::warn("no holidays known", "put the Cabinet Office list into rules/holidays.csv"),
            });
        }
    }
}

fn templates(config: &Config, out: &mut Vec<Finding>) {
    match load_templates(config) {
        Err(faults) => out.extend(faults.to_string().lines().map(fault)),
        Ok(templates) => {
            let name = config
                .templates_dir
                .as_ref()
                .map_or("built-in templates".to_owned(), |d| format!("templates {}", d.display()));
            out.push(Finding::ok(name));
            out.extend(
                templates
                    .warnings()
                    .iter()
                    .map(|w| Finding::warn(format!("{}:{}: {}", w.file, w.line, w.fault), w.remedy.clone())),
            );
        }
    }
}

fn keys(config: &Config, out: &mut Vec<Finding>) {
    out.push(match config.keys.master_key_path() {
        Err(e) => fault(&e.to_string()),
        Ok(path) => match crate::crypto::MasterKey::load(&path) {
            Ok(_) => Finding::ok(format!("master key {}", path.display())),
            Err(e) => fault(&e.to_string()),
        },
    });
    let login = match &config.imap.login {
        ImapLogin::PasswordFile(path) | ImapLogin::OAuth2TokenFile(path) => path,
    };
    secret("IMAP login", login, out);
    if let Some(login) = &config.smtp.login {
        secret("SMTP login", &login.password_file, out);
    }
    if let Some(dkim) = &config.smtp.dkim {
        secret("DKIM key", &dkim.key_file, out);
    }
    if let Some(tls) = &config.web.tls {
        secret("TLS key of the pages", &tls.key, out);
        readable("TLS certificate of the pages", &tls.cert, out);
    }
    for (what, path) in [("[imap] ca_file", &config.imap.ca_file), ("[smtp] ca_file", &config.smtp.ca_file)] {
        if let Some(path) = path {
            readable(what, path, out);
        }
    }
    unzip_password(config, out);
}

fn secret(what: &str, path: &Path, out: &mut Vec<Finding>) {
    out.push(match Config::read_secret(path) {
        Ok(_) if crate::config::is_exposed(path) => Finding::warn(
            format!("{what}: every user of this machine can read {}", path.display()),
            "run chmod 600 on it",
        ),
        Ok(_) => Finding::ok(format!("{what}: {}", path.display())),
        Err(e) => fault(&format!("{what}: {e}")),
    });
}

fn readable(what: &str, path: &Path, out: &mut Vec<Finding>) {
    out.push(match std::fs::File::open(path) {
        Ok(_) => Finding::ok(format!("{what}: {}", path.display())),
        Err(e) => Finding::fail(format!("{what}: {} cannot be read ({e})", path.display()), "correct the path"),
    });
}

fn unzip_password(config: &Config, out: &mut Vec<Finding>) {
    out.push(match config.keys.unzip_password() {
        Err(e) => fault(&format!("ZIP password: {e}")),
        Ok(password) if password.reveal() == crate::config::SEED_UNZIP_PASSWORD => Finding::warn(
            "the ZIP password is the one printed in the public document: it protects nothing",
            "choose another in [keys] unzip_password_file and hand it over by other means",
        ),
        Ok(_) => Finding::ok("ZIP password of your own"),
    });
}

/// Whether the rules let one person do everything; faulty rules are found elsewhere.
fn config_two_persons_off(config: &Config) -> bool {
    let rules = crate::daemon::assembly::rules(config.rules_dir.as_deref());
    rules.is_ok_and(|rules| rules.schedule.oversight.two_persons == crate::rules::TwoPersons::Never)
}

fn pages(config: &Config, out: &mut Vec<Finding>) {
    let web = &config.web;
    for (name, listen) in [("pickup_listen", web.pickup_listen), ("console_listen", web.console_listen)] {
        if web.tls.is_none() && !listen.ip().is_loopback() {
            out.push(Finding::warn(
                format!("[web] {name} {listen} is open to the network without TLS"),
                "listen on 127.0.0.1 behind a proxy with TLS, or give tls_cert and tls_key",
            ));
        }
    }
    if config_two_persons_off(config) {
        out.push(Finding::warn(
            "two_persons is \"never\" in rules/schedule.toml: one person may do everything",
            "set it back to \"with-accounts\" or \"always\" as soon as the emergency is over",
        ));
    }
}

fn state(config: &Config, out: &mut Vec<Finding>) {
    let dir = &config.state_dir;
    match std::fs::metadata(dir) {
        Ok(about) if !about.is_dir() => {
            out.push(Finding::fail(format!("{} is no directory", dir.display()), "give another state_dir"));
        }
        Ok(about) if about.mode() & 0o077 != 0 => out.push(Finding::fail(
            format!("state directory {} is open to other users", dir.display()),
            format!("run: chmod 700 {}", dir.display()),
        )),
        Ok(_) => out.push(Finding::ok(format!("state directory {}", dir.display()))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            out.push(Finding::ok(format!("state directory {}: made at the first start", dir.display())));
        }
        Err(e) => out.push(fault(&FileError::Unreadable { path: dir.clone(), source: e }.to_string())),
    }
    let existing = dir.ancestors().find(|d| d.exists()).unwrap_or(Path::new("."));
    out.push(match rustix::fs::statvfs(existing) {
        Ok(disk) => free(disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024)),
        Err(e) => Finding::warn(format!("free disk space is not known ({e})"), "look with df"),
    });
}

fn free(mib: u64) -> Finding {
    let what = format!("{mib} MiB free for the state directory");
    match mib {
        0..FREE_MIB_FAIL => Finding::fail(what, "make room: without it nothing is read or sent"),
        FREE_MIB_FAIL..FREE_MIB_WARN => Finding::warn(what, "make room soon"),
        FREE_MIB_WARN.. => Finding::ok(what),
    }
}

/// The clock cannot stand before the newest file we know: then mail would get wrong dates and deadlines.
fn clock(config: &Config, now: Timestamp, out: &mut Vec<Finding>) {
    let modified = |path: &Path| {
        let time = std::fs::metadata(path).and_then(|m| m.modified()).ok()?;
        i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok().map(Timestamp::from_unix)
    };
    let newest =
        [&config.file, &config.state_dir, &config.keys.master_key_file].into_iter().filter_map(|p| modified(p)).max();
    out.push(match newest {
        Some(file) if file.since(now) > CLOCK_SLACK_S => Finding::fail(
            format!("the clock says {}, but a file was written {}", now.rfc3339(), file.rfc3339()),
            "set the clock (timedatectl set-ntp true)",
        ),
        Some(_) | None => Finding::ok(format!("clock {}", now.rfc3339())),
    });
}
