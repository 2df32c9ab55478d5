//! Marks by which a letter of ours is known again: its Message-ID and its envelope sender, both keyed, so that nobody else
//! can make them (research R13).

use super::{Context, EngineError, codec};
use crate::crypto::{self, Purpose};
use crate::domain::{MailAddress, MessageId, RowNo};

/// `annai.12.0a1b2c3d4e5f@followup.mhlw.go.jp`: the same at every attempt.
pub(super) fn message_id(context: &Context, no: RowNo) -> MessageId {
    let tag = context.keys.tag(Purpose::MessageId, &codec::number(no.0));
    MessageId(format!("annai.{no}.{}@{}", hex(&tag[..6]), context.setup.post.from.domain()))
}

/// `bounce+12.0a1b2c3d@example.jp` (VERP): says which row came back, and that we wrote it.
pub(super) fn verp(context: &Context, no: RowNo) -> Result<MailAddress, EngineError> {
    let base = &context.setup.post.bounce;
    let address = format!("{}+{no}.{}@{}", base.local(), verp_tag(context, no), base.domain());
    address.parse().map_err(|_| EngineError::Input(format!("the bounce address {} is too long", base.masked())))
}

fn verp_tag(context: &Context, no: RowNo) -> String {
    hex(&context.keys.tag(Purpose::Verp, &codec::number(no.0))[..4])
}

/// The row a bounce address stands for, if it is one of ours.
pub(super) fn row_of_bounce_address(context: &Context, address: &MailAddress) -> Option<RowNo> {
    let base = &context.setup.post.bounce;
    let tail = address.local().strip_prefix(base.local())?.strip_prefix('+')?;
    let (no, tag) = tail.split_once('.')?;
    let no = RowNo(no.parse().ok()?);
    let ours = address.domain() == base.domain() && crypto::same(verp_tag(context, no).as_bytes(), tag.as_bytes());
    ours.then_some(no)
}

/// The row a Message-ID stands for, if it is one of ours.
pub(super) fn row_of_message_id(context: &Context, id: &str) -> Option<RowNo> {
    let no = RowNo(id.strip_prefix("annai.")?.split('.').next()?.parse().ok()?);
    (message_id(context, no).0 == id).then_some(no)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|n| char::from_digit(u32::from(n), 16)).collect()
}
