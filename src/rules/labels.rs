//! `[labels]` of `rules/registration.toml`: words that stand beside names and addresses and are no part of either. Compiled
//! once, matched in linear time.

use super::names::plain;
use super::registration::delivered;
use super::toml_file::Section;
use regex::Regex;
use std::collections::HashSet;

/// Words beside names and addresses.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Before a name, with the sign between: `機関名：`, `名称`.
    pub before: Option<Regex>,
    /// Behind a name: `のメールアドレス`.
    pub behind: Option<Regex>,
    /// Behind a name and parted from it: `／代表`.
    pub parted: Option<Regex>,
    /// Words of Latin letters beside an address, in lower case.
    pub latin: HashSet<String>,
    /// Heads of a table's columns, in lower case.
    pub columns: HashSet<String>,
}

/// Reads the section.
pub(super) fn labels(s: &mut Section<'_, '_>) -> Labels {
    let mut words = |key| any_of(&list(s, key));
    let (before, stuck, behind) = (words("before"), words("before_stuck"), words("behind"));
    let (qualifiers, parted) = (words("qualifiers"), words("parted"));
    let before =
        format!(r"^(?:{stuck})[:=→⇒|…・.\s-]*|^(?:{before})(?:\s*(?:[:=→⇒|…~]|・{{2,}}|\.{{2,}}|-{{2,}})+\s*|\s+)");
    let behind = format!(
        r"(?i)(?:の|\(|\s)?(?:(?:{qualifiers})の?)?(?:{behind})(?:\([^()]*)?\)?(?:は|につきましては|については|につきまして|について|が)?[、,:]?(?:正しくは)?$"
    );
    let parted = format!(r"(?i)(?:^|[^\p{{L}}\p{{N}}])(?:{parted})$");
    let mut compiled = |key, pattern: String| {
        let regex = Regex::new(&pattern).ok();
        if regex.is_none() {
            let at = s.place(key);
            s.fault(at, format!("the words of {key} are too many or too long"), "take some of them out");
        }
        regex
    };
    let (before, behind, parted) = (compiled("before", before), compiled("behind", behind), compiled("parted", parted));
    let mut set = |key| -> HashSet<String> { list(s, key).iter().map(|word| plain(word).to_lowercase()).collect() };
    Labels { before, behind, parted, latin: set("latin"), columns: set("columns") }
}

/// A list of the section; as delivered where it is missing, for a file written before there was one.
fn list(s: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    match s.texts(key) {
        Some(texts) => texts.into_iter().map(|text| text.text).collect(),
        None => delivered("labels", key),
    }
}

/// One of these words. Where a word has a blank, blanks may stand or be missing in a mail. No word at all matches nothing.
fn any_of(words: &[String]) -> String {
    let mut words: Vec<String> = words
        .iter()
        .map(|word| word.split_whitespace().map(|part| regex::escape(&plain(part))).collect::<Vec<_>>().join(r"\s*"))
        .filter(|word| !word.is_empty())
        .collect();
    // The longest first, so that none hides another.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    if words.is_empty() { r"[^\s\S]".to_owned() } else { words.join("|") }
}
