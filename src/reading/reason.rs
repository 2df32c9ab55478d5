//! The closed list of reasons why a person must look at a mail, and of warnings, with the sentences staff read.

use serde::{Deserialize, Serialize};

/// Why a person must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    // reading
    UnknownAuthority,
    AuthorityAmbiguous,
    SubjectDiffers,
    SectionMissing,
    AuthorityAddressMissing,
    AddressMissing,
    AddressInvalid,
    NothingFilledIn,
    Contradiction,
    CharsetDoubt,
    FreeMail,
    ForeignDomain,
    AttachmentOnly,
    QuestionBesides,
    Withdrawal,
    SeveralFrom,
    TooLarge,
    TooDeep,
    Unreadable,
    UnknownKind,
    // directory (never set by reading itself)
    AddressChange,
    TenantRemoved,
    MessageIdConflict,
    MinistryNotInCc,
}

/// Something odd that did not stop the reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub code: WarningCode,
    pub line: Option<usize>,
    /// The Japanese sentence staff (and, in a receipt, the officer) read.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningCode {
    SeveralAddresses,
    SubjectUnusual,
    MinistryNotInCc,
    CharsetMislabelled,
    NoHeadings,
    SameAddressTwice,
    FewerCentresThanKnown,
    TemplateLineLeft,
    DamagedMime,
}
