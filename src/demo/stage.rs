//! What the demo runs on: a throw-away directory, a post office on loopback, and the real daemon between them, put
//! together from a configuration file like any other. Only the clock, the seed and the rhythm of polling differ.

use super::story::{Mood, Story};
use super::{DemoError, Options, people};
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::MasterKey;
use crate::daemon::{Daemon, assembly};
use crate::domain::{MailAddress, Timestamp, time::DAY};
use crate::engine::{Chance, Engine, EngineError, Setup};
use crate::pki::throwaway::throwaway;
use crate::pki::{Authority, KeyKind, LeafSettings};
use crate::sandbox::{
    self, Answer, AnswerRule, BounceStyle, Faults, Pattern, PostOffice, SmtpFault, SmtpRule, SmtpStage, When,
};
use crate::store::{self, Store};
use crate::web::door::Door;
use crate::web::officer::Site;
use crate::web::wicket::Wicket;
use crate::web::{Link, Pages};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Ports tried, one after the other, before any free one is taken.
const PORTS_TRIED: u16 = 60;
/// Directories tried before giving up.
const DIRS_TRIED: u32 = 100;
/// The post office is not to be waited for: a tenth of a day until an answer comes back.
const ANSWERS_PER_DAY: f64 = 10.0;
/// With a fast clock the mailbox is not polled every five minutes; it calls by itself (IDLE).
const POLL: &str = "0 0 */6 * * *";
const PASSWORD: &str = "demo";
/// Days a certificate of the demo is good; the CA ends ten years after the story.
const CERTIFICATE_DAYS: u32 = 3600;

/// The directory; removed when dropped, unless it is to be kept.
#[derive(Debug)]
pub(super) struct Dir {
    pub(super) path: PathBuf,
    keep: bool,
}

impl Drop for Dir {
    fn drop(&mut self) {
        if !self.keep
            && let Err(fault) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(error = %fault, "the demo's directory could not be removed");
        }
    }
}

/// Everything that runs. Dropped from top to bottom.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) daemon: Daemon,
    pub(super) office: Arc<PostOffice>,
    pub(super) clock: Clock,
    pub(super) contact: MailAddress,
    pub(super) ministry: MailAddress,
    pub(super) viewer: Door,
    pub(super) pickup: SocketAddr,
    pub(super) console: SocketAddr,
    pub(super) gate: SocketAddr,
    /// Who vouches for the check page's own certificate, PEM.
    pub(super) gate_ca: String,
    pub(super) dir: Dir,
}

pub(super) async fn build(options: &Options, story: &Story) -> Result<Stage, DemoError> {
    let dir = open_dir(options.keep.as_deref())?;
    let mut ports = options.port..options.port.saturating_add(PORTS_TRIED);
    // Its password is shown on its login page: this machine only.
    let console = door(IpAddr::V4(Ipv4Addr::LOCALHOST), &mut ports)?;
    let viewer = door(options.listen, &mut ports)?;
    let pickup = door(options.listen, &mut ports)?;
    let gate = door(options.listen, &mut ports)?;
    let running = Arc::new(OnceLock::new());
    let office = open_office(story.start, Arc::clone(&running)).await?;
    office.set_faults(faults(story, options.seconds_per_day));
    let config = configure(&dir.path, &office, pickup.address(), console.address())?;
    let (contact, ministry) = (config.mail.contractor.clone(), config.mail.ministry.clone());
    let site = Site { gate_url: Some(format!("https://{}", gate.address())), ..assembly::site(&config) };
    let links = vec![
        Link { ja: "自治体の受信箱", en: "Mailboxes", href: format!("http://{}/mailboxes", viewer.address()) },
        Link { ja: "物語の進行", en: "The story", href: format!("http://{}/", viewer.address()) },
        Link { ja: "証明書取得ページ", en: "Pick-up page", href: format!("http://{}/", pickup.address()) },
    ];
    let samples = people::samples();
    let setup = open_setup(&config)?;
    let per_domain = setup.rules.schedule.per_domain_per_minute;
    // The story's time begins when everything slow is done.
    let clock = running.get_or_init(|| Clock::scaled(story.start, factor(options.seconds_per_day))).clone();
    let engine = open_engine(&config, setup, clock.clone(), options.seed)?;
    let (wicket, gate_ca) = wicket(options.listen, clock.clone())?;
    let wicket = Arc::new(wicket);
    let gate = (gate.with_wicket(Arc::clone(&wicket)), wicket);
    let addresses = (pickup.address(), console.address(), gate.0.address());
    let pages = Pages { site, pickup, console, gate: Some(gate), links, samples };
    let (pickup, console, gate) = addresses;
    let dispatch = assembly::dispatch(&config.smtp, &config.mail.from.domain(), per_domain)?;
    let daemon = Daemon::start(engine, assembly::imap(&config.imap)?, dispatch)?.with_pages(pages);
    let office = Arc::new(office);
    Ok(Stage { daemon, office, clock, contact, ministry, viewer, pickup, console, gate, gate_ca, dir })
}

/// The check page's own certificate, made for this run: browsers ask before they go on to it.
fn wicket(listen: IpAddr, clock: Clock) -> Result<(Wicket, String), DemoError> {
    let now = Clock::System.now();
    let names = ["localhost", &listen.to_string()];
    let made = throwaway(&names, now.plus(-DAY), now.plus(30 * DAY)).map_err(io::Error::other)?;
    Ok((Wicket::with_key(made.chain, made.key, clock).map_err(io::Error::other)?, made.ca_pem))
}

fn factor(seconds_per_day: f64) -> u32 {
    let seconds = i32::try_from(DAY).map_or(86_400.0, f64::from);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and any speed will do"
    )]
    let factor = (seconds / seconds_per_day) as u32;
    factor.max(1)
}

/// The first port of the row that is free; if none is, any.
fn door(listen: IpAddr, ports: &mut impl Iterator<Item = u16>) -> Result<Door, DemoError> {
    for port in ports {
        match Door::open(SocketAddr::new(listen, port), "--port") {
            Ok(door) => return Ok(door),
            Err(fault) => tracing::debug!(error = %fault, "this port is taken"),
        }
    }
    Ok(Door::open(SocketAddr::new(listen, 0), "--listen")?)
}

/// Until the clock runs it is `start`.
async fn open_office(start: Timestamp, running: Arc<OnceLock<Clock>>) -> Result<PostOffice, DemoError> {
    let now = move || running.get().map_or(start, Clock::now);
    Ok(PostOffice::start(sandbox::Options::new(PASSWORD, Arc::new(now))).await?)
}

fn faults(story: &Story, seconds_per_day: f64) -> Faults {
    let after = Duration::from_secs_f64(seconds_per_day / ANSWERS_PER_DAY);
    let mut faults = Faults::default();
    for behaviour in &story.mailbox {
        let recipient = Pattern::new(behaviour.address.as_str());
        let reply = |when, text: &str| SmtpRule {
            at: SmtpStage::Rcpt,
            recipient: Some(recipient.clone()),
            when,
            act: SmtpFault::Reply(text.to_owned()),
        };
        let answer = |when, answer| AnswerRule { recipient: recipient.clone(), when, after, answer };
        match behaviour.kind {
            Mood::Bounce => faults.answers.push(answer(
                When::Always,
                Answer::Bounce {
                    style: BounceStyle::Report,
                    status: "5.1.1".to_owned(),
                    diagnostic: "550 5.1.1 User unknown".to_owned(),
                },
            )),
            Mood::OutOfOffice => faults.answers.push(answer(
                When::FirstEach(1),
                Answer::OutOfOffice {
                    text: "担当者は5月6日まで不在です。お急ぎの場合は代表電話へお願いします。".to_owned(),
                },
            )),
            Mood::Refused => faults.smtp.push(reply(When::Always, "550 5.1.1 User unknown")),
            Mood::Busy => {
                let when = When::FirstEach(behaviour.times.unwrap_or(1));
                faults.smtp.push(reply(when, "451 4.7.1 Greylisted, try again later"));
            }
        }
    }
    faults
}

/// Writes what `annai init` would, with the post office's ports, and reads it as `serve` does.
fn configure(dir: &Path, office: &PostOffice, pickup: SocketAddr, console: SocketAddr) -> Result<Config, DemoError> {
    DirBuilder::new().mode(0o700).create(dir.join("secrets"))?;
    MasterKey::generate_file(&dir.join("secrets/master.key"))?;
    write(&dir.join("secrets/imap-password"), PASSWORD)?;
    write(&dir.join("ca.pem"), office.ca_pem())?;
    let text = format!(
        "# Written by annai demo; servers and ports are gone when it has ended.\n\
         state_dir = \"state\"\n\n\
         [imap]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"starttls\"\nca_file = \"ca.pem\"\nuser = \"covid19@bigtreetc.com\"\n\
         password_file = \"secrets/imap-password\"\n\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"starttls\"\nca_file = \"ca.pem\"\n\n\
         [mail]\nfrom = \"noreply@followup.mhlw.go.jp\"\ncontractor = \"covid19@bigtreetc.com\"\n\
         ministry = \"follow-up@mhlw.go.jp\"\nbounce = \"covid19@bigtreetc.com\"\nhours = \"平日 9時30分～17時30分\"\n\n\
         [web]\npickup_listen = \"{pickup}\"\npickup_url = \"http://{pickup}\"\nconsole_listen = \"{console}\"\n",
        office.imap_addr().port(),
        office.smtp_addr().port(),
    );
    let file = dir.join("annai.toml");
    write(&file, &text)?;
    Config::load(&file).map_err(|faults| DemoError::Faults(faults.iter().map(ToString::to_string).collect()))
}

fn open_setup(config: &Config) -> Result<Setup, DemoError> {
    let mut setup = assembly::setup(config)?;
    POLL.clone_into(&mut Arc::make_mut(&mut setup.rules).schedule.poll);
    Ok(setup)
}

fn open_engine(config: &Config, setup: Setup, clock: Clock, seed: u64) -> Result<Engine, DemoError> {
    let keys = MasterKey::load(&config.keys.master_key_path()?)?;
    let store = Arc::new(Store::open(&config.state_dir, store::Options::default())?);
    let now = clock.now();
    let mut engine = Engine::open(store, setup, keys, clock, Chance::Seeded { seed, drawn: 0 })?;
    // A CA for as long as the demo runs; P-256, because the story hands out hundreds of certificates.
    // They are good from the days of the story until after today, so that a browser of today offers them.
    let leaf = LeafSettings { key: KeyKind::P256, days: CERTIFICATE_DAYS, ..config.ca.leaf.clone() };
    engine.entrust(Authority::throwaway(leaf, now).map_err(EngineError::from)?, config.pickup)?;
    super::people::hire(&mut engine)?;
    Ok(engine)
}

fn open_dir(keep: Option<&Path>) -> Result<Dir, DemoError> {
    if let Some(path) = keep {
        let path = std::path::absolute(path)?;
        if path.join("annai.toml").exists() || path.join("state").exists() {
            return Err(DemoError::Taken(path));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        return Ok(Dir { path, keep: true });
    }
    let id = std::process::id();
    for no in 0..DIRS_TRIED {
        let path = std::env::temp_dir().join(format!("annai-demo-{id}-{no}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(Dir { path, keep: false }),
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists).into())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}
