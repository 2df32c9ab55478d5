//! 確認済みドメイン: which domains are known for which authority, since when, by whom and by which mail; approve another,
//! or take one back, with a reason. What is known is evidence about later mails, no more (docs/decisions/0006).

use super::act::{Fields, named};
use super::frame::show;
use super::visit::Visit;
use super::{Console, PAGE};
use crate::domain::LgCode;
use crate::engine::staff::Verb;
use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use std::sync::Arc;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "domains.html", |desk| {
        let q = desk.visit.param("q").unwrap_or_default().to_lowercase();
        let authorities = &desk.view.rules().authorities;
        let name = |code: LgCode| authorities.by_code(code).map(|a| a.name.clone()).unwrap_or_default();
        let wanted = |domain: &str, code: LgCode| {
            q.is_empty() || domain.contains(&q) || code.as_str().starts_with(&q) || name(code).contains(&q)
        };
        let page = desk.view.domains_where(wanted, desk.visit.param("after"), PAGE)?;
        let rows: Vec<_> = page
            .items
            .iter()
            .map(|line| {
                context! {
                    domain => line.domain, code => line.known.authority.as_str(), name => name(line.known.authority),
                    since => desk.lang.moment(line.known.since), by => super::tenant::actor(desk, &line.known.by), mail => line.known.mail,
                }
            })
            .collect();
        let all: Vec<_> = authorities.all().iter().map(|a| context! { code => a.code.as_str(), name => a.name }).collect();
        Ok(context! { rows, q, authorities => all, next => page.next.map(|key| desk.visit.with("after", Some(&key))) })
    })
    .await
}

/// The form as a verb; the code may stand alone or before the name: `131032 港区`.
pub(super) fn verb(fields: &Fields) -> Result<Verb, &'static str> {
    let code = fields.get("authority").split_whitespace().next().unwrap_or_default();
    let authority = named::<LgCode>(code).map_err(|_| "the authority's code of six digits is missing or wrong")?;
    let domain = Some(fields.get("domain").to_owned()).filter(|d| !d.is_empty()).ok_or("no domain is named")?;
    let reason = Some(fields.get("reason").to_owned()).filter(|r| !r.is_empty()).ok_or("a reason is needed")?;
    Ok(match fields.get("verb") {
        "domain-approve" => Verb::ApproveDomain { authority, domain, reason },
        _ => Verb::ForgetDomain { authority, domain, reason },
    })
}
