//! Our own check of DKIM (RFC 6376), SPF (RFC 7208) and DMARC (RFC 9989) when mail comes in straight, without a gateway
//! that did it. It happens once, when the mail arrives; the result is stored with the mail, so that reading it again later
//! gives the same. A DNS that does not answer says nothing about the sender.
//!
//! SPF needs the address of the machine that handed the mail over. A mailbox does not tell it; the Received line of an own
//! server does, where its name is configured. The first one from the top counts: those below it anybody can write.

use crate::reading::authentication::{Authentication, Source, Verdict, aligned, better};
use futures::future::join_all;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimResult, DmarcResult, MessageAuthenticator, SpfOutput, SpfResult};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// Time the resolver waits for one server.
const SERVER_WAIT: Duration = Duration::from_millis(1_500);
/// Time for one mail, whatever it asks for; after that nothing is known of its origin.
const MAIL_WAIT: Duration = Duration::from_secs(8);
/// Mails checked at once.
const AT_ONCE: usize = 8;
/// Bytes of a header looked through for Received and Return-Path.
const HEADER_BYTES_MAX: usize = 256 * 1024;

/// Asks the DNS about senders.
#[derive(Clone)]
pub struct Authenticator {
    dns: MessageAuthenticator,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

impl Authenticator {
    /// With the DNS of this machine, or with this server. `None`: there is no DNS to ask.
    pub fn new(server: Option<SocketAddr>) -> Option<Self> {
        let (config, mut options) = match server {
            None => mail_auth::hickory_resolver::system_conf::read_system_conf().ok()?,
            Some(server) => {
                let mut udp = NameServerConfig::udp(server.ip());
                udp.connections.iter_mut().for_each(|connection| connection.port = server.port());
                (ResolverConfig::from_parts(None, Vec::new(), vec![udp]), ResolverOpts::default())
            }
        };
        options.timeout = SERVER_WAIT;
        options.attempts = 1;
        Some(Self { dns: MessageAuthenticator::new(config, options).ok()? })
    }

    /// What can be found out about each mail, in their order. `received_by`: names of own servers, lower-case.
    pub async fn check_all(&self, mails: &[&[u8]], received_by: &[String]) -> Vec<Option<Authentication>> {
        let mut found = Vec::with_capacity(mails.len());
        for some in mails.chunks(AT_ONCE) {
            found.extend(join_all(some.iter().map(|raw| self.check(raw, received_by))).await);
        }
        found
    }

    /// `None`: nothing could be found out in time, or it is no mail with one sender.
    pub async fn check(&self, raw: &[u8], received_by: &[String]) -> Option<Authentication> {
        timeout(MAIL_WAIT, self.ask(raw, received_by)).await.ok().flatten()
    }

    async fn ask(&self, raw: &[u8], received_by: &[String]) -> Option<Authentication> {
        let mail = AuthenticatedMessage::parse(raw)?;
        let [from] = mail.froms() else { return None };
        let from = from.rsplit_once('@')?.1.to_ascii_lowercase();
        let signatures = self.dns.verify_dkim(&mail).await;
        let mut dkim = Verdict::None;
        for signature in &signatures {
            let of_sender = signature.signature().is_some_and(|s| aligned(&s.d.to_ascii_lowercase(), &from));
            if of_sender {
                dkim = better(dkim, by_dkim(signature.result()));
            }
        }
        let header = String::from_utf8_lossy(header_of(raw)).into_owned();
        let sender = return_path(&header).unwrap_or_default();
        let envelope = sender.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
        let spf = match handed_over_by(&header, received_by) {
            Some(ip) if !envelope.is_empty() => {
                let question = SpfParameters::verify_mail_from(ip, &envelope, &envelope, &sender);
                Some(self.dns.verify_spf(question).await)
            }
            Some(_) | None => None,
        };
        let nothing = SpfOutput::new(envelope.clone());
        let outcome = spf.as_ref().unwrap_or(&nothing);
        let dmarc = self.dns.verify_dmarc(DmarcParameters::new(&mail, &signatures, &envelope, outcome)).await;
        let dmarc = match dmarc.result() {
            DmarcResult::Pass => Verdict::Pass,
            // Where SPF could not be looked at, nobody knows whether it would have saved the mail.
            DmarcResult::Fail(_) if spf.is_some() => Verdict::Fail,
            DmarcResult::Fail(_) | DmarcResult::TempError(_) | DmarcResult::PermError(_) | DmarcResult::None => {
                Verdict::None
            }
        };
        let spf = spf.filter(|_| aligned(&envelope, &from));
        let spf = spf.map_or(Verdict::None, |found| by_spf(found.result()));
        Some(Authentication { source: Source::Own, dmarc, dkim, spf })
    }
}

/// The address in the topmost Received line, if an own server wrote it: `from x (name [192.0.2.1]) by mx.example.jp`.
fn handed_over_by(header: &str, received_by: &[String]) -> Option<IpAddr> {
    let line = fields(header, "received:").next()?.to_ascii_lowercase();
    let by = line.split_whitespace().skip_while(|word| *word != "by").nth(1)?.trim_end_matches([';', '.']);
    if !received_by.iter().any(|own| own == by) {
        return None;
    }
    // The sender chooses the name after `from`; the address its connection came from is the last in brackets before `by`.
    let before = line.split(" by ").next()?;
    let ip = before.rsplit_once('[')?.1.split(']').next()?;
    ip.trim_start_matches("ipv6:").parse().ok()
}

fn by_dkim(result: &DkimResult) -> Verdict {
    match result {
        DkimResult::Pass => Verdict::Pass,
        DkimResult::Fail(_) | DkimResult::Neutral(_) | DkimResult::PermError(_) => Verdict::Fail,
        DkimResult::TempError(_) | DkimResult::None => Verdict::None,
    }
}

fn by_spf(result: SpfResult) -> Verdict {
    match result {
        SpfResult::Pass => Verdict::Pass,
        SpfResult::Fail | SpfResult::SoftFail => Verdict::Fail,
        SpfResult::Neutral | SpfResult::TempError | SpfResult::PermError | SpfResult::None => Verdict::None,
    }
}

/// The bytes up to the first empty line.
fn header_of(raw: &[u8]) -> &[u8] {
    let raw = raw.get(..HEADER_BYTES_MAX).unwrap_or(raw);
    let end =
        raw.windows(2).position(|two| two == b"\n\n").or_else(|| raw.windows(4).position(|four| four == b"\r\n\r\n"));
    raw.get(..end.unwrap_or(raw.len())).unwrap_or(raw)
}

/// Unfolded values of the fields of this name (lower-case, with its colon), from the top.
fn fields<'h>(header: &'h str, name: &'h str) -> impl Iterator<Item = String> + 'h {
    let mut lines = header.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let mut value = line.to_owned();
            while lines.peek().is_some_and(|next| next.starts_with([' ', '\t'])) {
                value.push_str(lines.next().unwrap_or_default());
            }
            if value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                return Some(value.get(name.len()..).unwrap_or_default().to_owned());
            }
        }
    })
}

/// The envelope sender, as the server that took the mail wrote it down.
fn return_path(header: &str) -> Option<String> {
    let value = fields(header, "return-path:").next()?;
    let address = value.trim().trim_matches(['<', '>']).to_ascii_lowercase();
    Some(address).filter(|address| address.contains('@'))
}
