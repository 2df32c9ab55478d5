//! Layer 0, the vocabulary: values every other module speaks in. No I/O, no clock, no randomness, no logging.
//!
//! Every type here can be written as JSON, because it stands in the store and in the journal; [`secret::Secret`] is the
//! deliberate exception.

pub mod address;

pub mod ids;
pub mod secret;
pub mod sheet;
pub mod signs;
pub mod tenant;
pub mod time;

pub use address::MailAddress;
pub use ids::{Digest, Generation, LgCode, MailNo, MessageId, RowNo, TenantId};
pub use secret::Secret;
pub use tenant::{Tenant, TenantKind};
pub use time::{Date, Timestamp};
