//! How far a mailbox has been read, and where to go on: pure, decided from what is stored and what the server says.
//!
//! | stored | server | go on |
//! |---|---|---|
//! | nothing | any | from UID 1 |
//! | other UIDVALIDITY | any | from UID 1 (RFC 3501 §2.3.1.1: all UIDs are void) |
//! | same UIDVALIDITY | UIDNEXT below the cursor | from UID 1 (the server was restored from a backup) |
//! | same UIDVALIDITY | UIDNEXT at or above the cursor, or untold | from the cursor |
//!
//! Reading again is harmless: what is already filed falls out by its content digest (invariant I1).

use serde::{Deserialize, Serialize};

/// Every mail with a UID below `uid_next` has been filed durably, under this UIDVALIDITY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub uid_validity: u32,
    pub uid_next: u32,
}

/// Where to go on, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    Continue { first_uid: u32 },
    Afresh(Because),
}

/// Why a mailbox is read from its first mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    NeverRead,
    UidValidityChanged,
    ServerWentBack,
}

impl Plan {
    /// The first UID to read, at least 1.
    pub fn first_uid(self) -> u32 {
        match self {
            Self::Continue { first_uid } => first_uid.max(1),
            Self::Afresh(_) => 1,
        }
    }
}

/// `uid_next`: as the server said when the mailbox was opened; `None` if it did not say.
pub fn plan(stored: Option<Cursor>, uid_validity: u32, uid_next: Option<u32>) -> Plan {
    let Some(cursor) = stored else { return Plan::Afresh(Because::NeverRead) };
    if cursor.uid_validity != uid_validity {
        return Plan::Afresh(Because::UidValidityChanged);
    }
    if uid_next.is_some_and(|next| next < cursor.uid_next) {
        return Plan::Afresh(Because::ServerWentBack);
    }
    Plan::Continue { first_uid: cursor.uid_next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table() {
        let at = |uid_next| Some(Cursor { uid_validity: 7, uid_next });
        assert_eq!(plan(None, 7, Some(10)), Plan::Afresh(Because::NeverRead));
        assert_eq!(plan(at(5), 8, Some(10)), Plan::Afresh(Because::UidValidityChanged));
        assert_eq!(plan(at(11), 7, Some(10)), Plan::Afresh(Because::ServerWentBack));
        assert_eq!(plan(at(10), 7, Some(10)), Plan::Continue { first_uid: 10 });
        assert_eq!(plan(at(5), 7, None), Plan::Continue { first_uid: 5 });
        assert_eq!(plan(at(0), 7, Some(1)).first_uid(), 1);
        assert_eq!(plan(at(9), 8, None).first_uid(), 1);
    }
}
