//! What everybody may fetch: revocation lists and the authority's certificates (RFC 5280 §4.2.1.13, §4.2.2.1). Gateways
//! fetch them again and again, so they may keep them for a while. Lists come fresh from the engine: a revocation is in the
//! next answer.

use super::limits::Whose;
use super::{ANSWER_LIMIT, Code, Desk, From};
use crate::engine::certificates::IDS_FILE;
use crate::engine::{Engine, EngineError};
use crate::web::door::Peer;
use crate::web::look::plain;
use crate::web::officer::client;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Longest name: 16 hexadecimal digits and an ending.
const NAME_CHARS_MAX: usize = 24;
/// Others may keep a file for so long; a revocation is to be seen soon.
const CACHE: &str = "public, max-age=300";

type Find = fn(&Engine, &str) -> Result<Option<Vec<u8>>, EngineError>;

pub(super) async fn crl(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): From,
    headers: HeaderMap,
    file: Code,
) -> Response {
    desk.public_file((&peer, &headers), file, "application/pkix-crl", Engine::crl).await
}

pub(super) async fn authority(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): From,
    headers: HeaderMap,
    file: Code,
) -> Response {
    let find: Find = |engine, name| Ok(engine.ca_certificate(name));
    desk.public_file((&peer, &headers), file, "application/pkix-cert", find).await
}

impl Desk {
    async fn public_file(
        &self,
        (peer, headers): (&Peer, &HeaderMap),
        file: Code,
        kind: &'static str,
        find: Find,
    ) -> Response {
        if !self.limits.allow(Whose::Address(client(peer.address.ip(), headers))) {
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")]).into_response();
        }
        let none = || plain(StatusCode::NOT_FOUND, "ページがありません。\n");
        let plausible = |name: &String| {
            name.len() <= NAME_CHARS_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
        };
        let Some(name) = file.ok().map(|Path(name)| name).filter(plausible) else { return none() };
        let kind = if name == IDS_FILE { "text/plain; charset=utf-8" } else { kind };
        let asked = self.source.handle.call(move |engine| find(engine, &name));
        let found = match tokio::time::timeout(ANSWER_LIMIT, asked).await {
            Ok(Ok(Ok(found))) => found,
            Ok(Ok(Err(fault))) => {
                tracing::error!(error = %fault, "a file of the authority could not be read");
                return plain(StatusCode::SERVICE_UNAVAILABLE, "later\n");
            }
            Ok(Err(_)) | Err(_) => return plain(StatusCode::SERVICE_UNAVAILABLE, "later\n"),
        };
        match found {
            Some(bytes) => ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE)], bytes).into_response(),
            None => none(),
        }
    }
}
