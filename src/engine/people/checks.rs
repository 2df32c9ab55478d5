//! What an account may be called, and what must stay true whatever is changed: somebody can always keep the accounts, nobody
//! lowers themselves by mistake, and a client certificate belongs to one person.

use super::{Account, NAME_CHARS_MAX, PERSON_CHARS_MAX, PeopleVerb, Who, accounts};
use crate::domain::Digest;
use crate::engine::{Context, EngineError};
use crate::workflow::rights::Role;

/// Names of Unix users that act over the socket; no account has them.
const RESERVED: [&str; 3] = ["root", "annai", "system"];
/// Said with every limit here, in numbers; the tests hold them to the constants.
const BAD_NAME: &str = "an account's name has 1 to 32 of a-z, 0-9, dot, hyphen and underscore";
const RESERVED_NAME: &str = "root, annai and system are names the journal uses for the system itself";
const LONG_PERSON: &str = "a person's name has at most 60 characters";
pub(super) const LONG_REASON: &str = "a reason has at most 500 characters";

/// What is wrong with the name of a new account.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if RESERVED.contains(&name) {
        Some(RESERVED_NAME)
    } else if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(good) {
        Some(BAD_NAME)
    } else {
        None
    }
}

/// What is wrong with the name of a person.
pub fn person_fault(person: &str) -> Option<&'static str> {
    let bad = person.chars().any(char::is_control) || person.chars().count() > PERSON_CHARS_MAX;
    bad.then_some(LONG_PERSON)
}

/// The SHA-256 of a certificate as programs print it: 64 hexadecimal digits, with or without colons and blanks.
pub fn fingerprint(text: &str) -> Option<Digest> {
    let digits = text.chars().filter(|c| *c != ':' && !c.is_whitespace());
    digits.collect::<String>().to_ascii_lowercase().parse().ok()
}

/// Whether two people can take part who could check each other: somebody who asks and another who approves.
pub(super) fn two_can_take_part(accounts: &[Account]) -> bool {
    let mut active = accounts.iter().filter(|account| account.can_log_in() && account.role != Role::Auditor);
    let mut second = active.clone().filter(|account| account.role.approves());
    active.nth(1).is_some() && second.next().is_some()
}

/// Whether `who` may be the second person: known by all the account has to show, not by its password alone.
pub(in crate::engine) fn second_person(context: &Context, who: &Who) -> Result<(), EngineError> {
    match who {
        Who::Local(_) => {
            Err(EngineError::Refused("the second person needs an account: give --as NAME, or approve in the console"))
        }
        Who::Signed(name) if super::account(context, name)?.certificate.is_some() => Err(EngineError::Refused(
            "this account has a client certificate, which cannot be shown here; approve in the console",
        )),
        Who::Account(_) | Who::Signed(_) => Ok(()),
    }
}

/// Nobody takes their own role away or locks themselves out: a slip would end their work, and another admin can do it.
pub(in crate::engine) fn not_oneself(who: &Who, verb: &PeopleVerb) -> Result<(), EngineError> {
    match (who, verb) {
        (Who::Account(own) | Who::Signed(own), PeopleVerb::SetRole { name, .. } | PeopleVerb::Disable { name, .. })
            if own == name =>
        {
            Err(EngineError::Refused("nobody changes their own role or disables their own account; ask another admin"))
        }
        (
            Who::Account(_) | Who::Signed(_) | Who::Local(_),
            PeopleVerb::Add { .. }
            | PeopleVerb::SetRole { .. }
            | PeopleVerb::SetMail { .. }
            | PeopleVerb::Password { .. }
            | PeopleVerb::Certificate { .. }
            | PeopleVerb::Disable { .. }
            | PeopleVerb::Enable { .. }
            | PeopleVerb::EndSession { .. },
        ) => Ok(()),
    }
}

/// Whether an admin can ask for a change of accounts, and another person can approve it: without them nobody could ever
/// change an account again while two persons are needed.
pub(super) fn can_be_kept(accounts: &[Account]) -> bool {
    let active = || accounts.iter().filter(|account| account.can_log_in());
    let mut admins = active().filter(|account| account.role == Role::Admin);
    admins.any(|admin| active().any(|other| other.name != admin.name && other.role.approves()))
}

/// A certificate is one person's: what is bound to an account is bound to no other.
pub(super) fn own_certificate(context: &Context, shown: Option<Digest>, name: &str) -> Result<(), EngineError> {
    let same = |account: &Account| account.certificate.map(|bound| bound.fingerprint) == shown;
    if shown.is_some() && accounts(context)?.iter().any(|account| account.name != name && same(account)) {
        return Err(EngineError::Refused("this client certificate belongs to another account; use your own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::staff::REASON_CHARS_MAX;

    #[test]
    fn sentences_name_the_limits() {
        assert!(BAD_NAME.contains(&format!("1 to {NAME_CHARS_MAX} ")));
        assert!(LONG_PERSON.contains(&format!(" {PERSON_CHARS_MAX} ")));
        assert!(LONG_REASON.contains(&format!(" {REASON_CHARS_MAX} ")));
        for name in ["", "Sato", "佐藤", "a b", "../a", &"a".repeat(NAME_CHARS_MAX + 1)] {
            assert_eq!(name_fault(name), Some(BAD_NAME), "{name}");
        }
        for name in RESERVED {
            assert_eq!(name_fault(name), Some(RESERVED_NAME));
            assert!(RESERVED_NAME.contains(name));
        }
        assert_eq!(name_fault("sato.hanako-2"), None);
    }

    #[test]
    fn fingerprints_are_taken_as_programs_print_them() {
        let printed = "AB:".repeat(31) + "AB";
        assert_eq!(fingerprint(&printed).map(|print| print.to_string()), Some("ab".repeat(32)));
        assert_eq!(fingerprint(&format!(" {} ", "ab".repeat(32))), fingerprint(&printed));
        for wrong in ["", "ab", "sha256 Fingerprint=AB", &"zz".repeat(32)] {
            assert_eq!(fingerprint(wrong), None, "{wrong}");
        }
    }
}
