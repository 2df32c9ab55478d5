//! What speaks for a registration and what against it (research R9): who vouches for the sender, whose domains these are,
//! whether the ministry reads along, first registration or change. Each piece is graded and shown; none decides alone.
//! The policy of `rules/senders.toml` says how much is needed to take a mail without a person, and what makes one look.
//! What looks like an impersonation always does.

use super::authentication::{Authentication, Grade, Source, Verdict};
use super::trust::{is_foreign, one_slip};
use super::{Reading, Reason};
use crate::domain::MailAddress;
use crate::rules::{Handling, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Shortest domain compared with known ones for a slip: of shorter ones half the names are one letter apart.
const LOOK_ALIKE_CHARS_MIN: usize = 10;

/// What the daemon knows of the domains in a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acquaintance {
    /// Domains of this authority that staff approved, lower-case.
    pub approved: BTreeSet<String>,
    /// Domains of its addresses in the directory.
    pub registered: BTreeSet<String>,
    /// The sender's domain is approved for another authority and not for this one.
    pub of_another: bool,
    /// The known domain that the sender's, or one to be registered, is mistaken for.
    pub look_alike: Option<String>,
    /// Nothing is registered for this authority yet.
    pub first: bool,
}

/// Everything that speaks for and against a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weighed {
    pub pieces: Vec<Piece>,
    /// Why a person must look; empty: the policy lets it pass.
    pub reasons: Vec<Reason>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub what: What,
    pub grade: Grade,
    /// The Japanese sentence staff read.
    pub text: String,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Authentication,
    SenderDomain,
    AddressDomains,
    Ministry,
    Occasion,
}

impl What {
    /// The word of the console.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Authentication => "送信元の認証",
            Self::SenderDomain => "差出人のドメイン",
            Self::AddressDomains => "登録するドメイン",
            Self::Ministry => "厚生労働省のCC",
            Self::Occasion => "登録の種類",
        }
    }
}

impl Grade {
    /// The mark of the console.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Strong => "◎",
            Self::Fair => "○",
            Self::Nothing => "－",
            Self::Against => "×",
        }
    }

    fn points(self) -> u32 {
        match self {
            Self::Strong => 2,
            Self::Fair => 1,
            Self::Nothing | Self::Against => 0,
        }
    }
}

impl Reason {
    /// Somebody seems to write in another's name.
    pub fn is_impersonation(self) -> bool {
        matches!(
            self,
            Self::NameShowsOtherAddress | Self::OtherAuthoritysDomain | Self::LookAlikeDomain | Self::KnownDomainForged
        )
    }
}

/// Weighs a registration or correction.
pub fn weigh(reading: &Reading, known: &Acquaintance, rules: &Rules) -> Weighed {
    let policy = &rules.senders;
    let vouched = reading.head.authentication.as_ref();
    let sender = reading.head.from.as_ref().map(MailAddress::domain);
    let occasion = if known.first {
        "この自治体の最初の登録です。"
    } else {
        "登録済みの自治体からの追加又は変更です。"
    };
    let pieces = vec![
        authentication(vouched),
        sender_domain(sender.as_deref(), known),
        address_domains(reading, sender.as_deref(), known),
        ministry(reading, rules),
        Piece { what: What::Occasion, grade: Grade::Nothing, text: occasion.to_owned() },
    ];
    let against = |what: What| pieces.iter().any(|p| p.what == what && p.grade == Grade::Against);
    let mut reasons = impersonation(reading, sender.as_deref(), known);
    let mut held = |handling: Handling, what: What, reason: Reason| {
        if handling == Handling::Review && against(what) {
            reasons.push(reason);
        }
    };
    held(policy.authentication_failed, What::Authentication, Reason::AuthenticationFailed);
    held(policy.sender_domain_unknown, What::SenderDomain, Reason::SenderDomainUnknown);
    held(policy.address_domain_unknown, What::AddressDomains, Reason::AddressDomainUnknown);
    let needed = if known.first { policy.needed_first } else { policy.needed_change };
    if pieces.iter().map(|piece| piece.grade.points()).sum::<u32>() < needed {
        reasons.push(Reason::EvidenceWeak);
    }
    reasons.sort_unstable();
    reasons.dedup();
    Weighed { pieces, reasons }
}

fn authentication(vouched: Option<&Authentication>) -> Piece {
    let piece = |grade, text: String| Piece { what: What::Authentication, grade, text };
    let Some(vouched) = vouched else {
        return piece(Grade::Nothing, "認証の結果はありません。".to_owned());
    };
    let who = match &vouched.source {
        Source::Gateway(name) => format!("メールゲートウェイ {name} の判定"),
        Source::Own => "受信時の検査".to_owned(),
    };
    let word = |verdict| match verdict {
        Verdict::Pass => "合格",
        Verdict::Fail => "失敗",
        Verdict::None => "なし",
    };
    let (dmarc, dkim, spf) = (word(vouched.dmarc), word(vouched.dkim), word(vouched.spf));
    piece(vouched.grade(), format!("{who}：DMARC {dmarc}、DKIM {dkim}、SPF {spf}。"))
}

fn sender_domain(sender: Option<&str>, known: &Acquaintance) -> Piece {
    let (grade, text) = match sender {
        None => (Grade::Against, "差出人のアドレスが分かりません。".to_owned()),
        Some(domain) if known.approved.contains(domain) => {
            (Grade::Strong, format!("{domain} は、この自治体のものとして担当者が確認済みです。"))
        }
        Some(domain) if known.registered.contains(domain) => {
            (Grade::Fair, format!("{domain} は、この自治体の登録済みのアドレスと同じです。"))
        }
        Some(domain) if known.approved.is_empty() && known.registered.is_empty() => {
            (Grade::Nothing, format!("{domain} は初めてです（この自治体に確認済みのドメインはありません）。"))
        }
        Some(domain) => (Grade::Against, format!("{domain} は、この自治体の確認済みのドメインにありません。")),
    };
    Piece { what: What::SenderDomain, grade, text }
}

fn address_domains(reading: &Reading, sender: Option<&str>, known: &Acquaintance) -> Piece {
    let piece = |grade, text: String| Piece { what: What::AddressDomains, grade, text };
    let domains = listed(reading);
    if domains.is_empty() {
        return piece(Grade::Nothing, "登録するアドレスがありません。".to_owned());
    }
    let familiar = |domain: &String| known.approved.contains(domain) || known.registered.contains(domain);
    let strange: Vec<&str> =
        domains.iter().filter(|d| !familiar(d) && Some(d.as_str()) != sender).map(String::as_str).collect();
    if strange.is_empty() {
        return piece(Grade::Fair, "差出人又は登録済みのアドレスと同じドメインです。".to_owned());
    }
    let list = strange.join("、");
    if known.first {
        return piece(Grade::Nothing, format!("{list} は、差出人のドメインと異なります。"));
    }
    piece(Grade::Against, format!("{list} は、差出人のものでも確認済みのものでもありません。"))
}

fn ministry(reading: &Reading, rules: &Rules) -> Piece {
    let (grade, text) = if ministry_named(reading, rules) {
        (Grade::Fair, "宛先又はCCに入っています。")
    } else {
        (Grade::Nothing, "宛先にもCCにも入っていません。")
    };
    Piece { what: What::Ministry, grade, text: text.to_owned() }
}

/// Whether everybody who is to read along stands in To or Cc.
pub fn ministry_named(reading: &Reading, rules: &Rules) -> bool {
    let named = |expected: &MailAddress| {
        reading.head.cc.iter().chain(&reading.head.to).any(|given| given.same_mailbox(expected))
    };
    rules.registration.expected_cc.iter().all(named)
}

fn impersonation(reading: &Reading, sender: Option<&str>, known: &Acquaintance) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let shown = reading.head.from_name.as_deref().and_then(address_in);
    if shown.is_some_and(|shown| reading.head.from.as_ref().is_none_or(|from| !from.same_mailbox(&shown))) {
        reasons.push(Reason::NameShowsOtherAddress);
    }
    if known.of_another {
        reasons.push(Reason::OtherAuthoritysDomain);
    }
    if known.look_alike.is_some() {
        reasons.push(Reason::LookAlikeDomain);
    }
    let forged = reading.head.authentication.as_ref().is_some_and(|vouched| vouched.dmarc == Verdict::Fail);
    if forged && sender.is_some_and(|domain| known.approved.contains(domain) || known.registered.contains(domain)) {
        reasons.push(Reason::KnownDomainForged);
    }
    reasons
}

/// An address written inside a display name: `"kansen@city.minato.tokyo.jp" <x@evil.example>`.
fn address_in(name: &str) -> Option<MailAddress> {
    let word = |c: char| c.is_whitespace() || "<>()[]\"'「」（）＜＞,;：:".contains(c);
    name.split(word).filter(|part| part.contains('@')).find_map(|part| part.parse().ok())
}

/// Domains of the addresses to be registered, lower-case.
pub fn listed(reading: &Reading) -> BTreeSet<String> {
    let head = reading.authority.iter().filter_map(|a| a.address.as_ref());
    head.chain(reading.centres.iter().filter_map(|c| c.address.as_ref())).map(MailAddress::domain).collect()
}

/// Whether somebody could take `domain` for `known`, which it is not.
pub fn looks_like(domain: &str, known: &str) -> bool {
    let long = domain.len().min(known.len()) >= LOOK_ALIKE_CHARS_MIN;
    domain != known && (skeleton(domain) == skeleton(known) || long && one_slip(domain, known))
}

/// Letters that are taken for each other are made one: l and 1, o and 0, rn and m, a hyphen and a dot.
fn skeleton(domain: &str) -> String {
    let folded = domain.replace("rn", "m").replace("vv", "w");
    folded
        .chars()
        .map(|c| match c {
            '1' | 'i' => 'l',
            '0' => 'o',
            '-' => '.',
            '5' => 's',
            c => c,
        })
        .collect()
}

/// Whether a domain may become known: not one where anybody gets a mailbox, nor one of a provider or another country.
pub fn may_be_known(domain: &str, rules: &Rules) -> bool {
    !rules.senders.is_free_mail(domain) && !is_foreign(domain)
}
