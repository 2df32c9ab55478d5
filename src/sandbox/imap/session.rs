//! One IMAP session: what state it is in, and which command goes where.

use super::change::Leave;
use super::completion::{Completion, words};
use super::folders::Selected;
use super::talk::Talk;
use crate::sandbox::wire::Wire;
use crate::sandbox::{ImapFault, ImapVerb, Office};
use imap_codec::CommandCodec;
use imap_codec::imap_types::IntoStatic;
use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::{Tag, Vec1};
use imap_codec::imap_types::response::{Bye, Capability, Code, Data, Greeting, GreetingKind, Response, Status};
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Session {
    pub(super) office: Arc<Office>,
    pub(super) talk: Talk,
    /// The mailbox of the user who is logged in.
    pub(super) user: Option<String>,
    pub(super) selected: Option<Selected>,
    /// Fault: IDLE says it is still here, this often.
    pub(super) keep_alive: Option<Duration>,
}

impl Session {
    pub(super) fn new(office: Arc<Office>, wire: Wire) -> Self {
        let talk = Talk::new(wire, office.limits.mail_octets);
        Self { office, talk, user: None, selected: None, keep_alive: None }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        self.greet().await?;
        loop {
            self.talk.frame().await?;
            if let Some(tag) = starttls(self.talk.frames.message_bytes()) {
                if self.may_start_tls(tag).await? {
                    // Octets sent ahead in clear are forgotten with the old talk (CVE-2011-0411).
                    let wire = self.talk.wire.secure(&self.office.tls).await?;
                    self.talk = Talk::new(wire, self.office.limits.mail_octets);
                }
                continue;
            }
            let command = self.talk.frames.decode_message(&CommandCodec::default()).ok().map(IntoStatic::into_static);
            if let Some(Command { tag, body }) = command {
                if !self.obey(tag, body).await? {
                    return self.talk.wire.close().await;
                }
            } else {
                let tag = self.talk.frames.decode_tag().map(IntoStatic::into_static);
                self.talk.end_with(Completion::bad("That is no command this server reads."), tag).await?;
            }
        }
    }

    fn fault(&self, verb: ImapVerb) -> Option<ImapFault> {
        self.office.desk().imap(verb, self.user.as_deref().unwrap_or(""))
    }

    async fn greet(&mut self) -> io::Result<()> {
        let mut kind = GreetingKind::Ok;
        if let Some(fault) = self.fault(ImapVerb::Greeting) {
            self.talk.suffer(&fault).await?;
            match fault {
                ImapFault::No(_) | ImapFault::ByeAfterResponses(_) => kind = GreetingKind::Bye,
                ImapFault::CutAfterResponses(_) => return self.talk.cut().await,
                ImapFault::Before(octets) => self.talk.raw(&octets, "*").await?,
                ImapFault::Instead(octets) => return self.talk.raw(&octets, "*").await,
                ImapFault::CutAfterOctets(_)
                | ImapFault::Drip { .. }
                | ImapFault::ChangeUidValidity
                | ImapFault::Silence
                | ImapFault::Garbage
                | ImapFault::KeepAlive { .. } => {}
            }
        }
        let code = Vec1::try_from(self.capabilities()).ok().map(Code::Capability);
        self.talk.greet(&Greeting { kind, code, text: words("annai sandbox, nothing here is real.") }).await?;
        self.talk.recover();
        if kind == GreetingKind::Bye {
            return self.talk.cut().await;
        }
        Ok(())
    }

    pub(super) fn capabilities(&self) -> Vec<Capability<'static>> {
        let mut list = vec![
            Capability::Imap4Rev1,
            Capability::SaslIr,
            Capability::LiteralPlus,
            Capability::Idle,
            Capability::UidPlus,
            Capability::Move,
            Capability::Unselect,
            Capability::Auth(AuthMechanism::Plain),
            Capability::Auth(AuthMechanism::XOAuth2),
        ];
        if !self.talk.wire.is_tls() && !self.office.desk().hide_starttls() {
            list.extend(Capability::try_from("STARTTLS").ok());
        }
        list
    }

    /// Answers STARTTLS; true if the TLS handshake is to begin.
    async fn may_start_tls(&mut self, tag: Tag<'static>) -> io::Result<bool> {
        let mut answer = Completion::ok("Begin TLS now.");
        if let Some(fault) = self.fault(ImapVerb::StartTls) {
            self.talk.suffer(&fault).await?;
            if let ImapFault::Instead(octets) = fault {
                self.talk.raw(&octets, tag.as_ref()).await?;
                return Ok(true);
            } else if let ImapFault::Before(octets) = fault {
                self.talk.raw(&octets, tag.as_ref()).await?;
            } else if let ImapFault::No(text) = fault {
                answer = Completion::no_because(text);
            }
        }
        if self.talk.wire.is_tls() || self.user.is_some() || self.office.desk().hide_starttls() {
            answer = Completion::bad("No TLS now.");
        }
        let begin = answer.is_ok();
        self.talk.end_with(answer, Some(tag)).await?;
        self.talk.recover();
        Ok(begin)
    }

    /// Carries out one command; false if the session is over.
    async fn obey(&mut self, tag: Tag<'static>, body: CommandBody<'static>) -> io::Result<bool> {
        let logout = matches!(body, CommandBody::Logout);
        let verb = verb(&body);
        let fault = self.fault(verb);
        if let Some(fault) = &fault {
            self.talk.suffer(fault).await?;
        }
        let answer = match fault {
            Some(ImapFault::No(text)) => Completion::no_because(text),
            Some(ImapFault::ChangeUidValidity) => {
                if let (ImapVerb::Select | ImapVerb::Status, Some(user)) = (verb, &self.user) {
                    self.office.change_uid_validity(user, &super::folders::folder_of(&body).unwrap_or_default());
                }
                self.carry_out(verb, body).await?
            }
            Some(ImapFault::Before(octets)) => {
                self.talk.raw(&octets, tag.as_ref()).await?;
                self.carry_out(verb, body).await?
            }
            Some(ImapFault::Instead(octets)) => {
                self.talk.raw(&octets, tag.as_ref()).await?;
                return Ok(!logout);
            }
            Some(ImapFault::KeepAlive { every }) => {
                self.keep_alive = Some(every);
                self.carry_out(verb, body).await?
            }
            Some(
                ImapFault::CutAfterOctets(_)
                | ImapFault::CutAfterResponses(_)
                | ImapFault::ByeAfterResponses(_)
                | ImapFault::Drip { .. }
                | ImapFault::Silence
                | ImapFault::Garbage,
            )
            | None => self.carry_out(verb, body).await?,
        };
        // Numbers may not change while a command uses them (RFC 3501 §7.4.1).
        let numbers_may_change = !matches!(verb, ImapVerb::Fetch | ImapVerb::Store | ImapVerb::Search);
        self.report_news(numbers_may_change).await?;
        self.talk.send(&answer.tagged(tag)).await?;
        self.talk.recover();
        self.keep_alive = None;
        Ok(!logout)
    }

    async fn carry_out(&mut self, verb: ImapVerb, body: CommandBody<'static>) -> io::Result<Completion> {
        if self.user.is_none() && !needs_no_login(verb) {
            return Ok(Completion::bad("Log in first."));
        }
        match body {
            CommandBody::Capability => self.tell_capabilities().await,
            CommandBody::Noop | CommandBody::Check => Ok(Completion::ok("Done.")),
            CommandBody::Logout => self.say_goodbye().await,
            CommandBody::Login { username, password } => {
                Ok(self.log_in(username.as_ref(), password.declassify().as_ref()))
            }
            CommandBody::Authenticate { mechanism, initial_response } => {
                let initial = initial_response.map(|secret| secret.declassify().to_vec());
                self.authenticate(mechanism, initial).await
            }
            CommandBody::Select { mailbox } => self.select(&mailbox, false).await,
            CommandBody::Examine { mailbox } => self.select(&mailbox, true).await,
            CommandBody::Status { mailbox, item_names } => self.status(mailbox, &item_names).await,
            CommandBody::List { reference, mailbox_wildcard } => self.list(&reference, &mailbox_wildcard).await,
            CommandBody::Create { mailbox } => Ok(self.create(&mailbox)),
            CommandBody::Append { mailbox, flags, date: _, message } => Ok(self.append(&mailbox, &flags, message)),
            CommandBody::Idle => self.idle().await,
            CommandBody::Close => Ok(self.close(Leave::Nothing)),
            CommandBody::Unselect => Ok(self.close(Leave::Original)),
            CommandBody::Expunge => Ok(self.expunge(None)),
            CommandBody::ExpungeUid { sequence_set } => Ok(self.expunge(Some(&sequence_set))),
            CommandBody::Search { charset: _, criteria, uid } => self.search(&criteria, uid).await,
            CommandBody::Fetch { sequence_set, macro_or_item_names, uid } => {
                self.fetch(&sequence_set, macro_or_item_names, uid).await
            }
            CommandBody::Store { sequence_set, kind, response, flags, uid } => {
                self.store(&sequence_set, kind, response, &flags, uid).await
            }
            CommandBody::Copy { sequence_set, mailbox, uid } => {
                self.copy(&sequence_set, &mailbox, uid, Leave::Original).await
            }
            CommandBody::Move { sequence_set, mailbox, uid } => {
                self.copy(&sequence_set, &mailbox, uid, Leave::Nothing).await
            }
            CommandBody::Delete { .. }
            | CommandBody::Rename { .. }
            | CommandBody::Subscribe { .. }
            | CommandBody::Unsubscribe { .. }
            | CommandBody::Lsub { .. }
            | CommandBody::Sort { .. }
            | CommandBody::Thread { .. }
            | CommandBody::Enable { .. }
            | CommandBody::Compress { .. }
            | CommandBody::GetQuota { .. }
            | CommandBody::GetQuotaRoot { .. }
            | CommandBody::SetQuota { .. } => Ok(Completion::bad("This server does not do that.")),
        }
    }

    async fn tell_capabilities(&mut self) -> io::Result<Completion> {
        if let Ok(list) = Vec1::try_from(self.capabilities()) {
            self.talk.send(&Response::Data(Data::Capability(list))).await?;
        }
        Ok(Completion::ok("That is all."))
    }

    async fn say_goodbye(&mut self) -> io::Result<Completion> {
        let bye = Bye { code: None, text: words("Until next time.") };
        self.talk.send(&Response::Status(Status::Bye(bye))).await?;
        Ok(Completion::ok("Done."))
    }
}

fn needs_no_login(verb: ImapVerb) -> bool {
    use ImapVerb::{Authenticate, Capability, Login, Logout, Noop};
    matches!(verb, Capability | Noop | Logout | Login | Authenticate)
}

/// The tag of a STARTTLS command, if it is one.
fn starttls(line: &[u8]) -> Option<Tag<'static>> {
    let line = str::from_utf8(line).ok()?.trim_end();
    let (tag, command) = line.split_once(' ')?;
    if !command.eq_ignore_ascii_case("STARTTLS") {
        return None;
    }
    Tag::try_from(tag.to_owned()).ok()
}

fn verb(body: &CommandBody<'_>) -> ImapVerb {
    match body {
        CommandBody::Capability => ImapVerb::Capability,
        CommandBody::Noop => ImapVerb::Noop,
        CommandBody::Logout => ImapVerb::Logout,
        CommandBody::Login { .. } => ImapVerb::Login,
        CommandBody::Authenticate { .. } => ImapVerb::Authenticate,
        CommandBody::Select { .. } | CommandBody::Examine { .. } => ImapVerb::Select,
        CommandBody::Status { .. } => ImapVerb::Status,
        CommandBody::List { .. } => ImapVerb::List,
        CommandBody::Create { .. } => ImapVerb::Create,
        CommandBody::Append { .. } => ImapVerb::Append,
        CommandBody::Search { .. } => ImapVerb::Search,
        CommandBody::Fetch { .. } => ImapVerb::Fetch,
        CommandBody::Store { .. } => ImapVerb::Store,
        CommandBody::Copy { .. } => ImapVerb::Copy,
        CommandBody::Move { .. } => ImapVerb::Move,
        CommandBody::Expunge | CommandBody::ExpungeUid { .. } => ImapVerb::Expunge,
        CommandBody::Idle => ImapVerb::Idle,
        CommandBody::Check
        | CommandBody::Close
        | CommandBody::Unselect
        | CommandBody::Delete { .. }
        | CommandBody::Rename { .. }
        | CommandBody::Subscribe { .. }
        | CommandBody::Unsubscribe { .. }
        | CommandBody::Lsub { .. }
        | CommandBody::Sort { .. }
        | CommandBody::Thread { .. }
        | CommandBody::Enable { .. }
        | CommandBody::Compress { .. }
        | CommandBody::GetQuota { .. }
        | CommandBody::GetQuotaRoot { .. }
        | CommandBody::SetQuota { .. } => ImapVerb::Other,
    }
}
