//! What a sender remarks besides the data: that a part is to follow, a day, a condition for one of the tenants. The words
//! are those of `[phrases]` in `rules/registration.toml`; how they combine stands here. Source: seed 4.1 (注意事項).

use super::Reading;
use super::facts::Form;
use super::normalise::squeeze;
use super::pattern::{matches, pattern};
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
    is_dated(text, phrases)
        || text.rsplit('@').next().is_some_and(|rest| !rest.is_ascii() && phrases.beside.is_in(rest))
}

/// Does the sender remark anything that the data do not say: a condition, an exception, a doubt?
pub(super) fn conditional(reading: &Reading, form: &Form, phrases: &Phrases) -> bool {
    form.words.iter().any(|words| is_condition(words, reading, phrases))
}

/// Does this line hold such a remark? What nobody has thought of yet must not pass in silence: not single wordings tell it,
/// but a topic of the data beside any word of caution, unless it is known to be harmless.
pub(super) fn is_condition(words: &str, reading: &Reading, phrases: &Phrases) -> bool {
    if words.contains('@') {
        return beside(words, phrases);
    }
    words.split('。').any(|sentence| {
        let sentence = squeeze(sentence);
        phrases.unsettled.is_in(&sentence) || phrases.both.is_in(&sentence) || remarks(&sentence, reading, phrases)
    })
}

fn remarks(sentence: &str, reading: &Reading, phrases: &Phrases) -> bool {
    if !phrases.caution.is_in(sentence) {
        return false;
    }
    // A name is not to be taken for words: 旧市街保健所.
    let mut plain = sentence.to_owned();
    for centre in &reading.centres {
        let name = squeeze(&centre.name);
        if name.chars().nth(2).is_some() && plain.contains(&name) {
            plain = plain.replace(&name, "保健所");
        }
    }
    phrases.topics.is_in(&plain) && phrases.caution.is_in(&plain) && !phrases.harmless.is_in(&plain)
}
