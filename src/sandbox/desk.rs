//! The desk where faults are handed out: the rules in force and their counters. Chance is a seed, never the system's
//! randomness, so every run repeats.
//!
//! Limit: [`EACH_KEYS_MAX`] recipients are told apart by [`When::FirstEach`]; further ones are never faulted.

use super::faults::{Answer, Faults, ImapFault, ImapVerb, Played, SmtpFault, SmtpStage, When};
use std::collections::HashMap;
use std::time::Duration;

/// Recipients one rule with [`When::FirstEach`] remembers.
const EACH_KEYS_MAX: usize = 100_000;

/// The rules in force, with their counters.
pub(super) struct Desk {
    faults: Faults,
    imap: Vec<Counter>,
    smtp: Vec<Counter>,
    answers: Vec<Counter>,
    dice: Dice,
}

#[derive(Default, Clone)]
struct Counter {
    visits: u64,
    played: u64,
    each: HashMap<String, u32>,
}

/// SplitMix64: enough for "one in ten", and the same on every machine.
struct Dice(u64);

impl Desk {
    pub(super) fn new(faults: Faults) -> Self {
        let counters = |n| vec![Counter::default(); n];
        Self {
            imap: counters(faults.imap.len()),
            smtp: counters(faults.smtp.len()),
            answers: counters(faults.answers.len()),
            dice: Dice(faults.seed),
            faults,
        }
    }

    pub(super) fn hide_starttls(&self) -> bool {
        self.faults.hide_starttls
    }

    pub(super) fn imap(&mut self, verb: ImapVerb, user: &str) -> Option<ImapFault> {
        for (rule, counter) in self.faults.imap.iter().zip(&mut self.imap) {
            let fits = rule.at.map_or(verb != ImapVerb::Greeting, |at| at == verb);
            if fits && counter.fires(rule.when, user, &mut self.dice) {
                return Some(rule.act.clone());
            }
        }
        None
    }

    pub(super) fn smtp(&mut self, stage: SmtpStage, recipients: &[String]) -> Option<SmtpFault> {
        for (rule, counter) in self.faults.smtp.iter().zip(&mut self.smtp) {
            let key = match &rule.recipient {
                Some(pattern) => recipients.iter().find(|address| pattern.fits(address)),
                None => None,
            };
            let fits = rule.at == stage && (rule.recipient.is_none() || key.is_some());
            let key = key.or(recipients.first()).map_or("", String::as_str);
            if fits && counter.fires(rule.when, key, &mut self.dice) {
                return Some(rule.act.clone());
            }
        }
        None
    }

    pub(super) fn answer(&mut self, recipient: &str) -> Option<(Answer, Duration)> {
        for (rule, counter) in self.faults.answers.iter().zip(&mut self.answers) {
            if rule.recipient.fits(recipient) && counter.fires(rule.when, recipient, &mut self.dice) {
                return Some((rule.answer.clone(), rule.after));
            }
        }
        None
    }

    pub(super) fn played(&self) -> Played {
        let count = |counters: &[Counter]| counters.iter().map(|c| c.played).collect();
        Played { imap: count(&self.imap), smtp: count(&self.smtp), answers: count(&self.answers) }
    }
}

impl Counter {
    fn fires(&mut self, when: When, key: &str, dice: &mut Dice) -> bool {
        self.visits += 1;
        let fires = match when {
            When::Always => true,
            When::First(times) => self.visits <= u64::from(times),
            When::FirstEach(times) => self.visits_of(key) <= times,
            When::Nth(n) => self.visits == u64::from(n),
            When::EveryNth(n) => n > 0 && self.visits.is_multiple_of(n.into()),
            When::Chance(percent) => dice.percent() < percent.into(),
        };
        self.played += u64::from(fires);
        fires
    }

    fn visits_of(&mut self, key: &str) -> u32 {
        if !self.each.contains_key(key) && self.each.len() >= EACH_KEYS_MAX {
            return u32::MAX;
        }
        let visits = self.each.entry(key.to_ascii_lowercase()).or_insert(0);
        *visits = visits.saturating_add(1);
        *visits
    }
}

impl Dice {
    fn percent(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(when: When, expected: &str) {
        let mut counter = Counter::default();
        let mut dice = Dice(7);
        let run: String =
            (0..expected.len()).map(|_| if counter.fires(when, "a@b.jp", &mut dice) { 'x' } else { '.' }).collect();
        assert_eq!(run, expected, "{when:?}");
        assert_eq!(counter.played, run.matches('x').count() as u64);
    }

    #[test]
    fn how_often() {
        check(When::Always, "xxxx");
        check(When::First(2), "xx..");
        check(When::FirstEach(1), "x...");
        check(When::Nth(3), "..x.");
        check(When::EveryNth(2), ".x.x");
        check(When::EveryNth(0), "....");
        check(When::Chance(0), "....");
        check(When::Chance(100), "xxxx");
    }

    #[test]
    fn each_recipient_counts_for_itself() {
        let mut counter = Counter::default();
        let mut dice = Dice(0);
        let mut fires = |key| counter.fires(When::FirstEach(1), key, &mut dice);
        assert!(fires("a@b.jp") && fires("c@b.jp"));
        assert!(!fires("A@B.jp") && !fires("c@b.jp"));
    }

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let throws = |seed| {
            let mut dice = Dice(seed);
            (0..100).map(|_| dice.percent()).collect::<Vec<_>>()
        };
        assert_eq!(throws(42), throws(42));
        assert_ne!(throws(42), throws(43));
    }
}
