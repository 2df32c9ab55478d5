//! Names of authorities, health centres and their sections: taken out of a line and told from other words.

use super::pattern::pattern;

pattern!(
    TOPIC,
    r"(?i)(?:の(?:新しい)?(?:e-?mail|e?メール)?アドレス|の連絡先|の(?:送付|宛)先|宛て?)?(?:は|につきましては|については)[、,]?(?:正しくは)?\s*$"
);
pattern!(
    NUMBERING,
    r"^[(\[<]?\s*(?:[0-9]{1,2}|[アイウエオ]|[IVX]{1,3}|[a-z])\s*(?:[)\].、:>]|\s)\s*|^[0-9]{1,2}([^0-9-])"
);
pattern!(
    PHONE,
    r"(?i)\(?(?:tel|fax|電話|ファ(?:ッ)?クス|内線|直通|携帯)[^ぁ-ん]*|\(?0[0-9]{1,4}[-(][0-9]{1,4}[-)][0-9]{3,4}[^ぁ-ん]*"
);

/// Marks before a name or a heading.
const MARKS: &[char] = &[
    '■', '□', '◆', '◇', '●', '○', '◎', '・', '▼', '▽', '▲', '△', '★', '☆', '◯', '〇', '*', '-', '+', '•', '▪', '▶',
    '►', '→', '⇒', '#', '·', '◉', '✓', '✔', '|', '─', '、', '，', ',',
];

/// Takes marks and numbering from the front: `■`, `(1)`, `①` (which NFKC made `1`), `ア.`
pub(super) fn unmarked(text: &str) -> &str {
    let mut text = text.trim();
    for _ in 0..4 {
        let before = text;
        text = text.trim_start_matches(MARKS).trim_start();
        let may = text.starts_with(|c: char| c.is_ascii() || matches!(c, 'ア'..='オ'));
        if may && let Some(found) = NUMBERING.as_ref().and_then(|n| n.captures(text)) {
            let whole = found.get(0).map_or(0, |m| m.end());
            let cut = found.get(1).map_or(whole, |m| m.start());
            text = text.get(cut..).unwrap_or_default().trim_start();
        }
        if text.len() == before.len() {
            break;
        }
    }
    text
}

/// Words at the end of a name that belong to the address behind it.
const NAME_TAILS: [&str; 27] = [
    "のメールアドレスは正しくは",
    "のメールアドレスは",
    "のメールアドレス",
    "のアドレスは",
    "のアドレス",
    "メールアドレス",
    "メルアド",
    "mailaddress",
    "E-mailアドレス",
    "Eメール",
    "E-mail",
    "e-mail",
    "E-Mail",
    "E-MAIL",
    "Email",
    "email",
    "EMAIL",
    "Mail",
    "mail",
    "MAIL",
    "メール",
    "アドレス",
    "mailto",
    "連絡先",
    "宛先",
    "送付先",
    "代表",
];

/// Words before a name: `名称：滋賀県草津保健所`.
const NAME_HEADS: [&str; 12] = [
    "名称",
    "機関名",
    "所属名",
    "所属",
    "組織名",
    "保健所名",
    "自治体名",
    "団体名",
    "施設名",
    "名前",
    "保健所",
    "自治体",
];

/// A name without marks, numbering, labels, separators, telephone numbers and quotes.
pub(super) fn name(text: &str) -> String {
    let text = text.replace('\t', " ");
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let mut name = unmarked(text).trim();
    let topic = name.contains(['は', 'つ']);
    if topic && let Some(found) = TOPIC.as_ref().and_then(|p| p.find(name)) {
        name = name.get(..found.start()).unwrap_or_default();
    }
    let phone = name.contains(|c: char| c.is_ascii_alphanumeric() || matches!(c, '電' | '線' | '通' | '携' | 'フ'));
    if phone && let Some(found) = PHONE.as_ref().and_then(|p| p.find(name)) {
        name = name.get(..found.start()).unwrap_or_default();
    }
    loop {
        let before = name;
        name = name.trim_end_matches(SEPARATORS).trim_start_matches(OPENERS);
        for tail in NAME_TAILS {
            // 代表 and the like are labels only behind a separator or alone.
            if let Some(rest) = name.strip_suffix(tail) {
                let parted = rest.is_empty() || rest.ends_with(SEPARATORS) || tail.starts_with('の');
                if parted || tail.contains("ール") || tail.is_ascii() || tail.contains("アドレス") {
                    name = rest;
                }
            }
        }
        for head in NAME_HEADS {
            if let Some(rest) = name.strip_prefix(head)
                && let Some(rest) = rest.trim_start().strip_prefix(':')
            {
                name = rest.trim_start();
            }
        }
        if name.len() == before.len() {
            break;
        }
    }
    if !name.contains('(') {
        name = name.trim_end_matches(')');
    }
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Separators that may stand between a name and its address.
const SEPARATORS: &[char] = &[
    ' ', ':', ';', '=', '→', '⇒', '-', '.', '…', '・', ',', '、', '，', '|', '/', '<', '(', '[', '{', '"', '\'', '「',
    '『', '~', '―', '—', '─', '>', '〈', '《', '【', '‥', '。', '“', '”', '’', '‘', '〔', '_', '*', '·',
];
const OPENERS: &[char] = &[
    ' ', '"', '\'', '「', '『', '“', '‘', '”', '’', ':', '-', ')', '>', '」', ']', '.', ',', '、', '。', ';', '→', '/',
];

/// Endings of names of authorities, health centres and their sections.
const BODY_ENDS: [&str; 26] = [
    "保健所",
    "センター",
    "事務所",
    "支所",
    "分室",
    "支部",
    "課",
    "係",
    "室",
    "班",
    "部",
    "局",
    "グループ",
    "チーム",
    "担当",
    "市",
    "区",
    "県",
    "府",
    "都",
    "北海道",
    "町",
    "村",
    "庁",
    "本所",
    "分所",
];

/// Could this be the name of an authority, a health centre or a section of one?
pub(super) fn is_body_name(name: &str) -> bool {
    let bare = name.split('(').next().unwrap_or(name).trim_end();
    let whole = name.trim_end_matches(')');
    [bare, whole].iter().any(|n| BODY_ENDS.iter().any(|end| n.ends_with(end)))
}

/// Does this name only a section, of whatever body: 企画総務課?
pub(super) fn is_section_name(name: &str) -> bool {
    let ends = ["課", "係", "室", "班", "グループ", "チーム", "担当"];
    !is_centre_name(name) && ends.iter().any(|end| name.trim_end_matches(')').ends_with(end))
}

/// Does this name a health centre (and not its section's mail address or a person)?
pub(super) fn is_centre_name(name: &str) -> bool {
    [
        "保健所",
        "保健センター",
        "厚生センター",
        "健康センター",
        "福祉センター",
        "環境センター",
        "保健福祉事務所",
        "健康福祉事務所",
        "福祉環境事務所",
        "保健事務所",
        "支所",
    ]
    .iter()
    .any(|word| name.contains(word))
}
