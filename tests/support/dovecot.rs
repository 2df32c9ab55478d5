//! A private Dovecot on free loopback ports in a scratch directory, gone with the value. Never touches the Dovecot of the
//! system. Runs as root (mail is then owned by `nobody`) or as an ordinary user.
//!
//! User [`USER`], password [`PASSWORD`] (with the characters that go wrong), TLS by a CA of its own ([`Dovecot::ca`]).

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use tempfile::TempDir;

pub(crate) const USER: &str = "covid19";
pub(crate) const PASSWORD: &str = "p\"w\\ {3}";
/// `nobody` on every Linux.
const NOBODY: u32 = 65534;

pub(crate) struct Dovecot {
    dir: TempDir,
    /// Clear text and STARTTLS.
    pub(crate) port: u16,
    /// Implicit TLS.
    pub(crate) tls_port: u16,
    server: Option<Child>,
    delivered: AtomicU32,
    root: bool,
}

/// What differs from an ordinary server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// The mailbox may only be read (ACL).
    pub(crate) read_only: bool,
}

impl Dovecot {
    pub(crate) fn start() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let dir = TempDir::with_prefix("annai-dovecot-").expect("a scratch directory");
        let root = run(Command::new("id").arg("-u")).trim() == "0";
        let mut server =
            Self { dir, port: free_port(), tls_port: free_port(), server: None, delivered: 0.into(), root };
        fs::set_permissions(server.path(""), fs::Permissions::from_mode(0o755)).expect("chmod");
        for folder in ["run", "home", "home/Maildir", "home/Maildir/cur", "home/Maildir/new", "home/Maildir/tmp"] {
            fs::create_dir(server.path(folder)).expect("mkdir");
        }
        if options.read_only {
            fs::write(server.path("home/Maildir/dovecot-acl"), "owner lr\n").expect("ACL file");
        }
        certificates(&server.path(""));
        fs::write(server.path("users"), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).expect("users");
        fs::write(server.path("dovecot.conf"), server.config(options)).expect("dovecot.conf");
        server.own(&server.path("home"));
        server.up();
        server
    }

    /// The CA that signed the server's certificate (for `localhost` and 127.0.0.1).
    pub(crate) fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// A CA that has nothing to do with this server.
    pub(crate) fn foreign_ca(&self) -> PathBuf {
        self.path("foreign-ca.pem")
    }

    pub(crate) fn maildir(&self) -> PathBuf {
        self.path("home/Maildir")
    }

    /// Puts mails into the INBOX, whole at once as an MTA does: written in `tmp`, renamed into `new`.
    pub(crate) fn deliver<'a>(&self, mails: impl IntoIterator<Item = &'a [u8]>) {
        for mail in mails {
            let number = self.delivered.fetch_add(1, Ordering::Relaxed);
            let name = format!("{:010}.M{number}P1.localhost", 1_588_000_000 + number);
            let scratch = self.maildir().join("tmp").join(&name);
            fs::write(&scratch, mail).expect("write mail");
            self.own(&scratch);
            fs::rename(&scratch, self.maildir().join("new").join(&name)).expect("deliver mail");
        }
    }

    /// Mail files of a folder (`""` is the INBOX) with this flag or keyword letter in their name.
    pub(crate) fn marked(&self, folder: &str, letter: char) -> usize {
        let flagged = |name: &String| name.split_once(":2,").is_some_and(|(_, flags)| flags.contains(letter));
        self.files(folder).iter().filter(|name| flagged(name)).count()
    }

    /// Mail files of a folder.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let folder = self.maildir().join(folder);
        let entries = ["cur", "new"].into_iter().flat_map(|part| fs::read_dir(folder.join(part)).expect("folder"));
        entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// Stops the server at once, connections included.
    pub(crate) fn down(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let master = server.id();
        // Sessions are processes of their own and would still answer for a moment after their master has gone.
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap_or_default();
        let _ = Command::new("kill").arg(master.to_string()).status();
        let _ = server.wait();
        let _ = Command::new("kill").arg("-9").args(children.split_whitespace()).stderr(Stdio::null()).status();
    }

    /// Starts it again on the same ports.
    pub(crate) fn up(&mut self) {
        let mut server = Command::new("dovecot")
            .args(["-F", "-c"])
            .arg(self.path("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dovecot cannot be started; tests/run installs what the tests need (dovecot-core, dovecot-imapd)");
        let log = BufReader::new(server.stderr.take().expect("stderr is piped"));
        let (ready, started) = mpsc::channel();
        std::thread::spawn(move || {
            let mut seen = String::new();
            for line in log.lines().map_while(Result::ok) {
                if line.contains("starting up") {
                    let _ = ready.send(Ok(()));
                }
                seen.push_str(&line);
                seen.push('\n');
            }
            let _ = ready.send(Err(seen));
        });
        let outcome = started.recv().expect("the log has an end");
        outcome.unwrap_or_else(|log| panic!("dovecot does not start (tests/run installs it):\n{log}"));
        self.server = Some(server);
    }

    /// All UIDs become void, as after a restore: UIDVALIDITY changes.
    pub(crate) fn forget_uids(&mut self) {
        self.down();
        for entry in fs::read_dir(self.maildir()).expect("maildir") {
            let path = entry.expect("entry").path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if name == "dovecot-uidlist" || name.starts_with("dovecot.index") {
                fs::remove_file(path).expect("remove");
            }
        }
        self.up();
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.dir.path().to_owned() } else { self.dir.path().join(name) }
    }

    fn own(&self, path: &Path) {
        if !self.root {
            return;
        }
        chown(path, Some(NOBODY), Some(NOBODY)).expect("chown");
        if path.is_dir() {
            for entry in fs::read_dir(path).expect("read_dir") {
                self.own(&entry.expect("entry").path());
            }
        }
    }

    fn config(&self, options: Options) -> String {
        let dir = self.dir.path().display();
        let (uid, gid) = if self.root {
            (NOBODY.to_string(), NOBODY.to_string())
        } else {
            (run(Command::new("id").arg("-u")), run(Command::new("id").arg("-g")))
        };
        let unprivileged = if self.root {
            String::new()
        } else {
            let (user, group) = (run(Command::new("id").arg("-un")), run(Command::new("id").arg("-gn")));
            format!(
                "default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}\n\
                 service anvil {{\n  chroot =\n}}\nservice imap-login {{\n  chroot =\n}}\n",
                user = user.trim(),
                group = group.trim(),
            )
        };
        let renamed = if run(Command::new("dovecot").arg("--version")).starts_with("2.3") {
            settings_2_3(&dir.to_string(), uid.trim(), gid.trim(), options)
        } else {
            settings_2_4(&dir.to_string(), uid.trim(), gid.trim(), options)
        };
        format!(
            "{renamed}base_dir = {dir}/run\nstate_dir = {dir}/run\nlog_path = /dev/stderr\nprotocols = imap\n\
             listen = 127.0.0.1\nmail_uid = {uid}\nmail_gid = {gid}\nfirst_valid_uid = 1\n\
             auth_mechanisms = plain login\nauth_failure_delay = 0\nssl = yes\nnamespace inbox {{\n  inbox = yes\n}}\n\
             service imap-login {{\n  inet_listener imap {{\n    port = {}\n  }}\n  \
             inet_listener imaps {{\n    port = {}\n    ssl = yes\n  }}\n}}\n{unprivileged}",
            self.port,
            self.tls_port,
            uid = uid.trim(),
            gid = gid.trim(),
        )
    }
}

/// Settings as Dovecot up to 2.3 names them (Debian 12).
fn settings_2_3(dir: &str, uid: &str, gid: &str, options: Options) -> String {
    let acl = if options.read_only { "mail_plugins = acl\nplugin {\n  acl = vfile\n}\n" } else { "" };
    format!(
        "mail_location = maildir:{dir}/home/Maildir\ndisable_plaintext_auth = no\n\
         ssl_cert = <{dir}/server.pem\nssl_key = <{dir}/server.key\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN {dir}/users\n}}\n\
         userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={dir}/home\n}}\n{acl}"
    )
}

/// The same as Dovecot from 2.4 on names them (Debian 13); the version must come first.
fn settings_2_4(dir: &str, uid: &str, gid: &str, options: Options) -> String {
    let acl = if options.read_only { "mail_plugins = acl\nacl_driver = vfile\n" } else { "" };
    format!(
        "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n\
         mail_driver = maildir\nmail_path = {dir}/home/Maildir\nauth_allow_cleartext = yes\n\
         ssl_server_cert_file = {dir}/server.pem\nssl_server_key_file = {dir}/server.key\n\
         passdb passwd-file {{\n  passwd_file_path = {dir}/users\n}}\n\
         userdb static {{\n  fields {{\n    uid = {uid}\n    gid = {gid}\n    home = {dir}/home\n  }}\n}}\n{acl}"
    )
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.down();
    }
}

/// A port nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// `ca.pem`, `foreign-ca.pem`, and `server.pem` with `server.key` signed by the former.
fn certificates(dir: &Path) {
    let openssl = |args: &str| run(Command::new("openssl").current_dir(dir).args(args.split(' ')));
    for ca in ["ca", "foreign-ca"] {
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=annai-test-{ca} \
             -addext basicConstraints=critical,CA:TRUE -keyout {ca}.key -out {ca}.pem"
        ));
    }
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    );
    fs::write(dir.join("server.ext"), "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")
        .expect("server.ext");
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 2 -extfile server.ext -out server.pem",
    );
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; tests/run installs what is missing"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
