//! A list of user ids and passwords made elsewhere, imported once (`annai tenant import-credentials FILE`): CSV with the
//! columns `tenant,user_id,password`. It is a secret, so it never lies in `rules/` and no fault quotes a cell of it.

use super::RuleError;
use super::csv_file::CsvFile;
use crate::domain::{Secret, TenantId};
use std::collections::BTreeSet;

/// Longest user id and password, in characters.
const CHARS_MAX: usize = 64;
/// Shortest password taken.
const PASSWORD_CHARS_MIN: usize = 8;
/// Most lines of one list.
const ACCOUNTS_MAX: usize = 10_000;

/// One line.
#[derive(Debug)]
pub struct Account {
    pub tenant: TenantId,
    pub user_id: String,
    pub password: Secret<String>,
}

/// Reads the whole list; `Err`: all its faults.
pub fn parse(file: &str, text: &str) -> Result<Vec<Account>, Vec<RuleError>> {
    let mut csv = CsvFile::open(file, text, &["tenant", "user_id", "password"], &[]);
    let (mut tenants, mut users, mut accounts) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for row in std::mem::take(&mut csv.rows) {
        let Ok(tenant) = row.cell(0).parse::<TenantId>() else {
            csv.fault(row.at, "the tenant is no number of one", "give it like 131032-01");
            continue;
        };
        let (user_id, password) = (row.cell(1), row.cell(2));
        let plain = |text: &str| text.len() <= CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        if user_id.is_empty() || !plain(user_id) {
            csv.fault(row.at, "the user id is empty, too long or not plain ASCII", "give 1 to 64 ASCII characters");
        } else if password.len() < PASSWORD_CHARS_MIN || !plain(password) {
            csv.fault(
                row.at,
                "the password is too short, too long or not plain ASCII",
                "give 8 to 64 ASCII characters",
            );
        } else if !tenants.insert(tenant) {
            csv.fault(row.at, format!("{tenant} stands twice"), "give each tenant one line");
        } else if !users.insert(user_id.to_ascii_lowercase()) {
            csv.fault(row.at, "this user id stands twice", "give each tenant a user id of its own");
        } else if accounts.len() >= ACCOUNTS_MAX {
            csv.fault(row.at, "more than 10,000 lines", "import the rest by a second file");
            break;
        } else {
            let password = Secret::new(password.to_owned());
            accounts.push(Account { tenant, user_id: user_id.to_owned(), password });
        }
    }
    if csv.is_sound() { Ok(accounts) } else { Err(csv.close()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(usize, &str)]) {
        let faults = parse("accounts.csv", text).map(|accounts| accounts.len()).unwrap_err();
        let found: Vec<_> = faults.iter().map(|fault| (fault.line, fault.fault.as_str())).collect();
        assert_eq!(found, expected, "{text}");
        assert!(!faults.iter().any(|fault| fault.to_string().contains("geheim")), "no fault quotes a secret");
    }

    #[test]
    fn lists() {
        let good = "tenant,user_id,password,note\n131032-00,minato,geheim-0001,\n# x\n131032-01,mita,geheim-0002,y\n";
        let accounts = parse("accounts.csv", good).unwrap();
        assert_eq!(accounts.len(), 2);
        assert_eq!((accounts[1].user_id.as_str(), accounts[1].password.reveal().as_str()), ("mita", "geheim-0002"));
        check("tenant,user\n131032-00,x\n", &[(1, "there is no column user_id"), (1, "there is no column password")]);
        let bad = "tenant,user_id,password\n13103,a,geheim-0001\n131032-00,a,geheim\n131032-01,ｂ,geheim-0001\n\
                   131032-02,c,geheim-0001\n131032-02,d,geheim-0001\n131032-03,C,geheim-0001\n";
        check(
            bad,
            &[
                (2, "the tenant is no number of one"),
                (3, "the password is too short, too long or not plain ASCII"),
                (4, "the user id is empty, too long or not plain ASCII"),
                (6, "131032-02 stands twice"),
                (7, "this user id stands twice"),
            ],
        );
    }
}
