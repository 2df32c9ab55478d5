//! What a sender remarks besides the data: that a part is to follow, a day, a condition for one of the tenants. Nobody can
//! list all that may be said, so it is asked the other way round: a sentence that touches the data goes before a person
//! unless every clause of it is known to say nothing. The words are those of `[phrases]` in `rules/registration.toml`; how
//! they combine stands here. Source: seed 4.1 (注意事項).

use super::facts::Form;
use super::names::{is_centre_name, is_section_name};
use super::normalise::squeeze;
use super::pattern::{matches, pattern};
use super::{Reading, entry, judge};
use crate::rules::Rules;
use crate::rules::phrases::Phrases;

pattern!(
    PENDING,
    r"(?:後日|未定|調整中|確認中|追って|検討中|準備中|作成中|取得中|申請中|整備中|予定|アドレスなし|無し|(?:あり|有り)ません|同上)"
);
pattern!(NONE_ELSE, r"以外[^。]{0,16}(?:あり|ござい)ません");

/// What stands before 後日連絡, 未定, 同上; `None` if no such word occurs.
pub(super) fn before_pending(text: &str) -> Option<&str> {
    let found = PENDING.as_ref()?.find(text)?;
    text.get(..found.start())
}

/// Are more health centres or addresses to follow?
pub(super) fn follows(words: &str, phrases: &Phrases) -> bool {
    words.contains("保健所") && before_pending(words).is_some() && !matches(&NONE_ELSE, words)
        || phrases.to_follow.is_in(words) && !phrases.in_case.is_in(words)
}

/// A day from which something holds: 5月1日から, 5/7以降.
pub(super) fn is_dated(text: &str, phrases: &Phrases) -> bool {
    text.contains(['月', '/']) && phrases.dated.is_in(text)
}

/// Is something noted beside the address on its line that a person must know?
pub(super) fn beside(text: &str, phrases: &Phrases) -> bool {
    let Some(rest) = text.rsplit('@').next().filter(|rest| !rest.is_ascii()) else { return is_dated(text, phrases) };
    is_dated(text, phrases) || phrases.beside.is_in(rest) || bracketed(rest).any(|note| notes(note, phrases))
}

/// Does a note say more than a name?
fn notes(note: &str, phrases: &Phrases) -> bool {
    let note = squeeze(note);
    let office =
        is_centre_name(&note) && ["保健所", "センター", "事務所", "支所"].iter().any(|end| note.ends_with(end));
    !is_section_name(&note) && !office && remarks(&note, phrases)
}

/// What stands in brackets.
fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    text.split('(').skip(1).filter_map(|rest| rest.split(')').next())
}

/// The lines of the sender's own words that hold a remark.
pub(super) fn lines_of(reading: &Reading, rules: &Rules) -> Vec<usize> {
    let phrases = &rules.registration.phrases;
    let form = judge::form(reading, rules);
    let remarks = form.words.iter().filter(|said| is_condition(&said.text, reading, phrases));
    remarks.flat_map(|said| said.lines.0..=said.lines.1).collect()
}

/// Clauses of a sentence that are looked at together, at most: 自治体、保健所のメールアドレスを連絡します are two.
const CLAUSES_TOGETHER_MAX: usize = 4;

/// Does the sender remark anything that neither the data say nor another reason of the mail?
pub(super) fn conditional(reading: &Reading, form: &Form, told: impl Fn(&str) -> bool, phrases: &Phrases) -> bool {
    form.has_data() && form.words.iter().any(|said| is_condition(&said.text, reading, phrases) && !told(&said.text))
}

/// Do these words hold such a remark? What nobody has thought of yet must not pass in silence, so it is asked the other way
/// round: what touches the data and is not known to say nothing goes before a person.
pub(super) fn is_condition(words: &str, reading: &Reading, phrases: &Phrases) -> bool {
    if entry::addresses(words).next().is_some() {
        return beside(words, phrases);
    }
    words.split(['。', '!', '?']).any(|sentence| remarks(&plain(sentence, reading), phrases))
}

/// Does a sentence, or a note, touch the data and not say nothing?
fn remarks(sentence: &str, phrases: &Phrases) -> bool {
    phrases.touches.is_in(sentence) && !phrases.headline.is_in(sentence) && is_unexplained(sentence, phrases)
}

/// A sentence without blanks, and without the names of tenants, which are not to be taken for words: 旧市街保健所.
fn plain(sentence: &str, reading: &Reading) -> String {
    let mut plain = squeeze(sentence);
    let centres = reading.centres.iter().map(|c| (squeeze(&c.name), "保健所"));
    let names = centres.chain(reading.authority.iter().map(|a| (squeeze(&a.name), "当市")));
    for (name, stands) in names {
        if name.chars().nth(2).is_some() && plain.contains(&name) {
            plain = plain.replace(&name, stands);
        }
    }
    plain
}

/// What is left of a sentence once all clauses are taken out that are known to say nothing: does it touch the data?
fn is_unexplained(sentence: &str, phrases: &Phrases) -> bool {
    let parted = phrases.parts.marked(sentence, "、");
    let clauses: Vec<&str> = parted.split(['、', ',']).filter(|clause| !clause.is_empty()).collect();
    let mut left = String::new();
    let mut at = 0;
    while let Some(clause) = clauses.get(at) {
        let most = CLAUSES_TOGETHER_MAX.min(clauses.len() - at);
        let known = (1..=most)
            .rev()
            .find(|n| clauses.get(at..at + n).is_some_and(|few| says_nothing(&few.join("、"), phrases)));
        if known.is_none() {
            left.push_str(clause);
            left.push('、');
        }
        at += known.unwrap_or(1);
    }
    phrases.touches.is_in(&left)
}

fn says_nothing(clause: &str, phrases: &Phrases) -> bool {
    phrases.harmless.is_in(clause)
        || phrases.requests.is_in(clause)
        || phrases.framed.free(clause).is_some_and(|free| !phrases.touches.is_in(free))
}
