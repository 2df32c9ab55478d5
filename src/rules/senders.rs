//! `rules/senders.toml`: whose mail is taken without a second look (research R9), and which domains need old encodings.

use super::RuleError;
use super::toml_file::{Section, TomlFile};

/// The file's name.
pub const FILE: &str = "senders.toml";

/// Most points a policy may ask for; no mail can have more.
const NEEDED_MAX: u32 = 6;

/// What is done with a mail that something speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It is shown, and the mail is taken all the same.
    Accept,
    /// A person looks.
    Review,
}

/// Trust policy and per-domain delivery settings. Domains are lower-case, without @.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRules {
    /// Domains where anybody can open a mailbox; an address there is never taken unseen.
    pub free_mail: Vec<String>,
    /// Take a registration only if the ministry stands in To or Cc.
    pub ministry_in_cc_required: bool,
    /// Points of evidence without which a person looks at an authority's first registration (`reading::evidence`).
    pub needed_first: u32,
    /// The same for additions to what is registered.
    pub needed_change: u32,
    /// DKIM, SPF or DMARC failed.
    pub authentication_failed: Handling,
    /// The sender's domain is none of those known for the authority.
    pub sender_domain_unknown: Handling,
    /// So is one of an address to be registered.
    pub address_domain_unknown: Handling,
    /// Names under which the own mail gateways write Authentication-Results (authserv-id, RFC 8601 §2.5), lower-case.
    pub gateways: Vec<String>,
    /// Mail comes in straight: DKIM, SPF and DMARC are checked by annai.
    pub check_ourselves: bool,
    /// Names the own servers write behind `by` in Received: that line tells from where the mail came (SPF).
    pub received_by: Vec<String>,
    /// Receiving domains whose letters are written in ISO-2022-JP; a suffix matches (`example.jp` also `x.example.jp`).
    pub iso_2022_jp: Vec<String>,
}

impl SenderRules {
    /// Whether anybody can open a mailbox at this domain or the one above it.
    pub fn is_free_mail(&self, domain: &str) -> bool {
        covers(&self.free_mail, domain)
    }

    /// Whether letters to this domain are written in ISO-2022-JP.
    pub fn wants_iso_2022_jp(&self, domain: &str) -> bool {
        covers(&self.iso_2022_jp, domain)
    }

    /// Reads the file; `Err`: all its faults.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = TomlFile::open(FILE, text);
        let mut rules = file.section("trust", |s| Self {
            ministry_in_cc_required: s.flag("ministry_in_cc_required", false),
            needed_first: s.number("needed_first", 0..=NEEDED_MAX, 1),
            needed_change: s.number("needed_change", 0..=NEEDED_MAX, 2),
            authentication_failed: handling(s, "authentication_failed"),
            sender_domain_unknown: handling(s, "sender_domain_unknown"),
            address_domain_unknown: handling(s, "address_domain_unknown"),
            free_mail: domains(s, "free_mail"),
            gateways: Vec::new(),
            check_ourselves: false,
            received_by: Vec::new(),
            iso_2022_jp: Vec::new(),
        });
        file.section("authentication", |s| {
            rules.gateways = names(s, "gateways");
            let at = s.place("check_ourselves");
            rules.check_ourselves = s.flag("check_ourselves", false);
            rules.received_by = names(s, "received_by");
            if rules.check_ourselves && !rules.gateways.is_empty() {
                let remedy = "believe the gateway, or set check_ourselves = false";
                s.fault(at, "check_ourselves is true although a gateway is named", remedy);
            }
        });
        rules.iso_2022_jp = file.section("delivery", |s| domains(s, "iso_2022_jp"));
        let faults = file.close();
        if faults.is_empty() { Ok(rules) } else { Err(faults) }
    }
}

/// `"accept"` or `"review"`; review where nothing is said.
fn handling(s: &mut Section<'_, '_>, key: &'static str) -> Handling {
    let given = s.text(key, "review");
    match given.text.as_str() {
        "accept" => Handling::Accept,
        "review" => Handling::Review,
        other => {
            s.fault(given.at, format!("{key} is \"{other}\""), "give \"accept\" or \"review\"");
            Handling::Review
        }
    }
}

/// Whether the domain is one of the list or lies under one of it.
fn covers(list: &[String], domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    list.iter()
        .any(|entry| domain.strip_suffix(entry.as_str()).is_some_and(|above| above.is_empty() || above.ends_with('.')))
}

fn domains(s: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let mut domains = Vec::new();
    for entry in s.texts(key).unwrap_or_default() {
        let domain = entry.text.trim().to_ascii_lowercase();
        if !is_domain(&domain) {
            s.fault(
                entry.at,
                format!("\"{}\" is no domain name", entry.text),
                "write the part after the @, like example.jp",
            );
        } else if domains.contains(&domain) {
            s.fault(entry.at, format!("{domain} stands twice"), "take one of them out");
        } else {
            domains.push(domain);
        }
    }
    domains
}

/// Names of machines: one word each.
fn names(s: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in s.texts(key).unwrap_or_default() {
        let name = entry.text.trim().to_ascii_lowercase();
        if name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) {
            names.push(name);
        } else {
            s.fault(
                entry.at,
                format!("\"{}\" is no name of a machine", entry.text),
                "copy it from the header of a mail",
            );
        }
    }
    names
}

/// A domain as an address has it behind the @.
fn is_domain(text: &str) -> bool {
    format!("x@{text}").parse::<crate::domain::MailAddress>().is_ok()
}
