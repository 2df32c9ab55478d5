//! Who looks at the console: the visitor of the session, as the views need them.

use crate::engine::people::Who;
use crate::web::session::Visitor;
use crate::workflow::rights::{Act, Right, Role, right};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

/// The person behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Account name.
    pub name: String,
    /// What they are called.
    pub person: String,
    pub role: Role,
    pub session: u64,
    /// For the hidden field of every form.
    pub csrf: String,
}

impl Viewer {
    /// For [`crate::engine::Engine::act`].
    pub fn who(&self) -> Who {
        Who::Account(self.name.clone())
    }

    /// Whether a button for it is shown; the engine judges again.
    pub fn may(&self, act: Act) -> bool {
        right(self.role, act) != Right::Refused
    }

    /// Whether acts are open to them at all.
    pub fn acts(&self) -> bool {
        self.may(Act::Decide)
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = StatusCode;

    /// Without a session nothing is shown: the guard in front has been forgotten.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let visitor = parts.extensions.get::<Visitor>().ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(Self {
            name: visitor.name.clone(),
            person: visitor.person.clone(),
            role: visitor.role,
            session: visitor.session,
            csrf: visitor.csrf.clone(),
        })
    }
}
