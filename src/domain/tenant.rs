//! Who is led through onboarding: 利用機関 (tenant), that is an authority or one of its public health centres (seed §3).

use crate::domain::{MailAddress, MailNo, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// 自治体（保健所設置主体） or 保健所.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TenantKind {
    Authority,
    HealthCentre,
}

/// One tenant. The id is the key for ever; name and address are labels that may change and may repeat elsewhere
/// (two 府中市, two 中央保健所, one mailbox for three health centres: research R11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub kind: TenantKind,
    pub name: String,
    pub address: MailAddress,
    pub provenance: Provenance,
}

/// Where the current name and address come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The registration mail that stated them.
    pub mail: MailNo,
    pub since: Timestamp,
}
