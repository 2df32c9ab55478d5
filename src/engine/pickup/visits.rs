//! Requests that change nothing, in the timeline: mail filters and previews open addresses, and staff should see that it
//! was they and not the officer. The pages count in memory and hand the counts over now and then; each code gets one line.

use crate::domain::{Secret, Timestamp};
use crate::engine::{Engine, EngineError, SYSTEM};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Counts taken at once; what is over is left out.
pub const VISITS_MAX: usize = 1000;

/// What kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisitKind {
    Get,
    Head,
    Options,
    BlankPost,
}

/// Requests of one kind for one code.
#[derive(Debug, Clone)]
pub struct Visits {
    /// As it stood in the address.
    pub code: Secret<String>,
    pub kind: VisitKind,
    pub count: u32,
    pub first: Timestamp,
    pub last: Timestamp,
}

impl Engine {
    /// Records visits. Those with a code no letter ever held are not worth a line.
    pub fn pickup_visits(&mut self, visits: &[Visits]) -> Result<(), EngineError> {
        let mut lines = Vec::new();
        for visit in visits.iter().take(VISITS_MAX) {
            if let Some(grant) = self.grant(visit.code.reveal())? {
                lines.push(json!({
                    "event": "pickup-visited", "tenant": grant.tenant, "generation": grant.generation,
                    "kind": visit.kind, "count": visit.count, "first": visit.first, "last": visit.last,
                }));
            }
        }
        self.step(SYSTEM, |step| {
            for line in lines {
                step.note(line);
            }
            Ok(())
        })
    }
}
