//! `annai ca`: the certification authority. Keys are made and taken over here, into the CA directory, where they wait;
//! that one of them counts is decided by the daemon, or over the closed store, like every act of staff ([`KeysVerb`]): with
//! the right to do so, a second person where one is needed, a reason, and a line in the journal.

use super::args::{CaArgs, CaVerb};
use super::ask::{Desk, items, labelled, text, when};
use super::{Cli, CliError, clean};
use crate::clock::Clock;
use crate::config::{Config, TestOverrides};
use crate::crypto::MasterKey;
use crate::crypto::sha256;
use crate::daemon::assembly;
use crate::daemon::control::Request;
use crate::domain::{Digest, Secret, Timestamp};
use crate::engine::keys::KeysVerb;
use crate::engine::staff::Verb;
use crate::pki::import::{self, Foreign};
use crate::pki::{Custody, Issuing, PkiError, dir};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Largest certificate or PKCS#12 file taken, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl From<PkiError> for CliError {
    fn from(fault: PkiError) -> Self {
        Self::Failed(fault.to_string())
    }
}

pub(super) fn run(args: &CaArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    match &args.verb {
        None | Some(CaVerb::Show) => Desk::open(cli)?.show(&Request::Authority, human),
        Some(CaVerb::Crl { file, renew }) => {
            let mut desk = Desk::open(cli)?;
            if *renew {
                desk.ask(&Request::RenewLists)?;
            }
            publish(&mut desk, file.as_deref(), "/lists")
        }
        Some(CaVerb::Bundle { file }) => publish(&mut Desk::open(cli)?, Some(file), "/anchors"),
        Some(CaVerb::Init) => init(cli),
        Some(CaVerb::Adopt { ca, reason }) => {
            let mut desk = Desk::open(cli)?;
            let certificate = waiting(&mut desk, ca)?;
            adopt(&mut desk, &cli.load_config()?, ca.clone(), certificate, reason)
        }
        Some(CaVerb::Rotate { root_key, reason }) => {
            add(cli, reason, |config, custody, now| rotated(config, custody, root_key.as_deref(), now))
        }
        Some(CaVerb::Import { cert, key, pkcs12, password_file, reason }) => {
            add(cli, reason, |config, custody, now| {
                let foreign = match (pkcs12, cert, key) {
                    (Some(file), ..) => {
                        let password = password_file.as_deref().map(Config::read_secret).transpose()?;
                        let password = password.unwrap_or_else(|| Secret::new(String::new()));
                        import::from_pkcs12(&bytes(file)?, &password, now)?
                    }
                    (None, Some(cert), Some(key)) => import::from_pem(&bytes(cert)?, &bytes(key)?, now)?,
                    (None, ..) => {
                        return Err(CliError::Usage("give --pkcs12 FILE, or --cert FILE and --key FILE".to_owned()));
                    }
                };
                imported(config, custody, &foreign)
            })
        }
    }
}

/// Makes the first CA: nobody is there yet who could be asked.
fn init(cli: &Cli) -> Result<ExitCode, CliError> {
    let config = cli.load_config()?;
    let (ca_dir, organisation) = (&config.keys.ca_dir, &config.ca.leaf.organisation);
    make_dir(ca_dir)?;
    let id = with_custody(&config, |custody, now| Ok(dir::create(ca_dir, custody, organisation, now)?))?;
    let made = json!({"active": id, "dir": ca_dir, "root_key_is_here": dir::root_key_is_here(ca_dir)});
    if cli.json {
        super::ask::print_json(&made)?;
    } else {
        super::ask::print(&(format!("発行認証局 {id} を作成しました。\n") + &root_key(ca_dir)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a CA into the CA directory; it does nothing there until it is adopted, by two persons where two are needed.
fn add(
    cli: &Cli,
    reason: &str,
    make: impl FnOnce(&Config, &Custody<'_>, Timestamp) -> Result<Added, CliError>,
) -> Result<ExitCode, CliError> {
    let config = cli.load_config()?;
    // Whether it will be heard at all, before keys are made.
    let mut desk = Desk::open(cli)?;
    make_dir(&config.keys.ca_dir)?;
    let added = with_custody(&config, |custody, now| make(&config, custody, now))?;
    let Added { id, certificate } = added;
    let waits = format!("{id} lies in the CA directory and waits: `annai ca adopt {id} --reason …`");
    let adopted = adopt(&mut desk, &config, id, sha256(&certificate), reason);
    adopted.map_err(|fault| match fault {
        CliError::Usage(why) => CliError::Usage(format!("{why}; {waits}")),
        CliError::Failed(why) => CliError::Failed(format!("{why}; {waits}")),
        fault @ (CliError::Faults(_) | CliError::Closed) => fault,
    })
}

struct Added {
    id: String,
    certificate: Vec<u8>,
}

impl Added {
    fn of(issuing: &Issuing) -> Self {
        Self { id: issuing.id.clone(), certificate: issuing.certificate.clone() }
    }
}

fn rotated(config: &Config, custody: &Custody<'_>, root_key: Option<&Path>, now: Timestamp) -> Result<Added, CliError> {
    let (ca_dir, organisation) = (&config.keys.ca_dir, &config.ca.leaf.organisation);
    let beside = ca_dir.join("root.key");
    Ok(Added::of(&dir::rotate(ca_dir, custody, root_key.unwrap_or(&beside), organisation, now)?))
}

fn imported(config: &Config, custody: &Custody<'_>, foreign: &Foreign) -> Result<Added, CliError> {
    dir::take_over(&config.keys.ca_dir, custody, foreign)?;
    Ok(Added::of(&foreign.issuing))
}

fn adopt(
    desk: &mut Desk,
    config: &Config,
    ca: String,
    certificate: Digest,
    reason: &str,
) -> Result<ExitCode, CliError> {
    let done = format!("発行認証局 {ca} を使用します。\n") + &root_key(&config.keys.ca_dir);
    let verb = KeysVerb::Adopt { ca, certificate, reason: reason.to_owned() };
    desk.act(Verb::Keys(verb), |_| done.trim_end().to_owned())
}

/// The digest of a CA that waits, as the daemon has it.
fn waiting(desk: &mut Desk, ca: &str) -> Result<Digest, CliError> {
    let answer = desk.ask(&Request::Authority)?;
    let found = items(&answer, "/waiting").chain(items(&answer, "/issuing")).find(|item| text(item, "/id") == ca);
    let digest = found.and_then(|item| text(item, "/certificate/fingerprint").parse().ok());
    digest.ok_or_else(|| {
        CliError::Usage(format!("there is no CA {} in the CA directory; see `annai ca show`", clean(ca)))
    })
}

/// Does something with the keys of the CA directory at hand.
fn with_custody<T>(
    config: &Config,
    work: impl FnOnce(&Custody<'_>, Timestamp) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let now = TestOverrides::from_env(config)?.now.unwrap_or_else(|| Clock::System.now());
    let master = MasterKey::load(&config.keys.master_key_path()?).map_err(|e| CliError::Usage(e.to_string()))?;
    let second = assembly::second_secret(config)?;
    work(&Custody { master: &master, second: second.as_ref() }, now)
}

/// What is to be done with the root's key, if it lies here.
fn root_key(ca_dir: &Path) -> String {
    if !dir::root_key_is_here(ca_dir) {
        return String::new();
    }
    let ca_dir_name = clean(&ca_dir.display().to_string());
    format!(
        "{ca_dir_name}/root.key（ルートの鍵）は、別の媒体に移して保管し、このサーバーから消してください。\n\
         Move root.key to an offline medium: it is needed for `annai ca rotate` only.\n"
    )
}

fn make_dir(dir: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|e| CliError::Failed(format!("{} cannot be made ({e}); check keys.ca_dir", dir.display())))
}

fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let cannot =
        |e: std::io::Error| CliError::Failed(format!("{} cannot be read ({e}); check the path", path.display()));
    if std::fs::metadata(path).map_err(cannot)?.len() > FILE_BYTES_MAX {
        return Err(CliError::Failed(format!("{} is larger than 1 MiB; give a certificate file", path.display())));
    }
    std::fs::read(path).map_err(cannot)
}

/// Writes PEM for a TLS server (nginx: `ssl_crl`, `ssl_client_certificate`) to a file, by renaming, or to the terminal.
fn publish(desk: &mut Desk, file: Option<&Path>, pointer: &str) -> Result<ExitCode, CliError> {
    let answer = desk.ask(&Request::Authority)?;
    let pem: String = items(&answer, pointer).filter_map(Value::as_str).collect();
    if pem.is_empty() {
        return Err(CliError::Failed("there is no CA yet; make one with `annai ca init`".to_owned()));
    }
    let Some(file) = file else {
        super::ask::print(&pem)?;
        return Ok(ExitCode::SUCCESS);
    };
    let cannot =
        |e: std::io::Error| CliError::Failed(format!("{} cannot be written ({e}); check the path", file.display()));
    let beside = file.with_extension("new");
    let mut out = std::fs::File::create(&beside).map_err(cannot)?;
    out.write_all(pem.as_bytes()).and_then(|()| out.sync_all()).map_err(cannot)?;
    std::fs::rename(&beside, file).map_err(cannot)?;
    let report = json!({"file": file, "count": pem.matches("-----BEGIN").count()});
    desk.print(&report, |report| format!("{} に書き出しました。\n", text(report, "/file")))
}

fn human(answer: &Value) -> String {
    let mut out = String::new();
    let fault = text(answer, "/fault");
    if !fault.is_empty() {
        let _ = writeln!(out, "現在、証明書は発行されません：{fault}");
    }
    if answer.pointer("/root").is_some_and(|root| !root.is_null()) {
        let _ = writeln!(out, "ルート\n{}", described(answer, "/root"));
    }
    for ca in items(answer, "/issuing") {
        let active = ca.get("active").and_then(Value::as_bool) == Some(true);
        let _ = writeln!(out, "発行認証局 {}{}", text(ca, "/id"), if active { "（使用中）" } else { "" });
        out += &described(ca, "/certificate");
        out += &labelled([
            ("失効リスト", format!("第{}号、{}件", text(ca, "/list/number"), text(ca, "/list/revoked"))),
            ("発行", when(ca, "/list/this_update")),
            ("次回期限", when(ca, "/list/next_update")),
        ]);
        out.push('\n');
    }
    for ca in items(answer, "/waiting") {
        let _ = writeln!(out, "使用開始待ち {}（annai ca adopt {} --reason …）", text(ca, "/id"), text(ca, "/id"));
        out += &described(ca, "/certificate");
    }
    out
}

fn described(value: &Value, pointer: &str) -> String {
    let at = |name: &str| format!("{pointer}/{name}");
    let date =
        |name: &str| text(value, &at(name)).parse::<Timestamp>().map_or_else(|_| String::new(), |t| t.date().staff());
    labelled([
        ("名称", text(value, &at("subject"))),
        ("有効期間", format!("{} ～ {}", date("not_before"), date("not_after"))),
        ("SHA-256", text(value, &at("fingerprint"))),
    ])
}
