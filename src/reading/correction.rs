//! Lines of a correction: 誤 and 正, 旧 and 新, × and ○, before and after the arrow. Only the right-hand value counts.

use super::entry::{self, Stated};
use super::names::name;
use super::pattern::{matches, pattern};
use crate::domain::MailAddress;
use crate::rules::labels::Labels;

pattern!(WRONG, r"^[\[【(<]?(?:誤り?|旧|変更前|訂正前|修正前)[\]】)>]?\s*(?:[:)】>]|\s)|^[×✕✖]\s*");
pattern!(
    RIGHT,
    r"^[\[【(<]?(?:正|新|変更後|訂正後|修正後)[\]】)>]?\s*(?::|\s)\s*|^[\[【(<](?:正|新|変更後|訂正後|修正後)[\]】)>]"
);
pattern!(COLUMNS, r"(?:誤|旧|変更前|訂正前|修正前).{0,12}(?:正|新|変更後|訂正後|修正後)");
pattern!(
    CHOSEN,
    r"(?:とあるのは|ではなく|は誤りで)[、,]?[「『]?$|(?:→|⇒|正しくは|正|新|変更後|訂正後|修正後)\s*[:)】]?\s*[(<]?$"
);

/// The head of a table of corrections: 保健所名 誤 正.
pub(super) fn is_column_head(text: &str) -> bool {
    !text.contains('@') && matches(&COLUMNS, text)
}

/// Reads a line; `None` if it states what is wrong. `column`: which of two addresses is right in a table. The flag: the
/// line bears marks of a correction.
pub(super) fn read(text: &str, column: Option<usize>, labels: &Labels) -> (Option<Stated>, bool) {
    let bare = text.trim_start_matches(['・', ' ', '-', '*', '■', '●']);
    // What neither pattern can begin with is most lines.
    let marked = bare.starts_with(|c| "[【(<誤旧変訂修×✕✖正新".contains(c));
    if marked && matches(&WRONG, bare) && bare.matches('@').count() < 2 {
        return (None, true);
    }
    let right = RIGHT.as_ref().filter(|_| marked).and_then(|r| r.find(bare));
    let mut corrective = right.is_some();
    let text = right.map_or(text, |found| bare.get(found.end()..).unwrap_or_default());
    let mut stated = entry::read(text, labels);
    if let Some(index) = chosen(text, &stated, column) {
        corrective = true;
        stated.addresses = stated.addresses.get(index..=index).unwrap_or_default().to_vec();
        stated.name = name(stated.name.trim_end_matches(['(', '誤', '旧', ':', ' ', '前', '更', '変']), labels);
    }
    (Some(stated), corrective)
}

pattern!(LESSER, r"^\s*[(\[【<](?:副|予備|サブ|旧|個人|第?[2二](?:希望|候補))[)\]】>]");
pattern!(PREFERRED, r"^\s*[(\[【<](?:正|主|メイン|優先|第?[1一](?:希望|候補))[)\]】>]");

/// Does the line call an address better than its first: `a@…(副)、b@…(正)`?
pub(super) fn prefers_later(text: &str, stated: &Stated) -> bool {
    let behind = |(at, address): (&usize, &MailAddress)| text.get(at + address.as_str().len()..).unwrap_or_default();
    let mut rests = stated.at.iter().zip(&stated.addresses).map(behind);
    let first = rests.next().unwrap_or_default();
    stated.addresses.len() > 1 && (matches(&LESSER, first) || rests.any(|rest| matches(&PREFERRED, rest)))
}

/// Which of several addresses the marks before them call right.
fn chosen(text: &str, stated: &Stated, column: Option<usize>) -> Option<usize> {
    if stated.addresses.len() < 2 {
        return None;
    }
    let marked = |at: &usize| matches(&CHOSEN, text.get(..*at).unwrap_or_default());
    let by_mark = || stated.at.iter().skip(1).position(marked).map(|index| index + 1);
    column.filter(|_| stated.addresses.len() == 2).or_else(by_mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, column: Option<usize>, expected: Option<(&str, &str)>) {
        let rules = crate::rules::Rules::embedded().unwrap();
        let stated = read(line, column, &rules.registration.labels).0;
        let found = stated.as_ref().map(|s| (s.name.as_str(), s.addresses[0].as_str()));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn only_the_right_value_counts() {
        check("誤:港保健所 a@x.lg.jp", None, None);
        check("正:港保健所 b@x.lg.jp", None, Some(("港保健所", "b@x.lg.jp")));
        check("港保健所のメールアドレス(誤:a@x.lg.jp → 正:b@x.lg.jp)", None, Some(("港保健所", "b@x.lg.jp")));
        check("港保健所 a@x.lg.jp b@x.lg.jp", Some(1), Some(("港保健所", "b@x.lg.jp")));
        check("新潟市保健所 a@x.lg.jp", None, Some(("新潟市保健所", "a@x.lg.jp")));
    }
}
