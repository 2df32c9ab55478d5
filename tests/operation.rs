//! What a real host gets: the systemd unit, the Debian package, completion scripts and manual pages, each tried with the
//! programs that will read them.
#![cfg(feature = "daemon")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ANNAI: &str = env!("CARGO_BIN_EXE_annai");
/// Worst exposure of the unit, in tenths, as `systemd-analyze security` counts (0: locked away, 100: a root shell).
const EXPOSURE_TENTHS_MAX: &str = "15";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|fault| panic!("{command:?}: {fault}; tests/run installs what is needed"))
}

fn good(command: &mut Command) -> String {
    let output = run(command);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

#[test]
fn the_unit_is_valid_and_locked_away() {
    let dir = tempfile::tempdir().unwrap();
    let unit = dir.path().join("annai.service");
    let text = std::fs::read_to_string(root().join("systemd/annai.service")).unwrap();
    std::fs::write(&unit, text.replace("/usr/local/bin/annai", ANNAI)).unwrap();
    let said = good(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit));
    assert!(!said.contains("annai.service"), "a warning: {said}");
    let threshold = format!("--threshold={EXPOSURE_TENTHS_MAX}");
    good(Command::new("systemd-analyze").args(["security", "--offline=true", &threshold, "--no-pager"]).arg(&unit));
}

#[test]
fn the_package_installs_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let build = |out: &str| -> PathBuf {
        let out = dir.path().join(out);
        std::fs::create_dir(&out).unwrap();
        let said = good(Command::new(root().join("packaging/deb.sh")).arg(ANNAI).arg(&out));
        PathBuf::from(said.trim())
    };
    let package = build("first");
    assert_eq!(
        std::fs::read(&package).unwrap(),
        std::fs::read(build("second")).unwrap(),
        "the same input, the same bytes"
    );
    let info = good(Command::new("dpkg-deb").arg("--info").arg(&package));
    assert!(info.contains(&format!("Version: {}", env!("CARGO_PKG_VERSION"))), "{info}");

    // Installed below a root of its own; maintainer scripts see DPKG_ROOT and leave this machine alone.
    let host = dir.path().join("host");
    std::fs::create_dir_all(host.join("var/lib/dpkg/updates")).unwrap();
    std::fs::create_dir_all(host.join("var/lib/dpkg/info")).unwrap();
    std::fs::write(host.join("var/lib/dpkg/status"), "").unwrap();
    let dpkg = |args: &[&str]| {
        let mut command = Command::new("dpkg");
        command.arg(format!("--root={}", host.display())).args(["--force-depends", "--force-not-root"]);
        command.args(["--force-script-chrootless", "--log=/dev/null"]).args(args);
        good(&mut command)
    };
    dpkg(&["--install", package.to_str().unwrap()]);
    let installed = host.join("usr/bin/annai");
    assert!(good(Command::new(&installed).arg("--version")).contains(env!("CARGO_PKG_VERSION")));
    let etc = host.join("etc-annai");
    good(Command::new(&installed).arg("init").arg(&etc));
    assert!(
        good(Command::new(&installed).arg("--config").arg(etc.join("annai.toml")).args(["rules", "check"])).len() < 500
    );
    let unit = std::fs::read_to_string(host.join("usr/lib/systemd/system/annai.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/annai serve"), "{unit}");
    for file in
        ["usr/share/doc/annai/operations.ja.md", "usr/share/man/man1/annai.1.gz", "usr/lib/sysusers.d/annai.conf"]
    {
        assert!(host.join(file).exists(), "{file}");
    }
    dpkg(&["--remove", "annai"]);
    assert!(!installed.exists() && etc.join("secrets/master.key").exists(), "keys stay");
}

#[test]
fn shells_and_man_understand_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("annai.bash");
    std::fs::write(&script, good(Command::new(ANNAI).args(["completion", "bash"]))).unwrap();
    // What bash itself offers after `annai wave w`.
    let offer = "source \"$0\"; COMP_WORDS=(annai wave w); COMP_CWORD=2; _annai annai w wave; echo \"${COMPREPLY[@]}\"";
    assert_eq!(good(Command::new("bash").args(["-c", offer]).arg(&script)).trim(), "withdraw");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(good(Command::new(ANNAI).args(["completion", shell])).contains("approval"), "{shell}");
    }
    let pages = dir.path().join("man");
    good(Command::new(ANNAI).arg("man").arg(&pages));
    for page in ["annai.1", "annai-user-add.1", "annai-wave-release.1"] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".TH annai") && text.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(good(Command::new(ANNAI).arg("man")).contains(".SH NAME"));
}

#[test]
fn colour_is_for_terminals_only() {
    let dir = tempfile::tempdir().unwrap();
    good(Command::new(ANNAI).arg("init").arg(dir.path()));
    let output =
        run(Command::new(ANNAI).arg("user").current_dir(dir.path()).env("TERM", "xterm").env_remove("NO_COLOR"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("二人承認") && !said.contains('\u{1b}'), "{said}");
}

/// An alert nobody gets is no alert: the doctor says so, and says it no more once somebody has an address.
#[test]
fn the_doctor_says_who_hears_of_alerts() {
    let dir = tempfile::tempdir().unwrap();
    good(Command::new(ANNAI).arg("init").arg(dir.path()));
    let annai = |args: &[&str]| good(Command::new(ANNAI).args(args).current_dir(dir.path()));
    let doctor = || {
        let output = run(Command::new(ANNAI).args(["doctor", "--offline"]).current_dir(dir.path()));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines().find(|line| line.contains("accounts:")).unwrap_or_default().to_owned()
    };
    assert!(doctor().starts_with("WARN") && doctor().contains("there is none"), "{}", doctor());
    annai(&["user", "add", "sato", "--role", "operator", "--no-password", "--reason", "着任"]);
    assert!(doctor().starts_with("WARN") && doctor().contains("annai user mail"), "{}", doctor());
    annai(&["user", "mail", "sato", "sato@contractor.example.jp"]);
    assert!(doctor().starts_with("OK") && doctor().contains("1 of them"), "{}", doctor());
}
