//! 予定: what leaves on which day. Stepping every tenant forward takes time where there are many, so it is counted beside
//! the page and kept; a page shows what is known and when it was counted.

use super::Console;
use super::frame::show;
use super::visit::Visit;
use crate::clock::monotonic;
use crate::domain::{Date, Timestamp};
use crate::engine::forecast::Forecast;
use crate::letters::LetterKind;
use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A forecast is counted anew after this long, or after ten times what counting took.
const KEEP: Duration = Duration::from_secs(5);
/// A page waits for the count no longer than this.
const WAIT: Duration = Duration::from_millis(60);
const DAYS: [u32; 3] = [14, 30, 60];

/// The last count of each length.
#[derive(Debug, Default)]
pub(super) struct Forecasts(Mutex<[Option<Kept>; DAYS.len()]>);

#[derive(Debug, Clone)]
struct Kept {
    counted: Timestamp,
    stale: Instant,
    running: bool,
    forecast: Option<Arc<Forecast>>,
}

impl Forecasts {
    fn lock(&self) -> MutexGuard<'_, [Option<Kept>; DAYS.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, place: usize) -> Option<Kept> {
        self.lock().get(place).cloned().flatten()
    }

    /// Whether it is to be counted now, by the caller; nobody else will meanwhile.
    fn take_turn(&self, place: usize, now: Timestamp) -> bool {
        let mut all = self.lock();
        let Some(kept) = all.get_mut(place) else { return false };
        match kept {
            Some(kept) if kept.running || kept.stale > monotonic() => false,
            Some(kept) => {
                kept.running = true;
                true
            }
            None => {
                *kept = Some(Kept { counted: now, stale: monotonic(), running: true, forecast: None });
                true
            }
        }
    }

    fn put(&self, place: usize, counted: Timestamp, took: Duration, forecast: Option<Forecast>) {
        if let Some(Some(kept)) = self.lock().get_mut(place) {
            kept.running = false;
            kept.stale = monotonic() + KEEP.max(took * 10);
            if let Some(forecast) = forecast {
                kept.counted = counted;
                kept.forecast = Some(Arc::new(forecast));
            }
        }
    }
}

/// Counts if it is time, and waits a moment for it.
async fn count(console: &Arc<Console>, place: usize) {
    let now = console.source.clock.now();
    if !console.forecasts.take_turn(place, now) {
        return;
    }
    let console = Arc::clone(console);
    let counting = tokio::task::spawn_blocking(move || {
        let began = monotonic();
        let until: Date = now.date().plus_days(DAYS.get(place).copied().unwrap_or(30));
        let forecast = console.source.survey.view().forecast(until);
        if let Err(fault) = &forecast {
            tracing::error!(%fault, "the forecast cannot be counted");
        }
        console.forecasts.put(place, now, began.elapsed(), forecast.ok());
    });
    let _in_time = tokio::time::timeout(WAIT, counting).await;
}

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    let place = DAYS.iter().position(|days| visit.number("days") == Some(u64::from(*days))).unwrap_or(1);
    count(&console, place).await;
    show(console, visit, "forecast.html", move |desk| {
        let lang = desk.lang;
        let choices: Vec<_> = DAYS
            .iter()
            .enumerate()
            .map(|(no, days)| context! { days, href => desk.visit.with("days", Some(&days.to_string())), current => no == place })
            .collect();
        let kept = desk.console.forecasts.of(place);
        let known = kept.as_ref().and_then(|kept| kept.forecast.clone());
        let Some(forecast) = known else {
            return Ok(context! { choices, counting => true });
        };
        let used: Vec<LetterKind> = LetterKind::ALL
            .into_iter()
            .filter(|kind| forecast.days.iter().any(|day| day.letters.contains_key(kind.name())))
            .collect();
        let most = forecast.days.iter().map(|day| day.letters.values().sum::<u64>()).max().unwrap_or(0);
        let days: Vec<_> = forecast
            .days
            .iter()
            .map(|day| {
                let total: u64 = day.letters.values().sum();
                let counts: Vec<_> = used.iter().map(|kind| day.letters.get(kind.name()).copied().unwrap_or(0)).collect();
                context! { day => lang.day(day.day), counts, total, bar => super::chart::bar(total, most) }
            })
            .collect();
        Ok(context! {
            choices, counting => false, days, kinds => used.iter().map(|kind| lang.letter(*kind)).collect::<Vec<_>>(),
            held => forecast.held, cut_short => forecast.cut_short, until => lang.day(forecast.until),
            counted => kept.map(|kept| lang.moment(kept.counted)),
        })
    })
    .await
}
