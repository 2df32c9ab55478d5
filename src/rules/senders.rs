//! `rules/senders.toml`: whose mail is taken without a second look (research R9), and which domains need old encodings.

use super::RuleError;
use super::toml_file::{Section, TomlFile};

/// The file's name.
pub const FILE: &str = "senders.toml";

/// Trust policy and per-domain delivery settings. Domains are lower-case, without @.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRules {
    /// Domains where anybody can open a mailbox; an address there is never taken unseen.
    pub free_mail: Vec<String>,
    /// Take a registration only if the ministry stands in To or Cc.
    pub ministry_in_cc_required: bool,
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
        let (free_mail, ministry_in_cc_required) =
            file.section("trust", |s| (domains(s, "free_mail"), s.flag("ministry_in_cc_required", false)));
        let iso_2022_jp = file.section("delivery", |s| domains(s, "iso_2022_jp"));
        let faults = file.close();
        if faults.is_empty() { Ok(Self { free_mail, ministry_in_cc_required, iso_2022_jp }) } else { Err(faults) }
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

/// A domain as an address has it behind the @.
fn is_domain(text: &str) -> bool {
    format!("x@{text}").parse::<crate::domain::MailAddress>().is_ok()
}
