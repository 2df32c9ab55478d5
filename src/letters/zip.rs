//! The credential ZIP (seed §4.4, research R7): one text file with a tenant's user id and password, encrypted.
//!
//! Two methods, both weak in the same place: the unzip password is printed in a public PDF. ZipCrypto opens in Windows
//! Explorer but falls to twelve known bytes; AES-256 is sound but needs 7-Zip or the like. Either way the crate draws
//! random bytes for the encryption header or the salt, so two ZIPs of the same account differ: the outbox keeps the
//! bytes. Names are ASCII and built here; the text has BOM and CRLF so that Notepad on Windows 8.1 shows it.

use super::layout::{NAME_CHARS_MAX, one_line};
use super::{Addressee, ZipMethod};
use crate::domain::{Secret, Timestamp};
use ::zip::unstable::write::FileOptionsExt;
use ::zip::write::SimpleFileOptions;
use ::zip::{AesMode, CompressionMethod, DateTime, ZipArchive, ZipWriter};
use std::io::{Cursor, Read, Write};
use zeroize::Zeroizing;

/// Longest member read back, in bytes.
const MEMBER_BYTES_MAX: u64 = 16_384;

const ID: &str = "利用機関ID：";
const NAME: &str = "利用機関名：";
const USER: &str = "ユーザID：";
const PASSWORD: &str = "パスワード：";

/// What a credential ZIP says.
#[derive(Debug)]
pub struct Opened {
    /// Name of the file in it, `131032-01_account.txt`.
    pub member: String,
    pub tenant_id: String,
    pub tenant_name: String,
    pub user_id: String,
    pub password: Secret<String>,
}

/// Why a credential ZIP cannot be made or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    #[error("the unzip password is empty or holds other than printable ASCII; correct the file it comes from")]
    UnzipPassword,
    #[error("the tenant id holds other than digits and hyphens; correct the directory")]
    TenantId,
    #[error("the user id or password is empty or holds other than printable ASCII; correct the imported list")]
    Account,
    #[error("the unzip password does not open this ZIP, or the ZIP is damaged")]
    NotOpened,
    #[error("this ZIP is no credential ZIP of annai")]
    Contents,
    #[error("the ZIP could not be written: {0}")]
    Write(String),
}

/// `131032-01_account.zip`: name of the attachment.
pub(super) fn attachment_name(tenant_id: &str) -> String {
    format!("{}_account.zip", ascii_id(tenant_id))
}

fn ascii_id(tenant_id: &str) -> String {
    tenant_id.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect()
}

/// The encrypted ZIP for one tenant. `date` becomes the member's time (JST, whole minutes).
pub fn credential_zip(
    to: &Addressee,
    user_id: &str,
    password: &Secret<String>,
    unzip_password: &Secret<String>,
    method: ZipMethod,
    date: Timestamp,
) -> Result<Vec<u8>, ZipError> {
    let key = unzip_password.reveal().as_bytes();
    if key.is_empty() || !key.iter().all(|b| (0x20..0x7f).contains(b)) {
        return Err(ZipError::UnzipPassword);
    }
    if to.id.is_empty() || ascii_id(&to.id) != to.id {
        return Err(ZipError::TenantId);
    }
    if [user_id, password.reveal()].iter().any(|t| t.is_empty() || !t.bytes().all(|b| b.is_ascii_graphic())) {
        return Err(ZipError::Account);
    }
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(member_time(date));
    let options = match method {
        ZipMethod::ZipCrypto => options.with_deprecated_encryption(key).map_err(|_| ZipError::UnzipPassword)?,
        ZipMethod::Aes256 => options.with_aes_encryption_bytes(AesMode::Aes256, key),
    };
    let name = one_line(&to.name, NAME_CHARS_MAX);
    let text = Zeroizing::new(format!(
        "\u{feff}{ID}{}\r\n{NAME}{name}\r\n{USER}{user_id}\r\n{PASSWORD}{}\r\n",
        to.id,
        password.reveal()
    ));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |e: &dyn std::fmt::Display| ZipError::Write(e.to_string());
    writer.start_file(format!("{}_account.txt", to.id), options).map_err(|e| failed(&e))?;
    writer.write_all(text.as_bytes()).map_err(|e| failed(&e))?;
    Ok(writer.finish().map_err(|e| failed(&e))?.into_inner())
}

/// Opens a credential ZIP again, to prove before it leaves that it is the right tenant's and can be opened.
pub fn reopen_zip(bytes: &[u8], unzip_password: &Secret<String>) -> Result<Opened, ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ZipError::NotOpened)?;
    if archive.len() != 1 {
        return Err(ZipError::Contents);
    }
    let member = archive.by_index_decrypt(0, unzip_password.reveal().as_bytes()).map_err(|_| ZipError::NotOpened)?;
    if !member.encrypted() || member.size() > MEMBER_BYTES_MAX {
        return Err(ZipError::Contents);
    }
    let name = member.name().map_err(|_| ZipError::Contents)?.into_owned();
    // ZipCrypto lets 1 in 256 wrong passwords past its header; the checksum, verified at the end, tells.
    let mut text = Zeroizing::new(String::new());
    member.take(MEMBER_BYTES_MAX).read_to_string(&mut text).map_err(|_| ZipError::NotOpened)?;
    let field = |key: &str| {
        let mut lines = text.trim_start_matches('\u{feff}').split("\r\n");
        lines.find_map(|line| line.strip_prefix(key)).map(str::to_owned).ok_or(ZipError::Contents)
    };
    Ok(Opened {
        member: name,
        tenant_id: field(ID)?,
        tenant_name: field(NAME)?,
        user_id: field(USER)?,
        password: Secret::new(field(PASSWORD)?),
    })
}

/// ZIP times begin in 1980; a day that has none gives the format's first.
fn member_time(date: Timestamp) -> DateTime {
    let (day, minutes) = (date.date(), date.time_of_day().0);
    let small = |n: u32| u8::try_from(n).unwrap_or(0);
    u16::try_from(day.year())
        .ok()
        .and_then(|year| {
            let (hour, minute) = (small((minutes / 60).into()), small((minutes % 60).into()));
            DateTime::from_date_and_time(year, small(day.month()), small(day.day()), hour, minute, 0).ok()
        })
        .unwrap_or_default()
}
