//! How many letters wait for a wave nobody has planned, by kind: counted with every step, for they may be very many.

use super::{Place, places_after};
use crate::engine::records::WaveNo;
use crate::engine::step::Step;
use crate::engine::{Context, EngineError, codec};
use crate::letters::LetterKind;
use crate::store::Table;
use std::collections::BTreeMap;

/// Name of the row in `Meta` that says how many letters wait for a wave nobody has planned, by kind.
const UNPLANNED: &[u8] = b"wave-unplanned";

/// Counts what this step changes among the letters of no wave.
pub(in crate::engine) fn count_unplanned(step: &mut Step<'_>) -> Result<(), EngineError> {
    let mut counts: Option<BTreeMap<LetterKind, u64>> = None;
    for (key, after) in step.written().written(Table::WaveRow, &codec::number(WaveNo::NONE.0)) {
        let before: Option<Place> = step.context.load(Table::WaveRow, key)?;
        let after: Option<Place> = after.map(codec::decode).transpose()?;
        if before.is_some() == after.is_some() {
            continue;
        }
        let Some(place) = before.or(after) else { continue };
        let counts = match &mut counts {
            Some(counts) => counts,
            None => counts.insert(unplanned(step.context)?),
        };
        let count = counts.entry(place.letter).or_default();
        *count = if after.is_some() { *count + 1 } else { count.saturating_sub(1) };
    }
    counts.map_or(Ok(()), |counts| step.put(Table::Meta, UNPLANNED, &counts))
}

/// How many letters wait for a wave nobody has planned.
pub(super) fn unplanned(context: &Context) -> Result<BTreeMap<LetterKind, u64>, EngineError> {
    if let Some(counts) = context.load(Table::Meta, UNPLANNED)? {
        return Ok(counts);
    }
    // Nobody has counted them yet.
    counted(context)
}

fn counted(context: &Context) -> Result<BTreeMap<LetterKind, u64>, EngineError> {
    places_after(context, WaveNo::NONE, None)?.try_fold(BTreeMap::new(), |mut counts, place| {
        *counts.entry(place?.1.letter).or_default() += 1;
        Ok(counts)
    })
}

/// Whether the kept counts are those of a walk, in plain words.
pub(in crate::engine) fn count_fault(context: &Context) -> Result<Option<String>, EngineError> {
    let (mut kept, counted) = (unplanned(context)?, counted(context)?);
    kept.retain(|_, count| *count > 0);
    Ok((kept != counted).then(|| format!("letters without a wave: counted as {kept:?}, but there are {counted:?}")))
}
