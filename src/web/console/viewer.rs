//! Who looks at the console. Sessions put a [`Viewer`] into the request; where there are none, the person at this machine
//! is one with all rights but the name of nobody, and the console answers on loopback only.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads and decides.
    Operator,
    /// Besides, approves what others ask for.
    Approver,
    /// The ministry: reads, and sees no secret.
    Auditor,
    /// Everything.
    Admin,
}

impl Role {
    /// Whether acts are open to it at all; the engine decides which.
    pub fn acts(self) -> bool {
        match self {
            Self::Operator | Self::Approver | Self::Admin => true,
            Self::Auditor => false,
        }
    }

    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Operator => ("operator", "担当者"),
            Self::Approver => ("approver", "承認者"),
            Self::Auditor => ("auditor", "監査（閲覧のみ）"),
            Self::Admin => ("admin", "管理者"),
        }
    }
}

/// The person behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Stands in the journal as `staff:NAME`.
    pub name: String,
    pub role: Role,
    /// Tells two browsers of one person apart; no secret.
    pub session: String,
}

impl Viewer {
    /// Whoever sits at this machine.
    pub fn local() -> Self {
        Self { name: "console".to_owned(), role: Role::Admin, session: String::new() }
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::local))
    }
}
