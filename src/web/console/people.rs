//! アカウント: who there is, with which role, and who is logged in; for the admin, every change with its reason. A change
//! that needs a second person becomes a request, as everywhere.

use super::Console;
use super::act::Fields;
use super::frame::show;
use super::visit::Visit;
use crate::crypto::password;
use crate::domain::{MailAddress, Secret};
use crate::engine::people::{PeopleVerb, fingerprint, name_fault, person_fault};
use crate::web::login;
use crate::workflow::rights::{Act, Role};
use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use std::sync::Arc;

/// Where the hash of a typed password stands in a form that came in; no form of a browser has it.
const HASH: &str = "hash";
const NO_FINGERPRINT: &str = "a fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits";

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "people.html", |desk| {
        let (accounts, sessions) = (desk.view.accounts()?, desk.view.sessions()?);
        let since = desk.view.two_persons_since()?;
        let lang = desk.lang;
        let roles: Vec<_> = Role::ALL.iter().map(|role| context! { code => role.name(), word => lang.pick(role.japanese(), role.name()) }).collect();
        let accounts: Vec<_> = accounts
            .iter()
            .map(|a| {
                context! {
                    name => a.name, person => a.person, role => lang.pick(a.role_name, a.role.name()), role_code => a.role.name(),
                    mail => a.mail.as_ref().map(MailAddress::as_str), own => a.name == desk.visit.viewer.name,
                    since => lang.moment(a.since), disabled => a.disabled.map(|at| lang.moment(at)), has_password => a.has_password,
                    certificate => a.certificate.map(|bound| context! { print => bound.fingerprint.to_string(), since => lang.moment(bound.since) }),
                }
            })
            .collect();
        let sessions: Vec<_> = sessions
            .iter()
            .map(|s| {
                context! {
                    no => s.no, account => s.account, since => lang.moment(s.since), seen => lang.moment(s.seen), from => s.from,
                    agent => s.agent, own => s.no == desk.visit.viewer.session,
                    ends => s.account == desk.visit.viewer.name || desk.visit.viewer.may(Act::Sessions),
                }
            })
            .collect();
        let edits = desk.visit.viewer.may(Act::People);
        let shortest = password::CHARS_MIN;
        Ok(context! { accounts, sessions, roles, edits, shortest, two_persons => since.map(|at| lang.moment(at)) })
    })
    .await
}

/// Typed passwords become a hash, off the async workers, and are dropped; what a browser calls a hash is dropped too.
pub(super) async fn take_passwords(fields: &mut Fields) -> Result<(), &'static str> {
    let typed = (fields.get("password").to_owned(), fields.get("again").to_owned());
    fields.0.retain(|(name, _)| !matches!(name.as_str(), HASH | "password" | "again"));
    match typed {
        (password, again) if password.is_empty() && again.is_empty() => Ok(()),
        (password, again) if password == again => {
            let hash = login::hash_of(Secret::new(password)).await;
            fields.0.push((HASH.to_owned(), hash.ok_or("a password has at least 12 characters")?));
            Ok(())
        }
        _ => Err("the two passwords are not the same"),
    }
}

/// The form as a verb; `Err`: what is missing.
pub(super) fn verb(code: &str, fields: &Fields) -> Result<PeopleVerb, &'static str> {
    let some = |name: &str| Some(fields.get(name).to_owned()).filter(|value| !value.is_empty());
    let name = some("name").ok_or("no account is named")?;
    let reason = some("reason").ok_or("a reason is needed")?;
    let role = || fields.get("role").parse::<Role>().map_err(|_| "a role must be chosen");
    let mail = some("mail").map(|mail| mail.parse::<MailAddress>()).transpose();
    let mail = mail.map_err(|_| "the address is not valid")?;
    Ok(match code {
        "user-add" => PeopleVerb::Add {
            name: name_fault(&name).map_or(Ok(name), Err)?,
            person: person_fault(fields.get("person")).map_or(Ok(fields.get("person").to_owned()), Err)?,
            role: role()?,
            mail,
            hash: some(HASH),
            reason,
        },
        "user-role" => PeopleVerb::SetRole { name, role: role()?, reason },
        "user-mail" => PeopleVerb::SetMail { name, mail, reason },
        "user-password" => PeopleVerb::Password { name, hash: some(HASH).ok_or("a password is needed")?, reason },
        "user-certificate" => {
            let typed = some("fingerprint").map(|typed| fingerprint(&typed).ok_or(NO_FINGERPRINT)).transpose()?;
            PeopleVerb::Certificate { name, fingerprint: typed, reason }
        }
        "user-disable" => PeopleVerb::Disable { name, reason },
        "user-enable" => PeopleVerb::Enable { name, reason },
        _ => return Err("there is no such act"),
    })
}
