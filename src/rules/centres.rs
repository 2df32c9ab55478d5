//! Finding an authority's health centre by the names officers write (research R11). A look-up costs by the length of the
//! name, not by the number of health centres.

use super::authorities::{Authority, KnownCentre};
use super::names::fold;
use std::collections::HashMap;

/// Folded names of one authority's health centres.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CentreIndex {
    /// The authority's name, folded: 札幌市.
    owner: String,
    /// The same without its kind: 札幌.
    short_owner: String,
    /// The prefecture's name, folded.
    prefecture: String,
    /// The letters of each name as published.
    letters: Vec<Vec<char>>,
    /// As published, with and without the authority's name.
    names: HashMap<String, usize>,
    /// Offices that house them; `None`: the office houses several.
    offices: HashMap<String, Option<usize>>,
}

impl CentreIndex {
    pub(super) fn new(authority: &str, prefecture: &str, centres: &[KnownCentre]) -> Self {
        let owner = fold(authority);
        let short_owner = owner.trim_end_matches(['都', '道', '府', '県', '市', '区', '町', '村']).to_owned();
        let mut index = Self { owner: owner.clone(), short_owner, prefecture: fold(prefecture), ..Self::default() };
        for (at, centre) in centres.iter().enumerate() {
            let name = fold(&centre.name);
            index.letters.push(name.chars().collect());
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

    /// Whether a name that is none of this authority's health centres is one letter beside one: 好保健所 for 三好保健所.
    /// Costs by the number of its health centres.
    pub fn nearly_knows_centre(&self, name: &str) -> bool {
        let folded = fold(name);
        let bare = folded.split('(').next().unwrap_or(&folded);
        let short = bare.strip_prefix(&self.centre_index.owner).filter(|rest| !rest.is_empty()).unwrap_or(bare);
        let [bare, short] = [bare, short].map(|form| form.chars().collect::<Vec<char>>());
        let mut known = self.centre_index.letters.iter();
        known.any(|known| one_letter_apart(known, &bare) || one_letter_apart(known, &short))
    }

    fn centre_called(&self, folded: &str) -> Option<usize> {
        let CentreIndex { owner, short_owner, prefecture, .. } = &self.centre_index;
        let without_prefecture = folded.strip_prefix(prefecture).unwrap_or(folded);
        [folded, without_prefecture].into_iter().find_map(|form| {
            let behind = form.strip_prefix(owner);
            // 下関市立下関保健所
            let founded = behind.and_then(|rest| rest.strip_prefix('立'));
            let forms = [Some(form), behind, founded, form.strip_prefix(short_owner.as_str())];
            forms.into_iter().flatten().find_map(|form| self.centre_index.get(form))
        })
    }
}

/// One letter replaced, dropped or added.
fn one_letter_apart(one: &[char], other: &[char]) -> bool {
    let longest = one.len().max(other.len());
    if one.len().abs_diff(other.len()) > 1 || one == other {
        return false;
    }
    let front = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let back = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    front + back + 1 >= longest
}
