//! Finding authorities and health centres by the names officers write (research R10, R11): tolerant of spelling, never
//! guessing. Every look-up costs the length of the text, not the number of authorities.

use super::authorities::{Authorities, Authority, KnownCentre};
use super::names::{fold, fold_char, is_blank};
use crate::domain::LgCode;
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;

/// Characters of a text in which [`Authorities::find_in`] searches; the rest is not looked at.
pub const SEARCH_CHARS_MAX: usize = 1_000;

/// Longest municipality name looked for behind a prefecture's, less its 市区町村, and how much of the next word is looked at.
const MUNICIPALITY_CHARS_MAX: usize = 7;
const OFFICE_CHARS: usize = 5;
/// What follows the seat of a prefecture's office, but not a municipality's name.
const OFFICES: [&str; 7] = ["保健所", "保健福祉", "健康福祉", "厚生センタ", "地域振興", "課", "民"];

/// The 47 prefectures in the order of the codes' first two digits (01 to 47).
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// The prefecture in which the body with this code lies; empty for a code outside 01 to 47.
pub fn prefecture_of(code: LgCode) -> &'static str {
    let number: usize = code.prefecture().parse().unwrap_or(0);
    number.checked_sub(1).and_then(|n| PREFECTURES.get(n)).copied().unwrap_or("")
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    One(&'a Authority),
    /// Several bodies are called so: 府中市 in Tokyo and in Hiroshima.
    Several(Vec<&'a Authority>),
    None,
}

impl<'a> Found<'a> {
    /// The authority, if there is exactly one.
    pub fn one(&self) -> Option<&'a Authority> {
        match self {
            Self::One(authority) => Some(authority),
            Self::Several(_) | Self::None => None,
        }
    }
}

/// Where each authority stands, by code and by folded name with and without its prefecture.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    by_code: HashMap<LgCode, usize>,
    by_name: HashMap<String, Vec<usize>>,
    longest_chars: usize,
}

impl Index {
    pub(super) fn new(all: &[Authority]) -> Self {
        let mut index = Self::default();
        for (at, authority) in all.iter().enumerate() {
            index.by_code.entry(authority.code).or_insert(at);
            let name = fold(&authority.name);
            let full = format!("{}{name}", fold(&authority.prefecture));
            for key in if authority.name == authority.prefecture { vec![name] } else { vec![name, full] } {
                index.longest_chars = index.longest_chars.max(key.chars().count());
                index.by_name.entry(key).or_default().push(at);
            }
        }
        index
    }

    fn named(&self, folded: &str) -> &[usize] {
        self.by_name.get(folded).map_or(&[], Vec::as_slice)
    }
}

impl Authorities {
    pub fn by_code(&self, code: LgCode) -> Option<&Authority> {
        self.index().by_code.get(&code).and_then(|at| self.all().get(*at))
    }

    /// The authority of exactly this name, with or without its prefecture (港区, 東京都港区, 東京都 港区), in any spelling
    /// [`fold`] makes equal. 札幌市保健所 and 札幌市役所 are no names of authorities: see [`Authorities::find_in`].
    pub fn find(&self, name: &str) -> Found<'_> {
        self.found(self.index().named(&fold(name)))
    }

    /// The authority a longer text names: 札幌市役所, 北海道札幌市保健所, 「港区みなと保健所 担当」. A name counts at the start
    /// of the text or of a word, not inside another name (北広島市 is not 広島市), and a prefecture not where it only says
    /// in which a city lies (東京都武蔵野市). The longest counts; the one at the start of the text goes before all others.
    pub fn find_in(&self, text: &str) -> Found<'_> {
        let chars = words(text);
        let mut hits: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some((_, starts)) = chars.get(at) {
            let hit = if *starts { self.longest_at(&chars, at) } else { None };
            let Some((length, places)) = hit else {
                at += 1;
                continue;
            };
            hits.extend(places);
            if at == 0 && places.len() == 1 {
                break;
            }
            at += length;
        }
        hits.sort_unstable();
        hits.dedup();
        Self::narrowed(self.found(&hits))
    }

    /// The longest name that begins at this character: how many characters it takes, and whose it is.
    fn longest_at(&self, chars: &[(char, bool)], at: usize) -> Option<(usize, &[usize])> {
        let index = self.index();
        let rest = chars.get(at..)?;
        let mut key: String = rest.iter().take(index.longest_chars).map(|(c, _)| *c).collect();
        let mut length = key.chars().count();
        while length > 0 {
            let places = index.named(&key);
            if !places.is_empty() && !self.only_says_where(places, rest.get(length..).unwrap_or_default()) {
                return Some((length, places));
            }
            key.pop();
            length -= 1;
        }
        None
    }

    /// Whether a prefecture's name is followed by a municipality's (東京都武蔵野市), which is another body. The seat of a
    /// health centre (長野県大町保健所) is none.
    fn only_says_where(&self, places: &[usize], rest: &[(char, bool)]) -> bool {
        let is_prefecture = places.iter().filter_map(|at| self.all().get(*at)).any(|a| a.name == a.prefecture);
        // In a word of its own 町 and 村 are too often the end of a person's name: 大阪府 木村.
        let signs = if rest.first().is_some_and(|(_, starts)| *starts) { "市区" } else { "市区町村" };
        let word = rest.iter().enumerate().take_while(|(at, (_, starts))| *at == 0 || !starts).map(|(_, (c, _))| *c);
        let word: String = word.take(MUNICIPALITY_CHARS_MAX + OFFICE_CHARS).collect();
        let end = word.char_indices().skip(1).take(MUNICIPALITY_CHARS_MAX).find(|(_, c)| signs.contains(*c));
        let Some((_, after)) = end.and_then(|(at, c)| word.split_at_checked(at + c.len_utf8())) else { return false };
        is_prefecture && !OFFICES.iter().any(|office| after.starts_with(office))
    }

    /// Of two bodies of one name the one whose prefecture the text names too: 府中市（東京都）.
    fn narrowed(found: Found<'_>) -> Found<'_> {
        let Found::Several(several) = &found else { return found };
        let named = |prefecture: &str| several.iter().any(|a| a.name == prefecture);
        let mut inside = several.iter().filter(|a| a.name != a.prefecture && named(&a.prefecture));
        match (inside.next(), inside.next()) {
            (Some(one), None) if several.iter().all(|a| a.name == one.name || a.name == one.prefecture) => {
                Found::One(one)
            }
            _ => found,
        }
    }

    fn found(&self, places: &[usize]) -> Found<'_> {
        let mut found: Vec<&Authority> = places.iter().filter_map(|at| self.all().get(*at)).collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => Found::None,
            (Some(one), true) => Found::One(one),
            (Some(last), false) => {
                found.push(last);
                Found::Several(found)
            }
        }
    }
}

/// The text's letters as [`fold`] has them, each with whether a word begins with it: after a sign, after a blank (behind
/// at least two letters, so that 「北 広 島 市」 holds no 広島市), and where kanji follow hiragana.
fn words(text: &str) -> Vec<(char, bool)> {
    let mut letters = Vec::new();
    let mut run = 0_usize;
    let mut starts = true;
    let mut after_kana = false;
    for c in text.nfkc().take(SEARCH_CHARS_MAX) {
        let is_kana = ('ぁ'..='ん').contains(&c);
        if let Some(letter) = fold_char(c).filter(|_| c.is_alphanumeric()) {
            letters.push((letter, starts || (after_kana && !is_kana && !('ァ'..='ヿ').contains(&c))));
            starts = false;
            run += 1;
        } else {
            starts = starts || run >= 2 || !is_blank(c);
            run = 0;
        }
        after_kana = is_kana;
    }
    letters
}

/// Folded names of one authority's health centres.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CentreIndex {
    /// As published, with and without the authority's name.
    names: HashMap<String, usize>,
    /// Offices that house them; `None`: the office houses several.
    offices: HashMap<String, Option<usize>>,
}

impl CentreIndex {
    pub(super) fn new(authority: &str, centres: &[KnownCentre]) -> Self {
        let owner = fold(authority);
        let mut index = Self::default();
        for (at, centre) in centres.iter().enumerate() {
            let name = fold(&centre.name);
            if let Some(short) = name.strip_prefix(&owner).filter(|short| !short.is_empty()) {
                index.names.entry(short.to_owned()).or_insert(at);
            }
            index.names.entry(name).or_insert(at);
            for office in &centre.also {
                index.offices.entry(fold(office)).and_modify(|known| *known = None).or_insert(Some(at));
            }
        }
        if centres.len() == 1 {
            // The only one: 港区保健所 for みなと保健所, 函館保健所 for 市立函館保健所.
            index.names.entry(fold("保健所")).or_insert(0);
        }
        index
    }

    fn get(&self, folded: &str) -> Option<usize> {
        self.names.get(folded).copied().or_else(|| self.offices.get(folded).copied().flatten())
    }
}

impl Authority {
    /// The health centre of this authority which a text names, with or without the names of authority and prefecture
    /// before it or an office in brackets behind it: 渡島保健所, 北海道渡島保健所, 札幌市保健所, 平塚保健福祉事務所,
    /// 習志野保健所（習志野健康福祉センター）.
    pub fn knows_centre(&self, name: &str) -> Option<&KnownCentre> {
        let folded = fold(name);
        let (before, inside) = folded.split_once('(').unwrap_or((&folded, ""));
        let inside = inside.trim_end_matches(')');
        let at = [folded.as_str(), before, inside].into_iter().find_map(|form| self.centre_called(form))?;
        self.centres.get(at)
    }

    fn centre_called(&self, folded: &str) -> Option<usize> {
        let owner = fold(&self.name);
        let short_owner = owner.trim_end_matches(['都', '道', '府', '県', '市', '区', '町', '村']);
        let without_prefecture = folded.strip_prefix(&fold(&self.prefecture)).unwrap_or(folded);
        [folded, without_prefecture].into_iter().find_map(|form| {
            let forms = [Some(form), form.strip_prefix(&owner), form.strip_prefix(short_owner)];
            forms.into_iter().flatten().find_map(|form| self.centre_index.get(form))
        })
    }
}
