//! From the configuration to the parts of a daemon. Everything that can be wrong is found here, before anything starts.

use super::control::ControlError;
use super::{Daemon, DaemonError};
use crate::clock::Clock;
use crate::config::{AfterReading, Config, FileError, ImapConfig, ImapLogin, SmtpConfig, TestOverrides, WebTls};
use crate::crypto::{KeyError, MasterKey};
use crate::dispatch::DispatchSettings;
use crate::dispatch::dkim::{DkimError, Signer};
use crate::dispatch::smtp::SmtpSettings;
use crate::domain::Secret;
use crate::engine::{Chance, Engine, EngineError, Post, Setup};
use crate::intake::{AfterFiling, ImapSettings, Login};
use crate::letters::{Desk, TemplateError, TemplateFiles, Templates};
use crate::pki::{Authority, Custody, Keyring, PkiError};
use crate::rules::{RuleError, RuleFiles, Rules};
use crate::scheduler::{Rhythm, RhythmError};
use crate::store::{Options, Store, StoreError};
use crate::web::door::DoorError;
use crate::web::officer::Site;
use crate::web::{Contact, Pages};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// File types of a rules directory.
pub const RULE_EXTENSIONS: &[&str] = &["toml", "csv"];
/// File types of a mail templates directory.
pub const TEMPLATE_EXTENSIONS: &[&str] = &["txt"];
/// Longest pick-up URL, in characters: it must stand on one line and be typeable (research R2).
pub const PICKUP_URL_CHARS_MAX: usize = 72;
/// Characters of `/p/` and a code.
const CODE_PATH_CHARS: usize = 3 + 24;

/// Why a daemon cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// Faults in rules or templates, one per line.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Dkim(#[from] DkimError),
    #[error(transparent)]
    Rhythm(#[from] RhythmError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Door(#[from] DoorError),
}

/// The rules of a directory; `None`: the built-in ones. All faults at once, with the file's path.
pub fn rules(dir: Option<&Path>) -> Result<Rules, AssemblyError> {
    let files = match dir {
        None => RuleFiles::embedded(),
        Some(dir) => {
            let files = crate::config::read_dir_files(dir, RULE_EXTENSIONS)?;
            let strays = strays(dir, &files);
            if !strays.is_empty() {
                return Err(AssemblyError::Faults(strays));
            }
            RuleFiles(files)
        }
    };
    let rules = Rules::parse(&files).map_err(|faults| {
        let place = |file: String| dir.map_or_else(|| file.clone(), |dir| dir.join(&file).display().to_string());
        let named = |fault: RuleError| RuleError { file: place(fault.file.clone()), ..fault }.to_string();
        AssemblyError::Faults(faults.into_iter().map(named).collect())
    })?;
    rules.schedule.poll.parse::<Rhythm>()?;
    let oversight = &rules.schedule.oversight;
    for rhythm in [&oversight.daily_report, &oversight.weekly_report].into_iter().flatten() {
        rhythm.parse::<Rhythm>()?;
    }
    Ok(rules)
}

/// The mail templates below a templates directory (`mail/*.txt`); `None`: the built-in ones.
pub fn templates(dir: Option<&Path>, desk: &Desk) -> Result<Templates, AssemblyError> {
    let mail = dir.map(|dir| dir.join("mail"));
    let files = match &mail {
        None => TemplateFiles::embedded(),
        Some(mail) => TemplateFiles(crate::config::read_dir_files(mail, TEMPLATE_EXTENSIONS)?),
    };
    Templates::parse(&files, desk).map_err(|faults| {
        let place = |fault: TemplateError| match &mail {
            None => fault.to_string(),
            Some(mail) => {
                let name = Path::new(&fault.file).file_name().map_or_else(|| mail.clone(), |name| mail.join(name));
                TemplateError { file: name.display().to_string(), ..fault }.to_string()
            }
        };
        AssemblyError::Faults(faults.into_iter().map(place).collect())
    })
}

/// Who stands behind the letters.
pub fn desk(config: &Config) -> Desk {
    Desk {
        contractor_name: config.mail.contractor_name.clone(),
        contractor: config.mail.contractor.clone(),
        ministry: config.mail.ministry.clone(),
        from: config.mail.from.clone(),
    }
}

/// Rules and templates as configured, with the addresses and secrets letters are made with.
pub fn setup(config: &Config) -> Result<Setup, AssemblyError> {
    let mut faults = Vec::new();
    let mut collect = |fault: AssemblyError| faults.extend(fault.to_string().lines().map(str::to_owned));
    let rules = rules(config.rules_dir.as_deref()).map_err(&mut collect).ok();
    let templates = templates(config.templates_dir.as_deref(), &desk(config)).map_err(&mut collect).ok();
    if config.web.pickup_url.len() + CODE_PATH_CHARS > PICKUP_URL_CHARS_MAX {
        faults.push(format!(
            "{}: web.pickup_url has {} characters; with the code the address must fit into {PICKUP_URL_CHARS_MAX} so that it can be typed, give at most {}",
            config.file.display(),
            config.web.pickup_url.len(),
            PICKUP_URL_CHARS_MAX - CODE_PATH_CHARS,
        ));
    }
    if config.web.gate_url.is_none() && rules.as_ref().is_some_and(|rules| rules.schedule.credentials.by_page) {
        faults.push(format!(
            "{}: rules/schedule.toml shows credentials on the check page (by = \"page\"), and there is none; set \
             web.gate_listen, or send them by mail",
            config.file.display(),
        ));
    }
    let (Some(rules), Some(templates), true) = (rules, templates, faults.is_empty()) else {
        return Err(AssemblyError::Faults(faults));
    };
    let post = Post {
        from: config.mail.from.clone(),
        contractor: config.mail.contractor.clone(),
        ministry: config.mail.ministry.clone(),
        bounce: config.mail.bounce.clone(),
        pickup_url: config.web.pickup_url.clone(),
        gate_url: config.web.gate_url.clone(),
        unzip_password: config.keys.unzip_password()?,
        zip_method: config.keys.zip_method,
    };
    Ok(Setup { rules: Arc::new(rules), templates: Arc::new(templates), post })
}

/// The engine over the configured state directory. Only one process can have it.
pub fn engine(config: &Config, overrides: TestOverrides) -> Result<Engine, AssemblyError> {
    let setup = setup(config)?;
    let keys = MasterKey::load(&config.keys.master_key_path()?)?;
    let store = Arc::new(Store::open(&config.state_dir, Options::default())?);
    let clock = overrides.now.map_or(Clock::System, Clock::Frozen);
    let chance = overrides.seed.map_or(Chance::system(), |seed| Chance::Seeded { seed, drawn: 0 });
    let mut engine = Engine::open(store, setup, keys.clone(), clock, chance)?;
    match second_secret(config) {
        Ok(second) => {
            let keyring = Keyring::new(config.keys.ca_dir.clone(), keys, second, config.ca.leaf.clone());
            engine.follow_keys(keyring, config.pickup)?;
        }
        Err(fault) => engine.keys_unusable(&fault.to_string()),
    }
    Ok(engine)
}

/// The CA of the configured directory; `None`: there is none.
pub fn authority(config: &Config, keys: &MasterKey) -> Result<Option<Authority>, AssemblyError> {
    let second = second_secret(config)?;
    let custody = Custody { master: keys, second: second.as_ref() };
    Ok(crate::pki::dir::load(&config.keys.ca_dir, &custody, config.ca.leaf.clone())?)
}

/// What besides the master key opens the CA's keys.
pub fn second_secret(config: &Config) -> Result<Option<Secret<String>>, AssemblyError> {
    Ok(config.ca.second_secret_file.as_deref().map(Config::read_secret).transpose()?)
}

/// The whole daemon, ready to run.
pub fn daemon(config: &Config, overrides: TestOverrides) -> Result<Daemon, AssemblyError> {
    let imap = imap(&config.imap)?;
    let engine = engine(config, overrides)?;
    if engine.setup().post.unzip_password.reveal() == crate::config::SEED_UNZIP_PASSWORD {
        tracing::warn!(
            "the ZIP password is the one printed in the public document and protects nothing: choose another in \
             keys.unzip_password_file, or show credentials behind the certificate ([credentials] by = \"page\")"
        );
    }
    let per_domain = engine.setup().rules.schedule.per_domain_per_minute;
    let dispatch = dispatch(&config.smtp, &config.mail.from.domain(), per_domain)?;
    let mut daemon = Daemon::start(engine, imap, dispatch)?;
    daemon.listen(&config.state_dir)?;
    Ok(daemon)
}

/// What the pages for officers say about themselves.
pub fn site(config: &Config) -> Site {
    let contact = Contact {
        name: config.mail.contractor_name.clone(),
        address: config.mail.contractor.clone(),
        hours: config.mail.hours.clone(),
    };
    Site { contact, pickup_url: config.web.pickup_url.clone(), gate_url: config.web.gate_url.clone() }
}

/// The listeners of the pages, opened now. `clock`: by which the gate judges certificates.
pub fn pages(config: &Config, clock: Clock) -> Result<Pages, AssemblyError> {
    let mut pages = Pages::open(config.web.pickup_listen, config.web.console_listen, site(config))?;
    if let Some(WebTls { cert, key }) = &config.web.tls {
        let key = crate::config::secret_path(key)?;
        pages.pickup = pages.pickup.with_tls(cert, &key)?;
        if let Some(listen) = config.web.gate_listen {
            pages = pages.with_gate(listen, cert, &key, clock)?;
        }
        if let Some(clients) = &config.web.console_client_ca {
            pages.console = pages.console.with_tls_for(cert, &key, clients)?;
        }
    }
    Ok(pages)
}

pub fn imap(config: &ImapConfig) -> Result<ImapSettings, AssemblyError> {
    let login = match &config.login {
        ImapLogin::PasswordFile(path) => Login::Password(Config::read_secret(path)?),
        ImapLogin::OAuth2TokenFile(path) => Login::XOAuth2TokenFile(crate::config::secret_path(path)?),
    };
    let after = match &config.after {
        AfterReading::Keyword => AfterFiling::Keyword(crate::intake::DEFAULT_KEYWORD.to_owned()),
        AfterReading::Move(folder) => AfterFiling::Move(folder.clone()),
        AfterReading::Nothing => AfterFiling::Nothing,
    };
    Ok(ImapSettings {
        host: config.host.clone(),
        port: config.port,
        tls: config.tls,
        ca_file: config.ca_file.clone(),
        user: config.user.clone(),
        login,
        mailbox: config.mailbox.clone(),
        after,
    })
}

pub fn dispatch(config: &SmtpConfig, from_domain: &str, per_domain: u32) -> Result<DispatchSettings, AssemblyError> {
    let password = config.login.as_ref().map(|login| Config::read_secret(&login.password_file)).transpose()?;
    let signer = match &config.dkim {
        None => None,
        Some(dkim) => {
            let pem = Config::read_secret(&dkim.key_file)?;
            Some(Arc::new(Signer::from_pem(&dkim.selector, from_domain, pem.reveal().as_bytes())?))
        }
    };
    let smtp = SmtpSettings {
        host: config.host.clone(),
        port: config.port,
        tls: config.tls,
        ca_file: config.ca_file.clone(),
        user: config.login.as_ref().map(|login| login.user.clone()),
        password,
        helo_name: from_domain.to_owned(),
    };
    Ok(DispatchSettings {
        smtp,
        connections: config.connections,
        per_minute: config.max_per_minute,
        per_domain_per_minute: per_domain,
        signer,
    })
}

/// Files that look like rules and are none: most likely a name mistyped. A README beside them is no fault.
fn strays(dir: &Path, files: &BTreeMap<String, String>) -> Vec<String> {
    let strange = files.keys().filter(|name| !RuleFiles::NAMES.contains(&name.as_str()));
    let fault = |name: &String| {
        let known = RuleFiles::NAMES.join(", ");
        format!(
            "{}: no rules file has this name; rename it to one of {known}, or move it away",
            dir.join(name).display()
        )
    };
    strange.map(fault).collect()
}
