//! From the text of `annai.toml` to [`Config`]: names, defaults and limits of every setting.

use super::reader::{Section, Source};
use super::{
    AfterReading, Config, ConfigError, DkimConfig, ImapConfig, ImapLogin, KeysConfig, LogConfig, LogFormat, MailConfig,
    SmtpConfig, SmtpLogin, TestConfig, WebConfig, WebTls,
};
use crate::domain::MailAddress;
use crate::letters::ZipMethod;
use crate::tls::Tls;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Every setting by section; "" is the top of the file. What is not here is a fault.
pub(super) const SETTINGS: &[(&str, &[&str])] = &[
    ("", &["state_dir", "rules_dir", "templates_dir"]),
    ("imap", &["host", "port", "tls", "ca_file", "user", "password_file", "oauth2_token_file", "mailbox", "after"]),
    (
        "smtp",
        &[
            "host",
            "port",
            "tls",
            "ca_file",
            "user",
            "password_file",
            "max_per_minute",
            "connections",
            "dkim_key_file",
            "dkim_selector",
        ],
    ),
    ("mail", &["from", "contractor", "contractor_name", "ministry", "bounce", "hours"]),
    (
        "web",
        &[
            "pickup_listen",
            "pickup_url",
            "console_listen",
            "console_client_ca",
            "gate_listen",
            "gate_url",
            "tls_cert",
            "tls_key",
        ],
    ),
    ("keys", &["master_key_file", "ca_dir", "unzip_password_file", "zip_method"]),
    ("ca", &["organisation", "key", "days", "crl_url", "aia_url", "second_secret_file"]),
    ("pickup", &["keep_minutes", "profile"]),
    ("test", &["enabled"]),
    ("log", &["format", "level"]),
];

/// Longest configuration taken, in octets.
const CONFIG_OCTETS_MAX: usize = 1024 * 1024;
/// Longest local part of `mail.bounce`: a tag of up to 31 octets is added to it, and 64 are allowed in all.
const BOUNCE_LOCAL_MAX: usize = 32;
/// Longest pick-up address: with the code added it must stay on one line of a mail.
const PICKUP_URL_MAX: usize = 120;
const CONNECTIONS_MAX: u32 = 16;
const PER_MINUTE_MAX: u32 = 100_000;
const CONTRACTOR_NAME: &str = "株式会社ビッグツリーテクノロジー＆コンサルティング";
const TLS_WORDS: &[(&str, Tls)] = &[("implicit", Tls::Implicit), ("starttls", Tls::StartTls), ("none", Tls::None)];

pub(super) fn load(path: &Path) -> Result<Config, Vec<ConfigError>> {
    let whole = |fault: String, remedy: &str| {
        vec![ConfigError { file: path.to_owned(), line: None, fault, remedy: remedy.to_owned() }]
    };
    let bytes = std::fs::read(path).map_err(|e| {
        whole(
            format!("the configuration cannot be read ({e})"),
            "give its path with --config, or make one: annai init DIR",
        )
    })?;
    if bytes.len() > CONFIG_OCTETS_MAX {
        return Err(whole("the file is longer than 1 MiB".to_owned(), "give the configuration file"));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| whole("the file is not UTF-8 text".to_owned(), "save it as UTF-8"))?;
    parse(path, &text)
}

/// The whole text; all faults at once.
fn parse(file: &Path, text: &str) -> Result<Config, Vec<ConfigError>> {
    let mut source = Source { file, text, faults: Vec::new() };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let fault = error.message().replace('\n', ", ");
        source.fault(error.span().map(|s| s.start), fault, "mend the line (https://toml.io)");
    }
    if !errors.is_empty() {
        return Err(source.faults);
    }
    let config = build(&mut source, root.get_ref());
    source.faults.sort_by_key(|f| f.line.unwrap_or_default());
    match config {
        Some(config) if source.faults.is_empty() => Ok(config),
        Some(_) | None => Err(source.faults),
    }
}

fn build(source: &mut Source<'_>, root: &DeTable<'_>) -> Option<Config> {
    let mut top = Section::root(source, root);
    let known: Vec<&str> = SETTINGS
        .iter()
        .flat_map(|(name, keys)| if name.is_empty() { *keys } else { std::slice::from_ref(name) })
        .copied()
        .collect();
    top.unknown_keys(&known, elsewhere);
    let state_dir = top.path("state_dir");
    let (rules_dir, templates_dir) = (top.path("rules_dir"), top.path("templates_dir"));
    for (name, keys) in SETTINGS.iter().filter(|(name, _)| !name.is_empty()) {
        Section::open(source, root, name).unknown_keys(keys, elsewhere);
    }
    let file = source.file.to_owned();
    let here = |name: &str| file.parent().map_or_else(|| PathBuf::from(name), |dir| dir.join(name));
    let test = TestConfig { enabled: Section::open(source, root, "test").boolean("enabled").unwrap_or(false) };
    let imap = imap(&mut Section::open(source, root, "imap"));
    let smtp = smtp(&mut Section::open(source, root, "smtp"));
    let mail = mail(&mut Section::open(source, root, "mail"));
    let web = web(&mut Section::open(source, root, "web"), test.enabled);
    let keys = keys(&mut Section::open(source, root, "keys"), here);
    let base = web.as_ref().map(|web| web.pickup_url.as_str());
    let ca = super::ca::ca(&mut Section::open(source, root, "ca"), base);
    let pickup = super::ca::pickup(&mut Section::open(source, root, "pickup"));
    let log = log(&mut Section::open(source, root, "log"));
    Some(Config {
        state_dir: state_dir.unwrap_or_else(|| here("state")),
        file: file.clone(),
        rules_dir,
        templates_dir,
        imap: imap?,
        smtp: smtp?,
        mail: mail?,
        web: web?,
        keys,
        ca,
        pickup,
        test,
        log,
    })
}

/// The section in which a misplaced name is known.
fn elsewhere(name: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(_, keys)| keys.contains(&name)).map(|(section, _)| match *section {
        "" => "at the top of the file, before the first [section]",
        "imap" => "in [imap]",
        "smtp" => "in [smtp]",
        "mail" => "in [mail]",
        "web" => "in [web]",
        "keys" => "in [keys]",
        "ca" => "in [ca]",
        "pickup" => "in [pickup]",
        "test" => "in [test]",
        _ => "in [log]",
    })
}

fn imap(s: &mut Section<'_, '_, '_>) -> Option<ImapConfig> {
    if !s.must_exist("host, user and password_file") {
        return None;
    }
    let host = host(s, "imap.example.jp");
    let tls = tls(s, Tls::Implicit, host.as_deref());
    let port = port(s, if tls == Tls::Implicit { 993 } else { 143 });
    let ca_file = s.path("ca_file");
    let user = s.required("user", "covid19@example.jp");
    let login = match (s.path("password_file"), s.path("oauth2_token_file")) {
        (Some(path), None) => Some(ImapLogin::PasswordFile(path)),
        (None, Some(path)) => Some(ImapLogin::OAuth2TokenFile(path)),
        (Some(_), Some(_)) => {
            s.fault("oauth2_token_file", "and password_file are both given", "keep one of them");
            None
        }
        (None, None) => {
            if !s.has("password_file") && !s.has("oauth2_token_file") {
                s.fault(
                    "password_file",
                    "is missing",
                    "add password_file = \"secrets/imap-password\" or oauth2_token_file",
                );
            }
            None
        }
    };
    let mailbox = s.string("mailbox").unwrap_or_else(|| "INBOX".to_owned());
    let after = after(s, &mailbox);
    Some(ImapConfig { host: host?, port, tls, ca_file, user: user?, login: login?, mailbox, after })
}

fn after(s: &mut Section<'_, '_, '_>, mailbox: &str) -> AfterReading {
    let text = s.string("after");
    match text.as_deref().map(|t| (t, t.strip_prefix("move:").map(str::trim))) {
        None | Some(("keyword", _)) => AfterReading::Keyword,
        Some(("nothing", _)) => AfterReading::Nothing,
        Some((_, Some(folder))) if !folder.is_empty() && folder != mailbox => AfterReading::Move(folder.to_owned()),
        Some((_, Some(_))) => {
            s.fault("after", "moves mail to no other folder", "name one: after = \"move:Processed\"");
            AfterReading::Keyword
        }
        Some((_, None)) => {
            s.fault("after", "is none of the words known here", "give \"keyword\", \"move:FOLDER\" or \"nothing\"");
            AfterReading::Keyword
        }
    }
}

fn smtp(s: &mut Section<'_, '_, '_>) -> Option<SmtpConfig> {
    if !s.must_exist("host") {
        return None;
    }
    let host = host(s, "smtp.example.jp");
    let tls = tls(s, Tls::StartTls, host.as_deref());
    let usual = match tls {
        Tls::Implicit => 465,
        Tls::StartTls => 587,
        Tls::None => 25,
    };
    let port = port(s, usual);
    let ca_file = s.path("ca_file");
    both(s, "user", "password_file");
    let (user, password) = (s.string("user"), s.path("password_file"));
    both(s, "dkim_key_file", "dkim_selector");
    let (key, selector) = (s.path("dkim_key_file"), s.string("dkim_selector"));
    let label = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if selector.as_ref().is_some_and(|t| t.len() > 63 || !t.chars().all(label)) {
        s.fault("dkim_selector", "is no DNS label", "give the name you published, like annai2020");
    }
    let max_per_minute = s.number("max_per_minute", 0..=PER_MINUTE_MAX).unwrap_or(0);
    let connections = s.number("connections", 1..=CONNECTIONS_MAX).unwrap_or(2);
    Some(SmtpConfig {
        host: host?,
        port,
        tls,
        ca_file,
        login: user.zip(password).map(|(user, password_file)| SmtpLogin { user, password_file }),
        max_per_minute,
        connections,
        dkim: key.zip(selector).map(|(key_file, selector)| DkimConfig { key_file, selector }),
    })
}

fn mail(s: &mut Section<'_, '_, '_>) -> Option<MailConfig> {
    if !s.must_exist("from, contractor, ministry and bounce") {
        return None;
    }
    let from = address(s, "from", "noreply@followup.mhlw.go.jp");
    let contractor = address(s, "contractor", "covid19@bigtreetc.com");
    let contractor_name = s.string("contractor_name").unwrap_or_else(|| CONTRACTOR_NAME.to_owned());
    let ministry = address(s, "ministry", "follow-up@mhlw.go.jp");
    let bounce = address(s, "bounce", "bounce@followup.mhlw.go.jp");
    if bounce.as_ref().is_some_and(|b| b.local().len() > BOUNCE_LOCAL_MAX) {
        s.fault("bounce", "is too long before the @ to carry a tag", "give at most 32 characters there");
    }
    let hours = s.string("hours");
    Some(MailConfig {
        from: from?,
        contractor: contractor?,
        contractor_name,
        ministry: ministry?,
        bounce: bounce?,
        hours,
    })
}

fn web(s: &mut Section<'_, '_, '_>, test: bool) -> Option<WebConfig> {
    if !s.must_exist("pickup_url") {
        return None;
    }
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let pickup_listen = s.parsed("pickup_listen", "127.0.0.1:8080").unwrap_or_else(|| local(8080));
    let console_listen = s.parsed("console_listen", "127.0.0.1:8081").unwrap_or_else(|| local(8081));
    let gate_listen: Option<SocketAddr> = s.parsed("gate_listen", "0.0.0.0:8443");
    if console_listen == pickup_listen && pickup_listen.port() != 0 {
        s.fault("console_listen", "is the same as pickup_listen", "give another port");
    }
    if gate_listen.is_some_and(|g| g.port() != 0 && (g == pickup_listen || g == console_listen)) {
        s.fault("gate_listen", "is taken by another page", "give another port");
    }
    let pickup_url = s.required("pickup_url", "https://pickup.example.jp").map(|u| u.trim_end_matches('/').to_owned());
    if let Some((what, remedy)) = pickup_url.as_deref().and_then(|url| url_fault(url, test)) {
        s.fault("pickup_url", what, remedy);
    }
    both(s, "tls_cert", "tls_key");
    let tls = s.path("tls_cert").zip(s.path("tls_key")).map(|(cert, key)| WebTls { cert, key });
    if s.has("gate_listen") && !s.has("tls_cert") && !s.has("tls_key") {
        s.fault(
            "gate_listen",
            "needs TLS of its own to see client certificates",
            "give tls_cert and tls_key, or remove it",
        );
    }
    let gate_url = s.string("gate_url").map(|u| u.trim_end_matches('/').to_owned());
    if let Some((what, remedy)) = gate_url.as_deref().and_then(|url| url_fault(url, test)) {
        s.fault("gate_url", what, remedy);
    }
    let gate_url = gate_url.or_else(|| beside(pickup_url.as_deref()?, gate_listen?.port()));
    let console_client_ca = s.path("console_client_ca");
    if console_client_ca.is_some() && tls.is_none() {
        s.fault("console_client_ca", "needs TLS", "give tls_cert and tls_key too");
    }
    let pickup_url = pickup_url?;
    Some(WebConfig { pickup_listen, pickup_url, console_listen, gate_listen, gate_url, tls, console_client_ca })
}

/// The same host by TLS at another port.
fn beside(url: &str, port: u16) -> Option<String> {
    let host = url.split_once("://")?.1.split('/').next()?;
    let host = host.rsplit_once(':').filter(|(_, p)| p.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
    Some(if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") })
}

fn keys(s: &mut Section<'_, '_, '_>, here: impl Fn(&str) -> PathBuf) -> KeysConfig {
    let words = [("zipcrypto", ZipMethod::ZipCrypto), ("aes256", ZipMethod::Aes256)];
    KeysConfig {
        master_key_file: s.path("master_key_file").unwrap_or_else(|| here("secrets/master.key")),
        ca_dir: s.path("ca_dir").unwrap_or_else(|| here("ca")),
        unzip_password_file: s.path("unzip_password_file"),
        zip_method: s.choice("zip_method", &words).unwrap_or(ZipMethod::ZipCrypto),
    }
}

fn log(s: &mut Section<'_, '_, '_>) -> LogConfig {
    let usual = LogConfig::default();
    let format = s.choice("format", &[("human", LogFormat::Human), ("json", LogFormat::Json)]).unwrap_or(usual.format);
    let level = s.string("level").unwrap_or(usual.level);
    if let Err(why) = crate::telemetry::check_filter(&level) {
        s.fault("level", &format!("cannot be used ({why})"), "give error, warn, info, debug or trace");
    }
    LogConfig { format, level }
}

fn address(s: &mut Section<'_, '_, '_>, key: &'static str, example: &str) -> Option<MailAddress> {
    s.required(key, example)?;
    s.parsed(key, example)
}

fn port(s: &mut Section<'_, '_, '_>, usual: u16) -> u16 {
    s.number("port", 1..=u32::from(u16::MAX)).and_then(|n| u16::try_from(n).ok()).unwrap_or(usual)
}

/// A host name or IP address, nothing around it.
fn host(s: &mut Section<'_, '_, '_>, example: &str) -> Option<String> {
    let host = s.required("host", example)?;
    let name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.parse::<IpAddr>().is_err() && (!host.chars().all(name) || host.len() > 253) {
        s.fault(
            "host",
            "is no host name",
            format!("give the bare name, like \"{example}\"; the port has its own setting"),
        );
        return None;
    }
    Some(host)
}

fn tls(s: &mut Section<'_, '_, '_>, usual: Tls, host: Option<&str>) -> Tls {
    let tls = s.choice("tls", TLS_WORDS).unwrap_or(usual);
    if tls == Tls::None && host.is_some_and(|h| !is_loopback(h)) {
        s.fault("tls", "is \"none\", which is accepted for this machine only", "give \"implicit\" or \"starttls\"");
    }
    tls
}

/// Names this machine itself.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Two settings that make sense only together.
fn both(s: &mut Section<'_, '_, '_>, a: &'static str, b: &'static str) {
    for (given, absent) in [(a, b), (b, a)] {
        if s.has(given) && !s.has(absent) {
            s.fault(given, &format!("is given without {absent}"), format!("add {absent}, or remove {given}"));
        }
    }
}

/// What is wrong with a public address, and the remedy.
fn url_fault(url: &str, test: bool) -> Option<(&'static str, &'static str)> {
    let plain = url.strip_prefix("http://");
    let rest = plain.or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~/:[]".contains(c);
    if host.is_empty() || !rest.chars().all(allowed) {
        return Some(("is no address of a page", "write it like \"https://pickup.example.jp\""));
    }
    if plain.is_some() && !test && !is_loopback(host) {
        return Some(("is not protected", "begin it with https://"));
    }
    (url.len() > PICKUP_URL_MAX).then_some(("is too long for one line of a mail", "give at most 120 characters"))
}
