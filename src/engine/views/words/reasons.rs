//! Why a person must look at a mail, in English beside the Japanese of `reading::Reason`.

use super::Lang;
use crate::reading::evidence::What;
use crate::reading::{Reason, WarningCode};

/// Why a person must look at a mail.
pub fn sentence(reason: Reason, lang: Lang) -> &'static str {
    lang.pick(reason.sentence(), english(reason))
}

fn english(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownAuthority => "No authority of this name is in the list.",
        Reason::AuthorityAmbiguous => "It is not clear which authority this mail speaks for.",
        Reason::SubjectDiffers => "Subject and text name different authorities.",
        Reason::SectionMissing => "The heading of the authority or of the health centres is missing.",
        Reason::AuthorityAddressMissing => "The authority's address is missing.",
        Reason::AddressMissing => "A health centre stands without an address.",
        Reason::AddressInvalid => "Something that should be an address is none.",
        Reason::NothingFilledIn => "Nothing to be registered is filled in.",
        Reason::Contradiction => "What the mail says contradicts itself.",
        Reason::CharsetDoubt => "Characters may be garbled.",
        Reason::FreeMail => "An address is one of a free mail service or a mobile telephone.",
        Reason::ForeignDomain => "An address is of a domain that is no authority's.",
        Reason::Encrypted => "It is encrypted, or of a form that cannot be opened; nothing of it can be read.",
        Reason::AttachmentOnly => "What matters stands in an attachment or behind a link.",
        Reason::QuestionBesides => "There is a question besides the registration.",
        Reason::Withdrawal => "A registration seems to be withdrawn.",
        Reason::SeveralFrom => "The mail names several senders.",
        Reason::TooLarge => "The mail is too large and was not read.",
        Reason::TooDeep => "Mails are nested too deeply in this mail.",
        Reason::OverLimit => "The mail is too long or has too many parts; not all was read.",
        Reason::HiddenText => "The mail holds text that is not shown.",
        Reason::Unreadable => "This cannot be read as a mail.",
        Reason::UnknownKind => "It is not clear whether this is a registration.",
        Reason::UnknownCentre => "A name is not known as that of a health centre.",
        Reason::Forwarded => "What was read stands in a forwarded mail.",
        Reason::QuotedData => "What was read stands in quoted lines.",
        Reason::Correction => "An earlier mail is corrected or changed.",
        Reason::Inquiry => "This is an inquiry.",
        Reason::DateChange => "An address is to change from a certain day on.",
        Reason::NewContact => "An automatic reply names a new contact.",
        Reason::Condition => {
            "Besides the data it says where, when or how something is to be sent, or that something does not hold."
        }
        Reason::Provisional => "It says that this is a draft or a test, or that an address does not work yet.",
        Reason::CountDiffers => "The number of health centres the text states is not that of those listed.",
        Reason::AddressChange => "An address differs from the registered one.",
        Reason::TenantRemoved => "A registered health centre is not listed any more.",
        Reason::MessageIdConflict => "Another mail with other content has the same Message-ID.",
        Reason::MinistryNotInCc => "The ministry is neither a recipient nor in CC.",
        Reason::SenderDomainUnknown => "The sender's domain is not known to be this authority's.",
        Reason::AddressDomainUnknown => "An address is of a domain that is not known to be this authority's.",
        Reason::AuthenticationFailed => "DKIM, SPF or DMARC were checked and failed.",
        Reason::EvidenceWeak => "Too little speaks for the sender.",
        Reason::NameShowsOtherAddress => {
            "Possibly impersonation: the sender's name shows another address than the mail comes from."
        }
        Reason::OtherAuthoritysDomain => "Possibly impersonation: it comes from the domain of another authority.",
        Reason::LookAlikeDomain => "Possibly impersonation: the domain looks much like one that is known.",
        Reason::KnownDomainForged => {
            "Possibly impersonation: it claims to come from a known domain, and the authentication failed."
        }
    }
}

/// Something odd that did not stop the reading, in English; the Japanese stands with the warning.
pub fn warning(code: WarningCode) -> &'static str {
    match code {
        WarningCode::SeveralAddresses => "There are several addresses; the first was taken.",
        WarningCode::SubjectUnusual => "The subject is not the usual one.",
        WarningCode::MinistryNotInCc => "The ministry is not in CC.",
        WarningCode::CharsetMislabelled => "The character set is not the one that is named; it was judged by the text.",
        WarningCode::NoHeadings => {
            "There are no headings; authority and health centres were told apart by their names."
        }
        WarningCode::SameAddressTwice => "The same address stands with several.",
        WarningCode::FewerCentresThanKnown => "There are fewer health centres than are known.",
        WarningCode::TemplateLineLeft => "A line of the example was left in and passed over.",
        WarningCode::DamagedMime => "The structure of the mail is damaged.",
        WarningCode::AuthorityFromSubject => "The text names no authority; the subject does.",
        WarningCode::StruckOut => "What was struck out was passed over.",
    }
}

/// A kind of evidence about a sender.
pub fn evidence(what: What, lang: Lang) -> &'static str {
    let english = match what {
        What::Authentication => "authentication",
        What::SenderDomain => "sender's domain",
        What::AddressDomains => "domains to be registered",
        What::Ministry => "ministry in CC",
        What::Occasion => "first or change",
    };
    lang.pick(what.japanese(), english)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_sentence_in_both_languages() {
        for reason in Reason::ALL {
            let english = sentence(*reason, Lang::En);
            assert!(english.ends_with('.') && english.is_ascii(), "{english}");
            assert!(sentence(*reason, Lang::Ja).ends_with('。'));
        }
    }
}
