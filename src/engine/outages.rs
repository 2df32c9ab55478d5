//! When many fail at once it is hardly their addresses: a prefecture's security cloud or a mail exchanger is down (research
//! 1.2). Three tenants within a day make one matter for staff; whoever fails after them joins it.
//!
//! Kept in the table `Meta` under `failing`: who failed in the last [`WINDOW`], at most [`FAILURES_MAX`].

use super::records::{About, OpenMatter, Subject};
use super::step::Step;
use super::{EngineError, codec};
use crate::domain::time::DAY;
use crate::domain::{MailAddress, RowNo, TenantId, Timestamp};
use crate::store::Table;
use crate::workflow::delivery::Delivery;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Tenants that must fail together.
pub const TENANTS_MIN: usize = 3;
/// Seconds within which they must.
pub const WINDOW: i64 = DAY;
/// Failures remembered; more in one day would be everybody.
const FAILURES_MAX: usize = 1_000;
const KEY: &[u8] = b"failing";

/// What tenants that fail together have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "common")]
pub enum Common {
    /// The server that takes their mail, as a report names it.
    Exchanger {
        name: String,
    },
    /// The part of the address after the @.
    Domain {
        name: String,
    },
    Prefecture {
        name: String,
    },
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Failing {
    failures: Vec<Failure>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failure {
    at: Timestamp,
    tenant: TenantId,
    common: Vec<Common>,
}

/// Counts a failure, be it final, for now, or a delay. `exchanger`: from the report.
pub(super) fn count(
    step: &mut Step<'_>,
    tenant: TenantId,
    to: &MailAddress,
    exchanger: Option<&str>,
) -> Result<(), EngineError> {
    let now = step.now;
    let mut failing: Failing = step.context.load(Table::Meta, KEY)?.unwrap_or_default();
    failing.failures.retain(|failure| now.since(failure.at) < WINDOW && failure.tenant != tenant);
    let excess = (failing.failures.len() + 1).saturating_sub(FAILURES_MAX);
    failing.failures.drain(..excess);
    let rules = &step.context.setup.rules;
    let prefecture = rules.authorities.by_code(tenant.authority).map(|known| known.prefecture.clone());
    let narrow = exchanger.map(|name| Common::Exchanger { name: name.to_owned() });
    let domain = Common::Domain { name: to.domain() };
    let wide = prefecture.filter(|name| !name.is_empty()).map(|name| Common::Prefecture { name });
    let common: Vec<_> = narrow.into_iter().chain([domain]).chain(wide).collect();
    failing.failures.push(Failure { at: now, tenant, common: common.clone() });
    step.put(Table::Meta, KEY, &failing)?;
    // The narrowest cause that explains enough of them; the wider ones would say the same once more.
    let groups = common.into_iter().map(|cause| (failing.sharing(&cause), cause));
    match groups.into_iter().find(|(tenants, _)| tenants.len() >= TENANTS_MIN) {
        Some((tenants, cause)) => alert(step, cause, tenants),
        None => Ok(()),
    }
}

/// Counts a letter to a tenant that the server has just refused for its recipient.
pub(super) fn count_refused(step: &mut Step<'_>, no: RowNo) -> Result<(), EngineError> {
    let row = step.row(no)?;
    if let (Delivery::Refused { .. }, About::Tenant { tenant, .. }) = (&row.delivery, &row.about) {
        count(step, *tenant, &row.to, None)?;
    }
    Ok(())
}

impl Failing {
    fn sharing(&self, cause: &Common) -> Vec<TenantId> {
        self.failures.iter().filter(|failure| failure.common.contains(cause)).map(|failure| failure.tenant).collect()
    }
}

/// One matter a cause: an open one grows.
fn alert(step: &mut Step<'_>, common: Common, tenants: Vec<TenantId>) -> Result<(), EngineError> {
    for entry in step.context.store.rows(Table::Review)? {
        let mut matter: OpenMatter = codec::decode(&entry?.1)?;
        let Subject::FailingTogether { common: of, tenants: known } = &mut matter.subject else { continue };
        if *of == common {
            known.extend(tenants.iter().filter(|tenant| !known.contains(tenant)).copied().collect::<Vec<_>>());
            step.note(json!({"event": "matter-grown", "no": matter.no, "subject": matter.subject}));
            return step.put(Table::Review, codec::number(matter.no.0), &matter);
        }
    }
    step.ask(Subject::FailingTogether { common, tenants })
}

/// Staff have dealt with the matter: those tenants count no more, others may make a new one.
pub(super) fn settled(step: &mut Step<'_>, tenants: &[TenantId]) -> Result<(), EngineError> {
    let mut failing: Failing = step.context.load(Table::Meta, KEY)?.unwrap_or_default();
    failing.failures.retain(|failure| !tenants.contains(&failure.tenant));
    step.put(Table::Meta, KEY, &failing)
}
