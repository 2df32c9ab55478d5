//! The credential ZIP opened by programs that are not ours, and refused where it must be.

use super::{run, sample_centre};
use annai::domain::{Secret, Timestamp};
use annai::letters::zip::credential_zip;
use annai::letters::{Addressee, ZipError, ZipMethod, reopen_zip};
use std::process::{Command, Stdio};

fn zip(method: ZipMethod, unzip_password: &str) -> Result<Vec<u8>, ZipError> {
    let date: Timestamp = "2020-05-11T09:30:00+09:00".parse().unwrap();
    let (password, key) = (Secret::new("Vr8t-mK2p-xq5N".into()), Secret::new(unzip_password.into()));
    credential_zip(&sample_centre(), "minato-hc01", &password, &key, method, date)
}

#[test]
fn zips_open_with_other_peoples_programs() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let text = "\u{feff}利用機関ID：131032-01\r\n利用機関名：みなと保健所\r\nユーザID：minato-hc01\r\nパスワード：Vr8t-mK2p-xq5N\r\n";
    let classic = write("classic.zip", &zip(ZipMethod::ZipCrypto, "sampleZIP2020").unwrap());
    assert_eq!(run("unzip", &["-p", "-P", "sampleZIP2020", &classic, "131032-01_account.txt"], b""), text);
    let python = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.namelist() == ['131032-01_account.txt']\nassert z.infolist()[0].date_time == (2020, 5, 11, 9, 30, 0)\nsys.stdout.buffer.write(z.read(z.namelist()[0], pwd=b'sampleZIP2020'))";
    assert_eq!(run("python3", &["-c", python, &classic], b""), text);
    let strong = write("strong.zip", &zip(ZipMethod::Aes256, "sampleZIP2020").unwrap());
    let seven = ["7zz", "7z", "7za"].into_iter().find(|name| Command::new(name).stdout(Stdio::null()).status().is_ok());
    let seven = seven.expect("7-Zip; tests/run installs it");
    for path in [&classic, &strong] {
        assert_eq!(run(seven, &["x", "-so", "-psampleZIP2020", path], b""), text);
    }
    assert!(run(seven, &["l", "-slt", &strong], b"").contains("AES-256"));
}

#[test]
fn zips_are_the_right_tenants_or_do_not_leave() {
    for method in [ZipMethod::ZipCrypto, ZipMethod::Aes256] {
        let bytes = zip(method, "kikoku FU2020").unwrap();
        let opened = reopen_zip(&bytes, &Secret::new("kikoku FU2020".into())).unwrap();
        assert_eq!((opened.member.as_str(), opened.tenant_id.as_str()), ("131032-01_account.txt", "131032-01"));
        assert_eq!((opened.tenant_name.as_str(), opened.user_id.as_str()), ("みなと保健所", "minato-hc01"));
        assert_eq!(opened.password.reveal(), "Vr8t-mK2p-xq5N");
        // ZipCrypto lets 1 in 256 wrong passwords past its header; none may give a text.
        let wrong = if method == ZipMethod::ZipCrypto { 1000 } else { 3 };
        for n in 0..wrong {
            assert!(reopen_zip(&bytes, &Secret::new(format!("wrong{n}"))).is_err());
        }
        for unfit in ["", "パスワード", "a\nb"] {
            assert_eq!(zip(method, unfit), Err(ZipError::UnzipPassword), "{unfit:?}");
        }
    }
    let refused = |id: &str, user: &str| {
        let to = Addressee { id: id.into(), ..sample_centre() };
        let (password, key) = (Secret::new("Vr8t".into()), Secret::new("k".into()));
        credential_zip(&to, user, &password, &key, ZipMethod::ZipCrypto, Timestamp::from_unix(0)).err()
    };
    assert_eq!(refused("../../x", "u"), Some(ZipError::TenantId));
    assert_eq!(refused("", "u"), Some(ZipError::TenantId));
    assert_eq!(refused("131032-01", "u\r\nパスワード：x"), Some(ZipError::Account));
    assert_eq!(refused("131032-01", "u"), None);
    assert_eq!(reopen_zip(b"no zip", &Secret::new("k".into())).err(), Some(ZipError::NotOpened));
}
