//! What everybody may fetch: revocation lists and the authority's certificates (RFC 5280 §4.2.1.13, §4.2.2.1). Gateways
//! fetch them again and again, so they may keep them for a while, and answers are kept here for [`KEEP`].

use super::{ANSWER_LIMIT, Code, Desk};
use crate::clock::monotonic;
use crate::engine::{Engine, EngineError};
use crate::web::look::plain;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is given again without asking the engine.
pub(super) const KEEP: Duration = Duration::from_secs(5);
/// Names kept at most; real ones are a handful.
const KEPT_MAX: usize = 64;
/// Longest name: 16 hexadecimal digits and an ending.
const NAME_CHARS_MAX: usize = 24;
/// Others may keep a file for so long; a revocation is to be seen soon.
const CACHE: &str = "public, max-age=300";

type Found = Option<Arc<Vec<u8>>>;
type Find = fn(&Engine, &str) -> Result<Option<Vec<u8>>, EngineError>;

/// Answers by path.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<BTreeMap<String, (Instant, Found)>>);

pub(super) async fn crl(State(desk): State<Arc<Desk>>, file: Code) -> Response {
    desk.public_file("crl", file, "application/pkix-crl", Engine::crl).await
}

pub(super) async fn authority(State(desk): State<Arc<Desk>>, file: Code) -> Response {
    desk.public_file("ca", file, "application/pkix-cert", |engine, name| Ok(engine.ca_certificate(name))).await
}

impl Desk {
    async fn public_file(&self, folder: &str, file: Code, kind: &'static str, find: Find) -> Response {
        let none = || plain(StatusCode::NOT_FOUND, "ページがありません。\n");
        let plausible = |name: &String| {
            name.len() <= NAME_CHARS_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
        };
        let Some(name) = file.ok().map(|Path(name)| name).filter(plausible) else { return none() };
        let path = format!("{folder}/{name}");
        let found = if let Some(found) = self.shelf.kept(&path) {
            found
        } else {
            let asked = self.source.handle.call(move |engine| find(engine, &name));
            match tokio::time::timeout(ANSWER_LIMIT, asked).await {
                Ok(Ok(Ok(found))) => self.shelf.keep(path, found.map(Arc::new)),
                Ok(Ok(Err(fault))) => {
                    tracing::error!(error = %fault, "a file of the authority could not be read");
                    return plain(StatusCode::SERVICE_UNAVAILABLE, "later\n");
                }
                Ok(Err(_)) | Err(_) => return plain(StatusCode::SERVICE_UNAVAILABLE, "later\n"),
            }
        };
        match found {
            Some(bytes) => {
                ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE)], bytes.to_vec()).into_response()
            }
            None => none(),
        }
    }
}

impl Shelf {
    fn kept(&self, path: &str) -> Option<Found> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(path).filter(|(at, _)| at.elapsed() < KEEP).map(|(_, found)| found.clone())
    }

    fn keep(&self, path: String, found: Found) -> Found {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= KEPT_MAX {
            answers.clear();
        }
        answers.insert(path, (monotonic(), found.clone()));
        found
    }
}
