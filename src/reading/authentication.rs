//! Who vouches for the sender: what the own mail gateway found (Authentication-Results, RFC 8601), or our own check of
//! DKIM, SPF and DMARC, as facts. A gateway is believed only by its configured name, and only in its topmost header:
//! anybody can write further ones below it. What is found proves which domain sent the mail, never who sits there.

use serde::{Deserialize, Serialize};

/// Longest header looked at, in bytes; results stand at its beginning.
const FIELD_BYTES_MAX: usize = 8 * 1024;
/// Results taken from one header at most.
const RESULTS_MAX: usize = 32;
/// Labels a domain needs before those below it count as the same body: nobody owns `lg.jp` or `tokyo.jp`.
const OWN_LABELS_MIN: usize = 3;

/// What is known of a mail's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    pub source: Source,
    pub dmarc: Verdict,
    /// The best of the signatures of the From domain; signatures of others say nothing about it.
    pub dkim: Verdict,
    /// Of the envelope sender, where that is of the From domain.
    pub spf: Verdict,
}

/// Who looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The gateway of this name.
    Gateway(String),
    /// We, when the mail came in.
    Own,
}

/// One result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Pass,
    /// Looked at and wrong.
    Fail,
    /// Nothing to look at, not of this domain, or it could not be found out: says nothing.
    None,
}

/// What it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Speaks against it.
    Against,
    /// Says nothing.
    Nothing,
    Fair,
    Strong,
}

impl Authentication {
    /// A signature or DMARC is strong; SPF alone shows only which machine it was.
    pub fn grade(&self) -> Grade {
        match (self.dmarc, self.dkim, self.spf) {
            (Verdict::Fail, ..) => Grade::Against,
            (Verdict::Pass, ..) | (_, Verdict::Pass, _) => Grade::Strong,
            (Verdict::None, _, Verdict::Pass) => Grade::Fair,
            (Verdict::None, Verdict::Fail, _) | (Verdict::None, _, Verdict::Fail) => Grade::Against,
            (Verdict::None, Verdict::None, Verdict::None) => Grade::Nothing,
        }
    }
}

/// Reads the headers of that name, from the top; `from`: the domain of the From address, lower-case.
pub(super) fn results<'f>(
    mut fields: impl Iterator<Item = &'f [u8]>,
    gateways: &[String],
    from: Option<&str>,
) -> Option<Authentication> {
    fields.find_map(|raw| {
        let raw = raw.get(..FIELD_BYTES_MAX).unwrap_or(raw);
        let text = uncommented(&String::from_utf8_lossy(raw));
        let mut parts = text.split(';');
        // `mx.example.jp 1`: a version may follow the name.
        let name = parts.next()?.split_whitespace().next()?.to_ascii_lowercase();
        gateways.contains(&name).then(|| read(name, parts, from))
    })
}

fn read<'t>(name: String, parts: impl Iterator<Item = &'t str>, from: Option<&str>) -> Authentication {
    let mut found =
        Authentication { source: Source::Gateway(name), dmarc: Verdict::None, dkim: Verdict::None, spf: Verdict::None };
    for part in parts.take(RESULTS_MAX) {
        let mut words = part.split_whitespace();
        let Some((method, result)) = words.next().and_then(|word| word.split_once('=')) else { continue };
        let method = method.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let verdict = verdict(result);
        let property = |names: &[&str]| {
            let given = words.clone().filter_map(|word| word.split_once('='));
            let mut found = given.filter(|(key, _)| names.contains(&key.to_ascii_lowercase().as_str()));
            let value = found.next()?.1.rsplit('@').next()?.trim_matches(['"', '<', '>', '.']);
            Some(value.to_ascii_lowercase())
        };
        let of_sender = |domain: Option<String>| match (domain, from) {
            (Some(domain), Some(from)) => aligned(&domain, from),
            (None, _) | (_, None) => false,
        };
        match method.as_str() {
            "dmarc" if property(&["header.from"]).is_none_or(|d| Some(d.as_str()) == from) => found.dmarc = verdict,
            "dkim" if of_sender(property(&["header.d", "header.i"])) => found.dkim = better(found.dkim, verdict),
            "spf" if of_sender(property(&["smtp.mailfrom", "smtp.helo"])) => found.spf = verdict,
            _ => {}
        }
    }
    found
}

/// Of several signatures one that holds is enough (RFC 6376 §4.2).
pub fn better(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Pass, _) | (_, Verdict::Pass) => Verdict::Pass,
        (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
        (Verdict::None, Verdict::None) => Verdict::None,
    }
}

/// RFC 8601 §2.7. Errors of the DNS are no fault of the sender.
fn verdict(word: &str) -> Verdict {
    match word.to_ascii_lowercase().as_str() {
        "pass" => Verdict::Pass,
        "fail" | "hardfail" | "softfail" | "policy" => Verdict::Fail,
        _ => Verdict::None,
    }
}

/// Whether both are of one body: the same, or one below the other and the upper one not shared by many.
pub fn aligned(domain: &str, from: &str) -> bool {
    let below = |lower: &str, upper: &str| {
        upper.split('.').count() >= OWN_LABELS_MIN && lower.strip_suffix(upper).is_some_and(|rest| rest.ends_with('.'))
    };
    domain == from || below(domain, from) || below(from, domain)
}

/// Without comments in brackets, and with blanks and semicolons inside quotes taken away (RFC 5322 §3.2.2).
fn uncommented(text: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted || depth > 0 => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            ';' | ' ' | '\t' | '\r' | '\n' if quoted => {}
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Option<(Verdict, Verdict, Verdict, Grade)> {
        let fields = headers.iter().map(|h| h.as_bytes());
        let found = results(fields, &["mx.bigtree.example".to_owned()], Some("city.minato.tokyo.jp"))?;
        Some((found.dmarc, found.dkim, found.spf, found.grade()))
    }

    #[test]
    fn only_the_topmost_header_of_the_own_gateway_counts() {
        use Verdict::{Fail, None as Unsaid, Pass};
        let own = "mx.bigtree.example 1; dkim=fail (bad; key) header.d=city.minato.tokyo.jp;\r\n spf=pass smtp.mailfrom=x@city.minato.tokyo.jp; dmarc=fail (p=none) header.from=city.minato.tokyo.jp";
        let forged = "mx.bigtree.example; dkim=pass header.d=city.minato.tokyo.jp; dmarc=pass";
        let other = "mx.attacker.example; dkim=pass header.d=city.minato.tokyo.jp";
        assert_eq!(read(&[other]), None);
        assert_eq!(read(&[other, own, forged]), Some((Fail, Fail, Pass, Grade::Against)));
        assert_eq!(read(&[forged]), Some((Pass, Pass, Unsaid, Grade::Strong)));
        assert_eq!(read(&["mx.bigtree.example; none"]), Some((Unsaid, Unsaid, Unsaid, Grade::Nothing)));
        // A name that only begins alike, or hides in a comment, is another's.
        assert_eq!(read(&["mx.bigtree.example.evil; dmarc=pass"]), None);
        assert_eq!(read(&["(mx.bigtree.example) evil.example; dmarc=pass"]), None);
    }

    #[test]
    fn signatures_of_others_prove_nothing() {
        use Verdict::{None as Unsaid, Pass};
        let of_list = "mx.bigtree.example; dkim=pass header.d=mailer.example header.i=@mailer.example";
        assert_eq!(read(&[of_list]), Some((Unsaid, Unsaid, Unsaid, Grade::Nothing)));
        let both = format!("{of_list}; dkim=pass header.i=@mail.city.minato.tokyo.jp");
        assert_eq!(read(&[&both]), Some((Unsaid, Pass, Unsaid, Grade::Strong)));
        let of_all = "mx.bigtree.example; dkim=pass header.d=tokyo.jp; spf=temperror smtp.mailfrom=tokyo.jp";
        assert_eq!(read(&[of_all]), Some((Unsaid, Unsaid, Unsaid, Grade::Nothing)));
        let quoted = "mx.bigtree.example; dkim=none reason=\"x; dmarc=pass\"";
        assert_eq!(read(&[quoted]), Some((Unsaid, Unsaid, Unsaid, Grade::Nothing)));
        let spf = "mx.bigtree.example; spf=pass smtp.mailfrom=city.minato.tokyo.jp";
        assert_eq!(read(&[spf]), Some((Unsaid, Unsaid, Pass, Grade::Fair)));
    }
}
