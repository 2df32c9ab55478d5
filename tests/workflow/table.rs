//! Text tables `state / event -> next; effects`, and the tables at the head of the machines' files.

use annai::workflow::{Effect, Refused};
use std::collections::BTreeSet;

/// What a step did, in the words of a table: `open-queued; queue pickup-password#1`.
pub(crate) fn outcome(next: &str, effects: &[Effect]) -> String {
    let effects: Vec<String> = effects.iter().map(effect).collect();
    if effects.is_empty() { next.to_owned() } else { format!("{next}; {}", effects.join(", ")) }
}

pub(crate) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Queue { letter, ordinal, .. } => format!("queue {}#{ordinal}", letter.name()),
        Effect::WithdrawUnsent { letters, .. } => {
            format!("withdraw {}", letters.iter().map(|l| l.name()).collect::<Vec<_>>().join(" "))
        }
        Effect::Revoke { serial, .. } => format!("revoke {serial}"),
        Effect::AskStaff(_) => "ask".to_owned(),
    }
}

/// One line of a table.
struct Line<'a> {
    states: Vec<&'a str>,
    events: Vec<&'a str>,
    then: &'a str,
}

/// Holds a table against a machine: every pair of `states` and `events`. `step` gives what happened or why not.
pub(crate) fn check(
    file: &str,
    states: &[&str],
    events: &[&str],
    step: impl Fn(&str, &str) -> Result<String, Refused>,
) {
    let lines: Vec<Line<'_>> = file.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(line).collect();
    let known = |l: &Line<'_>| {
        l.states.iter().all(|s| *s == "*" || states.contains(s)) && l.events.iter().all(|e| events.contains(e))
    };
    assert!(lines.iter().all(known), "a line names a state or event that does not exist");
    let mut used = BTreeSet::new();
    for state in states {
        for event in events {
            let fits = |l: &Line<'_>| (l.states == ["*"] || l.states.contains(state)) && l.events.contains(event);
            let expected = lines.iter().position(fits);
            used.extend(expected);
            match (step(state, event), expected.map(|at| lines[at].then)) {
                (Ok(found), Some(then)) => {
                    let then = then.replacen("same", state, usize::from(then.starts_with("same")));
                    assert_eq!(found, then, "{state} / {event}");
                }
                (Err(Refused(why)), None) => assert!(why.len() > 10, "{state} / {event} is refused without a reason"),
                (Ok(found), None) => panic!("{state} / {event} should be refused, but gives {found}"),
                (Err(why), Some(then)) => panic!("{state} / {event} should give {then}, but: {why}"),
            }
        }
    }
    let unused = (0..lines.len()).filter(|at| !used.contains(at)).map(|at| lines[at].then).collect::<Vec<_>>();
    assert!(unused.is_empty(), "lines nothing fits: {unused:?}");
}

fn line(text: &str) -> Line<'_> {
    let (pair, then) = text.split_once(" -> ").expect("state / event -> next");
    let (states, events) = pair.split_once(" / ").expect("state / event");
    Line { states: states.split(", ").collect(), events: events.split(", ").collect(), then }
}

/// Holds the table at the head of a machine's file against what the machine did: every row happens, and every change of
/// state has a row. `kinds`: the states in the order of the enum; `seen`: (state, event, next) as their names in the code.
pub(crate) fn check_header(source: &str, kinds: &[&str], seen: &BTreeSet<(String, String, String)>) {
    let rows = source.lines().filter_map(|l| l.strip_prefix("//! | ")).skip(1);
    let mut told = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let word = |text: &str| text.split([' ', ',', '(']).next().unwrap_or_default().to_owned();
        let (event, next) = (word(cells[1]), word(cells[2]));
        for state in expand(cells[0], kinds) {
            assert!(
                seen.contains(&(state.to_owned(), event.clone(), next.clone())),
                "the header says {state} / {event} -> {next}, the machine never does that"
            );
            told.insert((state.to_owned(), event.clone(), next.clone()));
        }
    }
    assert!(told.len() > 4, "no table at the head of the file");
    for (state, event, next) in seen.iter().filter(|(state, _, next)| state != next) {
        let row = (state.clone(), event.clone(), next.clone());
        assert!(told.contains(&row), "{state} / {event} -> {next} happens, but the header does not say so");
    }
}

/// `Registered … Open, Expired` → all it names; `any` → all there are.
fn expand<'a>(cell: &str, kinds: &[&'a str]) -> Vec<&'a str> {
    if cell == "any" {
        return kinds.to_vec();
    }
    let at =
        |name: &str| kinds.iter().position(|kind| *kind == name.trim()).unwrap_or_else(|| panic!("no state {name}"));
    let part = |part: &str| match part.split_once(" … ") {
        Some((from, to)) => kinds[at(from)..=at(to)].to_vec(),
        None => vec![kinds[at(part)]],
    };
    cell.split(", ").flat_map(part).collect()
}
