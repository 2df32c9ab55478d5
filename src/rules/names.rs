//! Names of authorities and health centres in the forms officers write them, folded to one (research R11).
//!
//! Two forms: [`plain`] only evens out width and blanks, so that a text still reads as written; [`fold`] makes spellings
//! equal and is for comparing only. Source of the old forms: 常用漢字表 (康熙字典体), 人名用漢字 and place names in use.

use unicode_normalization::UnicodeNormalization;

/// NFKC, without blanks and invisible characters. 「札　幌　市 」 → 「札幌市」, 「（」 → 「(」.
pub fn plain(text: &str) -> String {
    text.nfkc().filter(|c| !is_blank(*c)).collect()
}

/// [`plain`], then spellings made equal: ヶ/ケ/が/ガ, old forms of kanji, letters in lower case, no middle dots.
pub fn fold(text: &str) -> String {
    text.nfkc().filter_map(fold_char).collect()
}

/// One character after NFKC as it counts in [`fold`]; `None` if it does not count.
pub(super) fn fold_char(c: char) -> Option<char> {
    if is_blank(c) || c == '・' {
        return None;
    }
    if c.is_ascii() {
        return Some(c.to_ascii_lowercase());
    }
    Some(variant(c))
}

/// Blanks, line ends, zero-width characters and variation selectors (異体字セレクタ).
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Old and variant forms that NFKC keeps apart, and the form they are compared in. ヶ, ケ, が, ガ stand for one another in
/// place names: 茅ヶ崎, 竜ケ崎, 霞が関.
const fn variant(c: char) -> char {
    match c {
        'ヶ' | 'ヵ' | 'が' | 'ガ' => 'ケ',
        'ノ' | '之' => 'の',
        'ツ' | 'ッ' | 'っ' => 'つ',
        '﨑' | '碕' | '嵜' => '崎',
        '髙' => '高',
        '龍' => '竜',
        '竈' | '竃' => '釜',
        '鹽' => '塩',
        '濱' | '濵' => '浜',
        '澤' => '沢',
        '邊' | '邉' => '辺',
        '廣' => '広',
        '嶋' | '嶌' => '島',
        '國' => '国',
        '縣' => '県',
        '區' => '区',
        '條' => '条',
        '櫻' => '桜',
        '橫' => '横',
        '瀨' => '瀬',
        '德' => '徳',
        '靜' => '静',
        '眞' => '真',
        '惠' => '恵',
        '榮' => '栄',
        '會' => '会',
        '穗' => '穂',
        '萬' => '万',
        '圓' => '円',
        '兒' => '児',
        '冨' => '富',
        '嶽' => '岳',
        '禮' => '礼',
        '豐' => '豊',
        '鷄' => '鶏',
        '藝' => '芸',
        '彌' => '弥',
        '學' => '学',
        '澁' => '渋',
        '蘆' => '芦',
        '礪' => '砺',
        '檜' => '桧',
        '檮' => '梼',
        '鰺' => '鯵',
        '曾' => '曽',
        '祗' => '祇',
        '籠' => '篭',
        '舘' => '館',
        '峯' => '峰',
        '埜' => '野',
        '槇' => '槙',
        '鷗' => '鴎',
        '壹' => '壱',
        '攝' => '摂',
        '淸' => '清',
        '黑' => '黒',
        '來' => '来',
        '對' => '対',
        '與' => '与',
        '狹' => '狭',
        '驒' => '騨',
        '總' => '総',
        other => other,
    }
}
