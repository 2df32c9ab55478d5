//! What receiving servers will ask the DNS about us: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), a way back for
//! bounces (MX), and the name of the relay's address (PTR). A DNS that does not answer is a warning: it may later.

use super::{Finding, block_on};
use crate::cli::CliError;
use crate::config::Config;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Time for one question, retries included.
const QUESTION_MAX: Duration = Duration::from_secs(4);
/// Time the resolver waits for one server.
const SERVER_MAX: Duration = Duration::from_millis(1_500);

/// What the DNS said.
enum Answer {
    Records(Vec<String>),
    /// The DNS answered that there is nothing.
    Nothing,
    /// No answer (RFC 7208 §2.6.6: temperror).
    Silent,
}

pub(super) fn check(config: &Config) -> Result<Vec<Finding>, CliError> {
    block_on(async {
        let Some(dns) = resolver() else {
            return vec![Finding::warn("no DNS server is configured on this machine", "look at /etc/resolv.conf")];
        };
        let (from, bounce) = (config.mail.from.domain(), config.mail.bounce.domain());
        let (spf, mx, dkim, dmarc, ptr) = tokio::join!(
            spf(&dns, &bounce),
            mx(&dns, &bounce),
            dkim(&dns, config, &from),
            dmarc(&dns, &from),
            ptr(&dns, &config.smtp.host),
        );
        [Some(spf), Some(mx), Some(dkim), Some(dmarc), ptr].into_iter().flatten().collect()
    })
}

fn resolver() -> Option<TokioResolver> {
    let mut builder = TokioResolver::builder_tokio().ok()?;
    let options = builder.options_mut();
    options.timeout = SERVER_MAX;
    options.attempts = 1;
    builder.build().ok()
}

async fn ask(dns: &TokioResolver, name: &str, kind: RecordType) -> Answer {
    // The dot at the end keeps the search list of this machine out of it.
    match timeout(QUESTION_MAX, dns.lookup(format!("{name}."), kind)).await {
        Ok(Ok(found)) => {
            let of_kind = found.answers().iter().filter(|r| r.record_type() == kind);
            Answer::Records(of_kind.map(|r| text(&r.data)).collect())
        }
        Ok(Err(e)) if is_nothing(&e) => Answer::Nothing,
        Ok(Err(_)) | Err(_) => Answer::Silent,
    }
}

fn is_nothing(error: &NetError) -> bool {
    error.is_no_records_found() || error.is_nx_domain()
}

/// A record as text; the strings of a TXT record belong together without blanks (RFC 7208 §3.3).
fn text(data: &RData) -> String {
    if let RData::TXT(txt) = data {
        return txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect();
    }
    data.to_string()
}

fn silent(what: &str) -> Finding {
    Finding::warn(format!("{what}: the DNS does not answer"), "try again later; if it stays, ask your network's staff")
}

async fn spf(dns: &TokioResolver, domain: &str) -> Finding {
    let what = format!("SPF of {domain}");
    match ask(dns, domain, RecordType::TXT).await {
        Answer::Silent => silent(&what),
        Answer::Nothing => Finding::warn(format!("{what}: no record"), "publish v=spf1 with the relay's address"),
        Answer::Records(all) => judge_spf(&what, &all),
    }
}

fn judge_spf(what: &str, records: &[String]) -> Finding {
    let is_spf = |r: &&String| r.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"));
    let found: Vec<&String> = records.iter().filter(is_spf).collect();
    match found.as_slice() {
        [] => Finding::warn(format!("{what}: no record"), "publish v=spf1 with the relay's address"),
        [one] if one.trim_end().ends_with("+all") => {
            Finding::warn(format!("{what}: allows everybody (+all)"), "end it with -all or ~all")
        }
        [_] => Finding::ok(what),
        [_, _, ..] => Finding::fail(format!("{what}: several records, which counts as an error"), "keep one"),
    }
}

async fn mx(dns: &TokioResolver, domain: &str) -> Finding {
    let what = format!("way back for bounces (MX of {domain})");
    match ask(dns, domain, RecordType::MX).await {
        Answer::Silent => silent(&what),
        Answer::Records(_) => Finding::ok(what),
        Answer::Nothing => Finding::warn(
            format!("{what}: none, so bounces are lost"),
            "publish an MX that delivers into the mailbox of [imap]",
        ),
    }
}

async fn dkim(dns: &TokioResolver, config: &Config, from: &str) -> Finding {
    let Some(dkim) = &config.smtp.dkim else {
        return Finding::warn(
            "DKIM: no key configured, so letters are unsigned unless the relay signs",
            "set dkim_key_file and dkim_selector in [smtp], or make sure of the relay",
        );
    };
    let name = format!("{}._domainkey.{from}", dkim.selector);
    let what = format!("DKIM {name}");
    match ask(dns, &name, RecordType::TXT).await {
        Answer::Silent => silent(&what),
        Answer::Nothing => Finding::fail(format!("{what}: no record"), "publish the public key there"),
        Answer::Records(all) if all.iter().any(|r| has_key(r)) => Finding::ok(what),
        Answer::Records(_) => {
            Finding::fail(format!("{what}: no key in it (p= is empty)"), "publish the public key there")
        }
    }
}

/// A DKIM record with a key; an empty `p=` means revoked (RFC 6376 §3.6.1).
fn has_key(record: &str) -> bool {
    record.split(';').filter_map(|tag| tag.split_once('=')).any(|(k, v)| k.trim() == "p" && !v.trim().is_empty())
}

/// The domain's own record, or that of the domains above it (RFC 7489 §6.6.3).
async fn dmarc(dns: &TokioResolver, from: &str) -> Finding {
    let what = format!("DMARC of {from}");
    let mut domain = from;
    loop {
        match ask(dns, &format!("_dmarc.{domain}"), RecordType::TXT).await {
            Answer::Silent => return silent(&what),
            Answer::Records(all) if all.iter().any(|r| r.starts_with("v=DMARC1")) => return Finding::ok(what),
            Answer::Records(_) | Answer::Nothing => {}
        }
        match domain.split_once('.') {
            Some((_, above)) if above.contains('.') => domain = above,
            Some(_) | None => {
                return Finding::warn(format!("{what}: no record"), format!("publish v=DMARC1 at _dmarc.{from}"));
            }
        }
    }
}

/// Does the relay's address have a name? `None`: the relay is this machine, which cannot be told from here.
async fn ptr(dns: &TokioResolver, host: &str) -> Option<Finding> {
    let what = format!("name of the relay's address (PTR of {host})");
    let ip = match host.parse::<IpAddr>() {
        Ok(ip) => ip,
        Err(_) if host.eq_ignore_ascii_case("localhost") => return None,
        Err(_) => match timeout(QUESTION_MAX, dns.lookup_ip(format!("{host}."))).await {
            Ok(Ok(found)) => found.iter().next()?,
            Ok(Err(e)) if is_nothing(&e) => {
                return Some(Finding::warn(format!("{host} has no address in the DNS"), "correct host in [smtp]"));
            }
            Ok(Err(_)) | Err(_) => return Some(silent(&what)),
        },
    };
    if ip.is_loopback() {
        return None;
    }
    Some(match timeout(QUESTION_MAX, dns.reverse_lookup(ip)).await {
        Ok(Ok(_)) => Finding::ok(what),
        Ok(Err(e)) if is_nothing(&e) => Finding::warn(
            format!("{what}: none, so many servers refuse its mail"),
            "ask the owner of the address for a PTR record (a relay inside your network does not need one)",
        ),
        Ok(Err(_)) | Err(_) => silent(&what),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Level;

    #[test]
    fn spf_is_one_record_that_does_not_allow_everybody() {
        let level = |records: &[&str]| {
            let records: Vec<String> = records.iter().map(|r| (*r).to_owned()).collect();
            judge_spf("SPF", &records).level
        };
        assert_eq!(level(&["other", "v=spf1 ip4:192.0.2.1 -all"]), Level::Ok);
        assert_eq!(level(&["v=spf1 +all"]), Level::Warn);
        assert_eq!(level(&["v=spf10 -all"]), Level::Warn);
        assert_eq!(level(&["v=spf1 -all", "v=spf1 ~all"]), Level::Fail);
    }

    #[test]
    fn a_revoked_key_is_no_key() {
        assert!(has_key("v=DKIM1; k=rsa; p=MIIB"));
        assert!(!has_key("v=DKIM1; p="));
    }
}
