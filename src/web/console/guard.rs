//! The headers of the console's pages: its own style, script and pictures, and nothing else. Who may look is held by
//! [`crate::web::session`], which also tells foreign pages apart.

use axum::Router;
use axum::http::header::{self, HeaderValue};
use axum::middleware::map_response;
use axum::response::Response;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Lets the console's own style, script and pictures through.
pub(super) fn with_policy(router: Router) -> Router {
    router.layer(map_response(async |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        // With "no-referrer" browsers send `Origin: null` with our own forms, and every one would be refused.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }))
}
