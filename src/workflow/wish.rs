//! What a tenant asks for in its own words: another certificate (seed 4.3: after a lost or replaced terminal, or when the
//! time for picking up is over). Pure and modest: it only finds the wish and its likely reason, so that a person finds the
//! matter with everything filled in; nothing is issued because of a mail.

use super::ReissueReason;

/// Words that ask for another certificate.
const WISH: [&str; 5] = ["再発行", "再交付", "再送付", "再度発行", "発行し直"];
/// Words that take the wish back: 再発行は不要です, 再発行されました.
const NO_WISH: [&str; 6] = ["不要", "必要ありません", "必要はありません", "されました", "ありがとう", "取り下げ"];

/// Words behind a reason; the first reason with one of its words in the text counts.
const REASONS: [(ReissueReason, &[&str]); 5] = [
    (ReissueReason::Lost, &["紛失", "盗難", "置き忘", "漏えい", "漏洩", "流出", "なくし"]),
    (ReissueReason::WrongTerminal, &["別の端末に", "別のpcに", "誤って", "間違え", "違う端末", "違うpc"]),
    (
        ReissueReason::TerminalReplaced,
        &[
            "入替",
            "入れ替",
            "入れ換",
            "交換",
            "更新",
            "買い替",
            "故障",
            "壊れ",
            "リース",
            "初期化",
            "新しい端末",
            "新しいpc",
        ],
    ),
    (ReissueReason::AddressChanged, &["アドレスを変更", "アドレスが変", "アドレスの変更", "担当者が変", "異動"]),
    (ReissueReason::Expired, &["期限", "期日", "間に合"]),
];

/// Whether these words ask for another certificate, and why if they say so. `words`: the sender's own, nothing quoted, tidied
/// ([`crate::reading::own_words`]).
pub fn reissue(words: &str) -> Option<Option<ReissueReason>> {
    let text: String = words.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let asks = text.split(['。', '!', '?', '！', '？']).any(|sentence| {
        WISH.iter().any(|word| sentence.contains(word)) && !NO_WISH.iter().any(|word| sentence.contains(word))
    });
    let reason = REASONS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    asks.then(|| reason.map(|(reason, _)| *reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expected: Option<Option<ReissueReason>>) {
        assert_eq!(reissue(words), expected, "{words}");
    }

    #[test]
    fn wishes() {
        use ReissueReason as R;
        check("端末を紛失したため、証明書の再発行をお願いします。", Some(Some(R::Lost)));
        check(
            "お世話になっております。\n\nＰＣの入れ替えに伴い、再 発 行を希望します。",
            Some(Some(R::TerminalReplaced)),
        );
        check("期限を過ぎてしまいました。再発行をお願いいたします", Some(Some(R::Expired)));
        check("誤って別のPCにインストールしました。再発行できますか？", Some(Some(R::WrongTerminal)));
        check("担当者が変わりました。証明書を再発行してください。", Some(Some(R::AddressChanged)));
        check("証明書の再発行をお願いします。", Some(None));
        check("証明書の再発行は不要です。", None);
        check("再発行されました。ありがとうございます。", None);
        check("パスワードが分かりません。", None);
        check("", None);
    }
}
