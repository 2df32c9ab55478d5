//! Sequence sets: which of the mails a client sees does it mean? Ranges are merged and looked up, never counted out, so
//! `1:4294967295` costs as much as `1`.

use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

/// A mail as a session sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Message sequence number, from 1.
    pub(super) number: u32,
    pub(super) uid: u32,
}

/// Ascending ranges that do not touch, both ends included.
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// `largest` is what `*` stands for.
    pub(super) fn new(set: &SequenceSet, largest: u32) -> Self {
        let end = |end: &SeqOrUid| match end {
            SeqOrUid::Value(value) => value.get(),
            SeqOrUid::Asterisk => largest,
        };
        let mut ranges: Vec<(u32, u32)> = set
            .0
            .as_ref()
            .iter()
            .map(|sequence| match sequence {
                Sequence::Single(single) => (end(single), end(single)),
                Sequence::Range(a, b) => (end(a).min(end(b)), end(a).max(end(b))),
            })
            .collect();
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (start, stop) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(stop),
                _ => merged.push((start, stop)),
            }
        }
        Self(merged)
    }

    pub(super) fn holds(&self, value: u32) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= value);
        after.checked_sub(1).and_then(|place| self.0.get(place)).is_some_and(|(_, stop)| value <= *stop)
    }
}

/// The mails a set means, in ascending order. `uids` is what the session sees, ascending; `by_uid` says what the set counts.
pub(super) fn pick(set: &SequenceSet, uids: &[u32], by_uid: bool) -> Vec<Seen> {
    let count = u32::try_from(uids.len()).unwrap_or(u32::MAX);
    let largest = if by_uid { uids.last().copied().unwrap_or(0) } else { count };
    let mut picked = Vec::new();
    for (start, stop) in Ranges::new(set, largest).0 {
        let (first, past) = if by_uid {
            (uids.partition_point(|uid| *uid < start), uids.partition_point(|uid| *uid <= stop))
        } else {
            (start.saturating_sub(1) as usize, stop.min(count) as usize)
        };
        let inside = uids.get(first..past).unwrap_or_default();
        let numbers = u32::try_from(first).unwrap_or(u32::MAX).saturating_add(1)..;
        picked.extend(numbers.zip(inside).map(|(number, uid)| Seen { number, uid: *uid }));
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(set: &str, uids: &[u32], by_uid: bool, expected: &[u32]) {
        let set = SequenceSet::try_from(set).unwrap();
        let found: Vec<u32> = pick(&set, uids, by_uid).iter().map(|seen| seen.uid).collect();
        assert_eq!(found, expected, "{set:?}");
    }

    #[test]
    fn sets_pick_mails() {
        let uids = [3, 5, 9];
        check("1:*", &uids, true, &[3, 5, 9]);
        check("1:4294967295", &uids, true, &[3, 5, 9]);
        check("4:5,1:3,5", &uids, true, &[3, 5]);
        check("*", &uids, true, &[9]);
        // RFC 3501 §6.4.8: includes the last mail even if its UID is smaller.
        check("100:*", &uids, true, &[9]);
        check("4", &uids, true, &[]);
        check("2:3", &uids, false, &[5, 9]);
        check("*", &uids, false, &[9]);
        check("7", &uids, false, &[]);
        check("1:*", &[], true, &[]);
        check("1:*", &[], false, &[]);
    }
}
