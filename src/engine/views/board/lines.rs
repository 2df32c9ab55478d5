//! Whom a journal entry concerns. Reads the line as far as that goes; what a newer annai wrote is passed over.

use super::trail::{OTHER, kind_bit};
use crate::domain::{TenantId, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::borrow::Cow;

/// An entry as far as the board needs it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) no: u64,
    pub(super) at: Timestamp,
    pub(super) actor: String,
    /// Bits of [`super::KINDS`].
    pub(super) kinds: u32,
    pub(super) tenants: Vec<TenantId>,
    pub(super) mails: Vec<u64>,
    pub(super) rows: Vec<u64>,
    pub(super) matters: Vec<u64>,
    /// A request for a second person was made, decided or has lapsed.
    pub(super) about_requests: bool,
}

#[derive(Deserialize)]
struct Known<'a> {
    at: Timestamp,
    #[serde(borrow)]
    actor: Cow<'a, str>,
    event: Value,
    changes: Option<Vec<Changed>>,
}

#[derive(Deserialize)]
struct Changed {
    tenant: ChangedTenant,
}

#[derive(Deserialize)]
struct ChangedTenant {
    id: TenantId,
}

/// The same without the changes, should they have another form.
#[derive(Deserialize)]
struct Half<'a> {
    at: Timestamp,
    #[serde(borrow)]
    actor: Cow<'a, str>,
    event: Value,
    #[serde(rename = "changes")]
    _changes: IgnoredAny,
}

impl Line {
    pub(super) fn read(no: u64, json: &[u8]) -> Self {
        let known = serde_json::from_slice::<Known<'_>>(json).or_else(|_| {
            let Half { at, actor, event, .. } = serde_json::from_slice(json)?;
            Ok::<_, serde_json::Error>(Known { at, actor, event, changes: None })
        });
        let mut line = Self {
            no,
            at: Timestamp::from_unix(0),
            actor: String::new(),
            kinds: 0,
            tenants: Vec::new(),
            mails: Vec::new(),
            rows: Vec::new(),
            matters: Vec::new(),
            about_requests: false,
        };
        let Ok(Known { at, actor, event, changes }) = known else { return Self { kinds: OTHER, ..line } };
        line.at = at;
        line.actor = actor.into_owned();
        match &event {
            Value::Array(events) => events.iter().for_each(|event| line.add(event)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Object(_) => line.add(&event),
        }
        line.tenants.extend(changes.unwrap_or_default().into_iter().map(|changed| changed.tenant.id));
        line.tenants.sort_unstable();
        line.tenants.dedup();
        line
    }

    fn add(&mut self, event: &Value) {
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
        self.kinds |= kind_bit(name);
        let places = [Some(event), event.get("about"), event.get("subject"), event.get("act")];
        for place in places.into_iter().flatten() {
            let number = |name: &str| place.get(name).and_then(Value::as_u64);
            self.rows.extend(number("row"));
            self.mails.extend(number("mail"));
            self.matters.extend(number("matter"));
            self.about_requests |= place.get("ask").is_some();
            self.tenants.extend(place.get("tenant").and_then(Value::as_str).and_then(|id| id.parse::<TenantId>().ok()));
        }
        if name.starts_with("matter-") {
            self.matters.extend(event.get("no").and_then(Value::as_u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_what_it_concerns() {
        let json = r#"{"no":4,"at":"2020-05-01T09:00:00+09:00","actor":"staff:a","subject":"","event":[{"event":"staff","act":{"verb":"accept","mail":7}},{"event":"letter","row":3,"about":{"about":"tenant","tenant":"131032-01"}},{"event":"matter-closed","no":9}],"changes":[{"tenant":{"id":"131032-00","name":"x"}}],"prev":""}"#;
        let line = Line::read(4, json.as_bytes());
        assert_eq!((line.mails, line.rows, line.matters), (vec![7], vec![3], vec![9]));
        assert_eq!(line.tenants.iter().map(ToString::to_string).collect::<Vec<_>>(), ["131032-00", "131032-01"]);
        assert_eq!(line.actor, "staff:a");
    }

    #[test]
    fn what_a_newer_annai_wrote_does_not_stop_the_board() {
        for json in [
            "",
            "{}",
            r#"{"at":"2020-05-01T09:00:00+09:00","actor":"x","event":{"event":"new","row":"z"},"changes":{}}"#,
        ] {
            assert_eq!(Line::read(1, json.as_bytes()).kinds, OTHER, "{json}");
        }
    }
}
