//! Who may do what (research R9, R19): roles, acts and one table. Pure; the engine asks it in every step of a person, and
//! the server asks it again before it calls the engine.
//!
//! | act | operator | approver | auditor | admin |
//! |---|---|---|---|---|
//! | look, export, own-password | yes | yes | yes | yes |
//! | decide (a mail or matter), send (one letter), reissue, cancel | yes | yes | – | yes |
//! | wave-prepare, wave-stop, recall (an own request) | yes | yes | – | yes |
//! | wave-release, reissue-many, change-address, revoke | second | second | – | second |
//! | approve (another person's request) | – | yes | – | yes |
//! | people, keys | – | – | – | second |
//! | sessions, backup | – | – | – | yes |
//!
//! *second*: a request is kept, and done when another person who may approve says so ([`super::approval`]). *change-address*
//! means: after a secret has left for the old one; before that it is *decide*. The auditor (the ministry) reads everything
//! but secrets, and nobody is shown a secret.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Works through the lists.
    Operator,
    /// The same, and is the second person.
    Approver,
    /// Reads and verifies; the ministry.
    Auditor,
    /// Keeps accounts, keys and backups; may also do what an approver does.
    Admin,
}

/// Kinds of acts, as far as rights tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Every view.
    Look,
    /// Lists as CSV, the journal as a file.
    Export,
    OwnPassword,
    /// About a mail in review or an open matter.
    Decide,
    /// Hold, release, retry or withdraw one letter.
    Send,
    /// One tenant, a new certificate.
    Reissue,
    Cancel,
    /// Plan a wave, tick and untick.
    WavePrepare,
    /// Halt a wave or take back what has not left.
    WaveStop,
    /// Take one's own request back.
    Recall,
    /// Let a wave leave, or go on after it was stopped.
    WaveRelease,
    /// Several tenants at once.
    ReissueMany,
    /// After a secret has left for the old address.
    ChangeAddress,
    Revoke,
    /// Say yes or no to somebody else's request.
    Approve,
    /// Accounts of others.
    People,
    /// Keys of the certification authority.
    Keys,
    /// End sessions of others.
    Sessions,
    Backup,
}

/// The answer of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    Allowed,
    /// Only a request; another person says yes.
    NeedsSecond,
    Refused,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Operator, Self::Approver, Self::Auditor, Self::Admin];

    /// The word in records, on the command line and in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The word of the console.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Operator => "担当者",
            Self::Approver => "承認者",
            Self::Auditor => "監査担当",
            Self::Admin => "管理者",
        }
    }

    /// Whether accounts of this role can be the second person.
    pub fn approves(self) -> bool {
        right(self, Act::Approve) == Right::Allowed
    }
}

/// Not one of the four roles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role; give operator, approver, auditor or admin")]
pub struct NoRole;

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(NoRole)
    }
}

impl Act {
    pub const ALL: [Self; 19] = [
        Self::Look,
        Self::Export,
        Self::OwnPassword,
        Self::Decide,
        Self::Send,
        Self::Reissue,
        Self::Cancel,
        Self::WavePrepare,
        Self::WaveStop,
        Self::Recall,
        Self::WaveRelease,
        Self::ReissueMany,
        Self::ChangeAddress,
        Self::Revoke,
        Self::Approve,
        Self::People,
        Self::Keys,
        Self::Sessions,
        Self::Backup,
    ];

    /// For staff: the thing that was asked for.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Look => "閲覧",
            Self::Export => "書き出し",
            Self::OwnPassword => "自分のパスワードの変更",
            Self::Decide => "要確認の判断",
            Self::Send => "送信の操作",
            Self::Reissue => "再発行",
            Self::Cancel => "キャンセル",
            Self::WavePrepare => "一斉送信の準備",
            Self::WaveStop => "一斉送信の停止・取下げ",
            Self::Recall => "申請の取下げ",
            Self::WaveRelease => "一斉送信の開始・再開",
            Self::ReissueMany => "一括再発行",
            Self::ChangeAddress => "秘密情報送信後のアドレス変更",
            Self::Revoke => "証明書の失効",
            Self::Approve => "承認・却下",
            Self::People => "アカウントの管理",
            Self::Keys => "認証局の鍵の操作",
            Self::Sessions => "他者のセッションの終了",
            Self::Backup => "バックアップ",
        }
    }
}

/// The table above.
pub fn right(role: Role, act: Act) -> Right {
    use {Act as A, Right as R, Role as P};
    match (act, role) {
        (A::Look | A::Export | A::OwnPassword, P::Operator | P::Approver | P::Auditor | P::Admin)
        | (
            A::Decide | A::Send | A::Reissue | A::Cancel | A::WavePrepare | A::WaveStop | A::Recall,
            P::Operator | P::Approver | P::Admin,
        )
        | (A::Approve, P::Approver | P::Admin)
        | (A::Sessions | A::Backup, P::Admin) => R::Allowed,
        (A::WaveRelease | A::ReissueMany | A::ChangeAddress | A::Revoke, P::Operator | P::Approver | P::Admin)
        | (A::People | A::Keys, P::Admin) => R::NeedsSecond,
        (A::Approve, P::Operator | P::Auditor)
        | (A::People | A::Keys | A::Sessions | A::Backup, P::Operator | P::Approver | P::Auditor)
        | (
            A::Decide
            | A::Send
            | A::Reissue
            | A::Cancel
            | A::WavePrepare
            | A::WaveStop
            | A::Recall
            | A::WaveRelease
            | A::ReissueMany
            | A::ChangeAddress
            | A::Revoke,
            P::Auditor,
        ) => R::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the header, read as data.
    #[test]
    fn the_table_in_the_header_is_the_code() {
        let mut seen = Vec::new();
        for line in include_str!("rights.rs").lines().filter_map(|line| line.strip_prefix("//! | ")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let acts = cells[0].split(", ").map(|act| act.split(' ').next().unwrap());
            for act in acts.filter_map(|act| serde_json::from_value::<Act>(act.into()).ok()) {
                for (role, cell) in Role::ALL.into_iter().zip(&cells[1..]) {
                    let expected = match *cell {
                        "yes" => Right::Allowed,
                        "second" => Right::NeedsSecond,
                        _ => Right::Refused,
                    };
                    assert_eq!(right(role, act), expected, "{act:?} {role:?}");
                }
                seen.push(act);
            }
        }
        seen.sort();
        assert_eq!(seen, Act::ALL);
    }

    #[test]
    fn the_ministry_changes_nothing_but_its_own_password() {
        let may = Act::ALL.into_iter().filter(|act| right(Role::Auditor, *act) != Right::Refused);
        assert_eq!(may.collect::<Vec<_>>(), [Act::Look, Act::Export, Act::OwnPassword]);
    }

    #[test]
    fn roles_are_named() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{}\"", role.name()));
        }
        assert_eq!("root".parse::<Role>(), Err(NoRole));
    }
}
