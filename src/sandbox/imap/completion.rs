//! How a command ends: the tagged line, still without its tag.

use imap_codec::imap_types::core::{Tag, Text};
use imap_codec::imap_types::response::{Code, Response, Status, StatusBody, StatusKind, Tagged};

pub(super) struct Completion {
    kind: StatusKind,
    code: Option<Code<'static>>,
    text: Text<'static>,
}

impl Completion {
    pub(super) fn ok(text: &'static str) -> Self {
        Self { kind: StatusKind::Ok, code: None, text: words(text) }
    }

    pub(super) fn no(text: &'static str) -> Self {
        Self { kind: StatusKind::No, code: None, text: words(text) }
    }

    pub(super) fn bad(text: &'static str) -> Self {
        Self { kind: StatusKind::Bad, code: None, text: words(text) }
    }

    /// A NO with words from a fault rule.
    pub(super) fn no_because(text: String) -> Self {
        let text = Text::try_from(text).unwrap_or_else(|_| words("Refused."));
        Self { kind: StatusKind::No, code: None, text }
    }

    pub(super) fn with(mut self, code: Code<'static>) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn is_ok(&self) -> bool {
        self.kind == StatusKind::Ok
    }

    pub(super) fn tagged(self, tag: Tag<'static>) -> Response<'static> {
        let body = StatusBody { kind: self.kind, code: self.code, text: self.text };
        Response::Status(Status::Tagged(Tagged { tag, body }))
    }

    pub(super) fn untagged(self) -> Response<'static> {
        Response::Status(Status::Untagged(StatusBody { kind: self.kind, code: self.code, text: self.text }))
    }
}

/// Our own words; they are ASCII without line ends.
pub(super) fn words(text: &'static str) -> Text<'static> {
    Text::unvalidated(text)
}
