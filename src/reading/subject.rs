//! What the subject says: the form it has, the authority it names, marks like 【訂正】 (seed 4.1).

use super::normalise::{squeeze, tidy};
use super::pattern::{matches, pattern};
use crate::rules::Rules;

/// A subject understood.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings")]
pub(super) struct Subject {
    /// It is a registration's.
    pub(super) registration: bool,
    /// The form the ministry asked for, to the letter.
    pub(super) usual: bool,
    /// The authority's name as the form gives it, template words left out.
    pub(super) named: Option<String>,
    /// All of it, tidied.
    pub(super) text: String,
    pub(super) correction: bool,
    pub(super) inquiry: bool,
    pub(super) forwarded: bool,
}

pattern!(CORRECTION, r"訂正|修正|差し?替|再提出|変更|取り?下げ|取消|正誤|追加");
pattern!(INQUIRY, r"照会|質問|問い?合わ?せ|御?ご?教示|確認依頼");
pattern!(FORWARD, r"(?i)(?:^|\[|【|\(|\s)(?:fwd?\s*:|転送\s*[:】\])])");

/// Reads a subject.
pub(super) fn read(subject: Option<&str>, rules: &Rules) -> Subject {
    let Some(subject) = subject else { return Subject::default() };
    let squeezed = squeeze(subject);
    let hit = rules.registration.subjects.iter().enumerate().find_map(|(i, p)| p.captures(&squeezed).map(|c| (i, c)));
    let named = hit.as_ref().and_then(|(_, c)| c.name("authority")).map(|m| m.as_str().to_owned());
    let named = named.filter(|n| !rules.registration.placeholder_names.contains(n) && !n.is_empty());
    let words = ["自治体", "保健所"].iter().any(|w| squeezed.contains(w)) && squeezed.contains("メールアドレス");
    Subject {
        registration: hit.is_some() || words,
        usual: hit.as_ref().is_some_and(|(i, _)| *i == 0),
        named,
        correction: matches(&CORRECTION, &squeezed),
        inquiry: matches(&INQUIRY, &squeezed),
        forwarded: matches(&FORWARD, &tidy(subject)),
        text: tidy(subject),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_subject() {
        let rules = Rules::embedded().unwrap();
        let check = |subject: &str, registration: bool, usual: bool, named: Option<&str>| {
            let read = read(Some(subject), &rules);
            assert_eq!(
                (read.registration, read.usual, read.named.as_deref()),
                (registration, usual, named),
                "{subject}"
            );
        };
        check("自治体・保健所メールアドレスの連絡（札幌市）", true, true, Some("札幌市"));
        check("自治体・保健所メールアドレスの連絡（[[札幌市]]）", true, true, Some("札幌市"));
        check("自治体・保健所メールアドレスの連絡（[[自治体名]]）", true, true, None);
        check("Re: 自治体・保健所のメールアドレスの連絡【札幌市】", true, false, Some("札幌市"));
        check("会議の開催について", false, false, None);
    }
}
