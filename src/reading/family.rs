//! What each reason makes staff ask the sender: which draft, and the sentence the sender reads. The sentences of `reason`
//! are for staff; these are for the officer, who must learn what to do and never that we mistrust a colleague's name.

use super::Reason;

/// Which draft of a question a reason belongs to. In the order of weight: of a mail with several reasons the first
/// family writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Does it come from the authority?
    Origin,
    /// Which authority is it?
    Authority,
    /// It cannot be read, or its data are not in its text.
    Resend,
    /// Lines are missing or wrong.
    Mend,
    /// Is this what is meant?
    Confirm,
    /// The sender asked something.
    Reply,
}

use Family::{Authority, Confirm, Mend, Origin, Reply, Resend};

impl Reason {
    /// The draft it belongs to.
    pub fn family(self) -> Family {
        self.asked().0
    }

    /// What the sender is told.
    pub fn to_sender(self) -> &'static str {
        self.asked().1
    }

    fn asked(self) -> (Family, &'static str) {
        match self {
            Self::UnknownAuthority => (Authority, "保健所を設置する自治体の名称を確認できませんでした。"),
            Self::AuthorityAmbiguous => {
                (Authority, "同じ名称の自治体又は複数の自治体があり、ひとつに決まりませんでした。")
            }
            Self::SubjectDiffers => (Authority, "件名の自治体名と本文の自治体名が異なっていました。"),
            Self::SectionMissing => (Mend, "「自治体」又は「保健所」の見出しがありませんでした。"),
            Self::AuthorityAddressMissing => (Mend, "自治体のメールアドレスが記載されていませんでした。"),
            Self::AddressMissing => (Mend, "メールアドレスの記載がない保健所がありました。"),
            Self::AddressInvalid => (Mend, "メールアドレスとして正しくない記載がありました。"),
            Self::NothingFilledIn => (Mend, "登録する内容が記載されていませんでした。"),
            Self::Contradiction => (Confirm, "記載の内容に食い違いがありました。"),
            Self::CharsetDoubt => (Resend, "文字が正しく表示されない箇所がありました。"),
            Self::FreeMail => {
                (Origin, "どなたでも取得できるメールアドレス（フリーメール又は携帯電話）が使われていました。")
            }
            Self::ForeignDomain => (Origin, "自治体のものと確認できないドメインのメールアドレスが使われていました。"),
            Self::Encrypted => (Resend, "暗号化されているため、内容を読み取ることができませんでした。"),
            Self::AttachmentOnly => (Resend, "内容が、本文ではなく添付ファイル又はリンク先に記載されていました。"),
            Self::QuestionBesides | Self::Inquiry => (Reply, "お問い合わせの記載がありました。"),
            Self::Withdrawal => (Confirm, "登録の取下げと思われる記載がありました。"),
            Self::SeveralFrom => (Origin, "差出人（From）が複数記載されていました。"),
            Self::TooLarge => (Resend, "メールが大きすぎるため、読み取ることができませんでした。"),
            Self::TooDeep => (Resend, "転送が何重にも重なっているため、読み取ることができませんでした。"),
            Self::OverLimit => {
                (Resend, "メールが長すぎるか、部分が多すぎるため、一部を読み取ることができませんでした。")
            }
            Self::HiddenText => (Resend, "画面に表示されない文字が含まれていました。"),
            Self::Unreadable | Self::UnknownKind => (Resend, "登録のご連絡として読み取ることができませんでした。"),
            Self::UnknownCentre => (Confirm, "保健所の名称と確認できない記載がありました。"),
            Self::Forwarded => (Confirm, "転送されたメールの内容を読み取りました。"),
            Self::QuotedData => (Confirm, "引用の記号が付いた行の内容を読み取りました。"),
            Self::Correction => (Confirm, "以前のご連絡を訂正又は変更するものとして読み取りました。"),
            Self::DateChange => (Confirm, "ある日付からメールアドレスが変わるとの記載がありました。"),
            Self::NewContact => (Confirm, "新しいご連絡先をお知らせいただきました。"),
            Self::Provisional => (Confirm, "案、テスト、保留、又は確定していないアドレスである旨の記載がありました。"),
            Self::Condition => (Confirm, "登録の内容のほかに、条件や注意の記載がありました。"),
            Self::CountDiffers => (Confirm, "本文にある保健所の数と、記載された保健所の数が異なっていました。"),
            Self::AddressChange => (Confirm, "登録済みのメールアドレスと異なる記載がありました。"),
            Self::TenantRemoved => (Confirm, "登録済みの保健所が記載されていませんでした。"),
            Self::MessageIdConflict => (Confirm, "同じ識別番号（Message-ID）で内容の異なるメールを受信しました。"),
            Self::MinistryNotInCc => (Origin, "厚生労働省がCCに入っていませんでした。"),
            Self::SenderDomainUnknown => {
                (Origin, "これまでのご連絡とは異なるドメインのメールアドレスから送信されていました。")
            }
            Self::AddressDomainUnknown => (
                Confirm,
                "登録するメールアドレスのドメインが、これまでのご連絡のもの及び送信元のものと異なっていました。",
            ),
            Self::AuthenticationFailed | Self::KnownDomainForged => {
                (Origin, "送信元の認証（DKIM・SPF・DMARC）を確認できませんでした。")
            }
            Self::EvidenceWeak => (Origin, "ご連絡元を確認できる情報が足りませんでした。"),
            Self::NameShowsOtherAddress => (Origin, "差出人の表示名に、別のメールアドレスが記載されていました。"),
            Self::OtherAuthoritysDomain => (Origin, "別の自治体のドメインから送信されていました。"),
            Self::LookAlikeDomain => (Origin, "確認済みのドメインによく似た、別のドメインが使われていました。"),
        }
    }
}

/// The draft for a mail with these reasons; without any, what was read is to be confirmed.
pub fn family_of(reasons: &[Reason]) -> Family {
    reasons.iter().map(|reason| reason.family()).min().unwrap_or(Family::Confirm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_told_what_happened_in_whole_sentences() {
        for reason in Reason::ALL {
            let told = reason.to_sender();
            assert!(told.ends_with("ました。") || told.ends_with("ませんでした。"), "{told}");
            assert!(!told.contains("疑い"), "{told}");
        }
    }

    #[test]
    fn the_heaviest_reason_writes() {
        assert_eq!(family_of(&[Reason::Correction, Reason::LookAlikeDomain]), Family::Origin);
        assert_eq!(family_of(&[Reason::Inquiry]), Family::Reply);
        assert_eq!(family_of(&[]), Family::Confirm);
    }
}
