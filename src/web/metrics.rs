//! Figures as Prometheus text (exposition format 0.0.4): `# HELP` and `# TYPE` once per name, then its samples. All are
//! gauges: they count what stands in the store now. Label values are words of ours, so nothing needs escaping.

use super::health::Report;
use crate::engine::survey::Figures;
use std::fmt::{Display, Write as _};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Default)]
struct Page(String);

/// The page. `figures`: `None` if the store could not be read; its metrics are then absent, and `annai_store_up` is 0.
pub fn text(report: &Report, figures: Option<&Figures>) -> String {
    let mut page = Page::default();
    page.one("annai_up", "1 if nothing is wrong, as in /healthz.", u8::from(report.ok));
    page.one("annai_engine_up", "1 if the engine answers.", u8::from(report.engine_up));
    page.one("annai_store_up", "1 if the store can be read.", u8::from(figures.is_some()));
    page.one("annai_clock_seconds", "What annai takes for the time, Unix seconds.", report.now.unix());
    if let Some(age) = report.poll_age_seconds {
        page.one("annai_last_poll_age_seconds", "Seconds since the mailbox was last read to its end.", age);
    }
    if let Some(age) = report.crl_age_seconds {
        page.one("annai_crl_age_seconds", "Seconds since the oldest current revocation list was made.", age);
    }
    if let Some(count) = report.unaccounted_mails {
        page.one("annai_mails_unaccounted", "Mails in the mailbox that were never filed.", count);
    }
    if let Some(figures) = figures {
        counted(&mut page, report, figures);
    }
    page.0
}

fn counted(page: &mut Page, report: &Report, figures: &Figures) {
    let oldest = figures.oldest_matter.map_or(0, |since| report.now.since(since).max(0));
    page.one(
        "annai_journal_in_order",
        "1 if the end of the journal's chain is in order.",
        u8::from(figures.journal_in_order),
    );
    page.one("annai_matters_open", "Matters that wait for a person.", figures.matters);
    page.one("annai_oldest_matter_age_seconds", "How long the oldest open matter waits; 0 if none does.", oldest);
    page.one("annai_unknown_outcomes", "Letters of which nobody knows whether they arrived.", figures.unknown_outcomes);
    page.one(
        "annai_letter_starvation_seconds",
        "How long the letter waits that has been due longest without a single attempt.",
        figures.starvation,
    );
    page.one("annai_letters_waiting_for_wave", "Letters kept back for a wave.", figures.waiting_for_wave);
    page.one("annai_requests_open", "Requests that wait for a second person.", figures.requests);
    page.one(
        "annai_tenants_with_certificate",
        "Tenants counted in annai_registration_to_certificate_seconds.",
        figures.to_certificate.len(),
    );
    let spans = [("0.5", 2), ("0.9", 10), ("1", 0)].map(|(share, of)| (share, quantile(&figures.to_certificate, of)));
    page.many(
        "annai_registration_to_certificate_seconds",
        "From the mail that registered a tenant until its certificate was picked up.",
        "share",
        spans.iter().map(|(share, seconds)| (share, seconds)),
    );
    page.many("annai_mails", "Incoming mails by disposition.", "disposition", &figures.mails);
    page.many("annai_letters", "Outgoing mails by delivery state.", "state", &figures.rows);
    page.many("annai_tenants", "Tenants by the state of their certificate course.", "state", &figures.tenants);
    page.many(
        "annai_letter_lateness_seconds",
        "How long the most overdue unsent letter of each kind waits.",
        "letter",
        &figures.lateness,
    );
}

/// The value that all but one `of`-th do not exceed; `of` 0: the greatest. 0 where there is none.
fn quantile(sorted: &[i64], of: usize) -> i64 {
    let above = sorted.len().checked_div(of).unwrap_or_default();
    let at = sorted.len().saturating_sub(above).checked_sub(1);
    at.and_then(|at| sorted.get(at)).copied().unwrap_or_default()
}

impl Page {
    fn head(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn one(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn many<'a, V: Display + 'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a &'static str, &'a V)>,
    ) {
        self.head(name, help);
        for (word, value) in values {
            let _ = writeln!(self.0, "{name}{{{label}=\"{word}\"}} {value}");
        }
    }
}
