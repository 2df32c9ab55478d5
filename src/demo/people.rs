//! The staff of the demo: two sample people, so that what needs two is shown by two. One works and asks, the other looks
//! and says yes; both may be logged in as from the login page.

use crate::crypto::password;
use crate::domain::Secret;
use crate::engine::approvals::{AskVerb, Done};
use crate::engine::people::{PeopleVerb, Who};
use crate::engine::records::WaveNo;
use crate::engine::staff::Verb;
use crate::engine::waves::{WAVES_MAX, WaveVerb};
use crate::engine::{Engine, EngineError};
use crate::letters::LetterKind;
use crate::web::session::Sample;
use crate::workflow::rights::Role;
use crate::workflow::wave::Wave;

/// Account, person, role: who asks, and who approves. The ministry looks on.
pub const PEOPLE: [(&str, &str, Role); 3] = [
    ("sato", "佐藤 花子", Role::Operator),
    ("mori", "森 太郎", Role::Approver),
    ("ministry", "厚生労働省 監査担当", Role::Auditor),
];
/// The same for all of them; it opens nothing but this demo.
pub const PASSWORD: &str = "demo demo demo";

/// As the login page shows them.
pub(super) fn samples() -> Vec<Sample> {
    let does = |role| match role {
        Role::Operator => (
            "要確認に答え、再発行や一斉送信を準備します。はじめての方はこちら。",
            "Answers what waits, prepares waves. Begin here.",
        ),
        Role::Approver => (
            "2人目として、一斉送信やアドレス変更を承認します。",
            "The second person: approves waves and changed addresses.",
        ),
        Role::Auditor => (
            "厚生労働省の立場で閲覧します（操作はできず、秘密情報は見えません）。",
            "The ministry: sees everything but secrets, changes nothing.",
        ),
        Role::Admin => ("アカウントと鍵を管理します。", "Looks after accounts and keys."),
    };
    let sample = |(name, person, role): &(&str, &str, Role)| Sample {
        name: (*name).to_owned(),
        password: PASSWORD.to_owned(),
        person: (*person).to_owned(),
        does: does(*role),
    };
    PEOPLE.iter().map(sample).collect()
}

/// Adds them to a new state.
pub(super) fn hire(engine: &mut Engine) -> Result<(), EngineError> {
    if !engine.accounts()?.is_empty() {
        return Ok(());
    }
    let hash = password::hash(&Secret::new(PASSWORD.to_owned())).map_err(|_| EngineError::NoRandomness)?;
    // The ministry first: with the second of the others two persons are needed.
    for (name, person, role) in PEOPLE.into_iter().rev() {
        let (name, person, hash) = (name.to_owned(), person.to_owned(), Some(hash.clone()));
        engine.act(
            "demo",
            &Verb::People(PeopleVerb::Add { name, person, role, mail: None, hash, reason: "デモ".to_owned() }),
        )?;
    }
    engine.commit()
}

/// Does what one decides; where a second is needed, the other says yes.
pub(super) fn decide(engine: &mut Engine, verb: &Verb) -> Result<(), EngineError> {
    let looked = if let Verb::Accept { mail, authority, .. } = verb {
        Some(engine.view().acceptance(*mail, *authority)?)
    } else {
        None
    };
    let verb = looked.as_ref().unwrap_or(verb);
    let [(asks, ..), (approves, ..), _] = PEOPLE;
    match engine.act(Who::Account(asks.to_owned()), verb)? {
        Done::Done => Ok(()),
        Done::Asked(no) => {
            engine.act(Who::Account(approves.to_owned()), &Verb::Ask(AskVerb::Approve { no }))?;
            Ok(())
        }
    }
}

/// Plans and releases a wave where letters wait for one, and lets a stopped one go on; what it was about.
pub(super) fn waves(engine: &mut Engine) -> Result<Option<LetterKind>, EngineError> {
    let kind = |name: &str| LetterKind::ALL.into_iter().find(|kind| kind.name() == name);
    let all = engine.waves(None, WAVES_MAX)?.items;
    let stopped = all.iter().find(|wave| matches!(wave.detail, Wave::Stopped { .. }) && wave.tally.waiting > 0);
    let (no, letter) = if let Some(wave) = stopped {
        (wave.no, kind(wave.letter))
    } else {
        let Some(letter) = engine.unplanned()?.first().and_then(|waiting| kind(waiting.letter)) else {
            return Ok(None);
        };
        decide(engine, &Verb::Wave(WaveVerb::Plan { letter }))?;
        (engine.waves(None, 1)?.items.first().map_or(WaveNo::NONE, |wave| wave.no), Some(letter))
    };
    let revision = engine.wave_of(no)?.revision;
    decide(engine, &Verb::Wave(WaveVerb::Release { wave: no, revision }))?;
    Ok(letter)
}
