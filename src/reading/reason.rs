//! The closed list of reasons why a person must look at a mail, and of warnings, with the sentences staff read.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $sentence:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in JSON, journal and console filters.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The sentence staff read.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),+ }
            }
        }
    };
}

codes! {
    /// Why a person must look.
    Reason {
        UnknownAuthority = "unknown-authority", "自治体名が保健所設置自治体の一覧にありません。";
        AuthorityAmbiguous = "authority-ambiguous", "どの自治体の連絡か、ひとつに決まりません。";
        SubjectDiffers = "subject-differs", "件名の自治体と本文の自治体が異なります。";
        SectionMissing = "section-missing", "「自治体」又は「保健所」の見出しがありません。";
        AuthorityAddressMissing = "authority-address-missing", "自治体のメールアドレスが記載されていません。";
        AddressMissing = "address-missing", "メールアドレスの記載がない保健所があります。";
        AddressInvalid = "address-invalid", "メールアドレスとして正しくない記載があります。";
        NothingFilledIn = "nothing-filled-in", "登録する内容が記載されていません。";
        Contradiction = "contradiction", "記載の内容に食い違いがあります。";
        CharsetDoubt = "charset-doubt", "文字化けの疑いがあります。";
        FreeMail = "free-mail", "フリーメール又は携帯電話のメールアドレスが使われています。";
        ForeignDomain = "foreign-domain", "自治体のものではないドメインのメールアドレスが使われています。";
        /// Encrypted, or signed in a way that cannot be opened.
        Encrypted = "encrypted", "暗号化されているか、開けない形式のため、内容を読み取れません。";
        AttachmentOnly = "attachment-only", "内容が本文ではなく添付ファイル又はリンク先にあります。";
        QuestionBesides = "question-besides", "登録の内容のほかに質問が書かれています。";
        Withdrawal = "withdrawal", "登録の取下げの連絡と思われます。";
        SeveralFrom = "several-from", "差出人（From）が複数記載されています。";
        TooLarge = "too-large", "メールが大きすぎるため、読み取っていません。";
        TooDeep = "too-deep", "メールの中にメールが何重にも添付されています。";
        /// Beyond a named limit of the reading; the rest was not looked at.
        OverLimit = "over-limit", "メールが長すぎるか、部分が多すぎるため、一部を読み取っていません。";
        /// A page holds text that is not shown.
        HiddenText = "hidden-text", "画面に表示されない文字が含まれています。";
        Unreadable = "unreadable", "メールとして読み取れません。";
        UnknownKind = "unknown-kind", "登録の連絡かどうか判断できません。";
        /// A name under the health centres' heading that neither looks like one nor is a known office of one.
        UnknownCentre = "unknown-centre", "保健所の名称と確認できない記載があります。";
        /// The data stand in a mail that was forwarded.
        Forwarded = "forwarded", "転送されたメールの内容を読み取りました。";
        /// The data stand in lines with quote marks that are attributed to nobody.
        QuotedData = "quoted-data", "引用の記号が付いた行の内容を読み取りました。";
        /// An earlier statement is corrected, added to or withdrawn.
        Correction = "correction", "前の連絡を訂正又は変更するものです。";
        Inquiry = "inquiry", "お問い合わせです。";
        DateChange = "date-change", "ある日付からメールアドレスが変わるとの記載があります。";
        NewContact = "new-contact", "自動応答が新しい連絡先を知らせています。";
        /// A draft, a test, something to be held back, addresses that are not sure or do not work.
        Provisional = "provisional", "案、テスト、保留、又は確定していないアドレスである旨の記載があります。";
        /// Where, when, how or whether something is to be sent, beyond what the data say.
        Condition = "condition", "登録の内容のほかに、条件や注意が書かれています。";
        CountDiffers = "count-differs", "本文にある保健所の数と、記載された保健所の数が異なります。";
        // directory (never set by reading itself)
        AddressChange = "address-change", "登録済みのメールアドレスと異なります。";
        TenantRemoved = "tenant-removed", "登録済みの保健所が記載されていません。";
        MessageIdConflict = "message-id-conflict", "同じ Message-ID で内容の異なるメールがあります。";
        MinistryNotInCc = "ministry-not-in-cc", "厚生労働省が宛先・CCに入っていません。";
        // trust (see `trust`; never set by reading itself)
        /// The sender's domain is none of those known for this authority.
        SenderDomainUnknown = "sender-domain-unknown", "差出人のドメインが、この自治体のものとして確認されていません。";
        /// An address to be registered is of a domain that is neither known nor the sender's.
        AddressDomainUnknown = "address-domain-unknown", "登録するメールアドレスのドメインが、この自治体のものとして確認されていません。";
        /// DKIM, SPF or DMARC were checked and failed.
        AuthenticationFailed = "authentication-failed", "送信元の認証（DKIM・SPF・DMARC）に失敗しています。";
        /// Less speaks for it than the policy asks for.
        EvidenceWeak = "evidence-weak", "送信元を裏付ける情報が足りません。";
        /// The display name shows another address than the mail comes from.
        NameShowsOtherAddress = "name-shows-other-address", "なりすましの疑い：差出人の表示名に、実際とは別のメールアドレスが書かれています。";
        /// The mail speaks for one authority from a domain that belongs to another.
        OtherAuthoritysDomain = "other-authoritys-domain", "なりすましの疑い：別の自治体のドメインから送信されています。";
        /// One slip beside a known domain.
        LookAlikeDomain = "look-alike-domain", "なりすましの疑い：確認済みのドメインによく似た、別のドメインです。";
        /// A known domain, and the authentication says it does not come from there.
        KnownDomainForged = "known-domain-forged", "なりすましの疑い：確認済みのドメインを名乗っていますが、送信元の認証に失敗しています。";
    }
}

codes! {
    /// Something odd that did not stop the reading.
    WarningCode {
        SeveralAddresses = "several-addresses", "メールアドレスが複数記載されているため、最初のものを採用しました。";
        SubjectUnusual = "subject-unusual", "件名が所定の形ではありません。";
        MinistryNotInCc = "ministry-not-in-cc", "厚生労働省（follow-up@mhlw.go.jp）がCCに入っていません。";
        CharsetMislabelled = "charset-mislabelled", "文字コードの表示が実際と異なるため、内容から判断しました。";
        NoHeadings = "no-headings", "見出しがないため、名称から自治体と保健所を区別しました。";
        SameAddressTwice = "same-address-twice", "同じメールアドレスが複数の機関に記載されています。";
        FewerCentresThanKnown = "fewer-centres-than-known", "記載された保健所の数が、把握している数より少なくなっています。";
        TemplateLineLeft = "template-line-left", "記載例のままの行があったため、読み飛ばしました。";
        DamagedMime = "damaged-mime", "メールの構造が壊れています。";
        AuthorityFromSubject = "authority-from-subject", "本文に自治体名がないため、件名などの自治体名を採用しました。";
        StruckOut = "struck-out", "取消線の付いた文字は読み飛ばしました。";
    }
}

/// Something odd that did not stop the reading, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub code: WarningCode,
    /// In the body, from 1.
    pub line: Option<usize>,
    /// The Japanese sentence staff (and, in a receipt, the officer) read.
    pub text: String,
}

impl Warning {
    /// A warning with its standard sentence.
    pub fn new(code: WarningCode, line: Option<usize>) -> Self {
        Self { code, line, text: code.sentence().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_unique_and_what_json_says() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
            assert!(reason.sentence().ends_with('。'));
        }
        let mut codes: Vec<_> = WarningCode::ALL.iter().map(|w| w.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), WarningCode::ALL.len());
    }
}
