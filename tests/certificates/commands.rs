//! The verbs of staff around certificates and accounts, through the real program.

use crate::tools::run;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        let made = Command::new(env!("CARGO_BIN_EXE_annai")).arg("init").arg(place.path("x")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn annai(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
        let output = command.arg("-c").arg(self.path("x/annai.toml")).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    fn done(&self, args: &[&str]) -> String {
        let (code, out, err) = self.annai(args);
        assert_eq!(code, Some(0), "{args:?}: {out}{err}");
        out
    }

    fn refused(&self, args: &[&str], sentence: &str) {
        let (code, out, err) = self.annai(args);
        assert!(matches!(code, Some(1 | 2)) && err.contains(sentence), "{args:?}: {code:?} {out}{err}");
    }

    fn show(&self) -> Value {
        serde_json::from_str(&self.done(&["ca", "show", "--json"])).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Shown, written out for a TLS server, renewed, rotated without and with the root's key, never made twice.
#[test]
fn the_ca_from_the_command_line() {
    let place = Place::new();
    let first = place.show();
    assert_eq!((first["fault"].clone(), first["issuing"].as_array().unwrap().len()), (Value::Null, 1));
    assert_eq!(first["issuing"][0]["list"]["number"], 1);
    let (bundle, lists) = (place.path("bundle.pem"), place.path("lists.pem"));
    place.done(&["ca", "bundle", text(&bundle)]);
    place.done(&["ca", "crl", "--renew", text(&lists)]);
    assert_eq!(place.show()["issuing"][0]["list"]["number"], 2);
    let count = |path: &Path| std::fs::read_to_string(path).unwrap().matches("-----BEGIN").count();
    assert_eq!((count(&bundle), count(&lists)), (2, 2), "issuing CA and root, and a list of each");
    run("openssl", &["crl", "-in", text(&lists), "-noout", "-CAfile", text(&bundle)]);

    place.refused(&["ca", "init"], "exists already");
    let (key, away) = (place.path("x/ca/root.key"), place.path("usb"));
    std::fs::create_dir(&away).unwrap();
    std::fs::rename(&key, away.join("root.key")).unwrap();
    place.refused(&["ca", "rotate"], "--reason");
    place.refused(&["ca", "rotate", "--reason", "年度の切替え"], "root.key");
    place.done(&["ca", "rotate", "--reason", "年度の切替え", "--root-key", text(&away.join("root.key"))]);
    let second = place.show();
    assert_eq!(second["issuing"].as_array().unwrap().len(), 2);
    assert_eq!(second["anchors"].as_array().unwrap().len(), 3);
    let active = |view: &Value| {
        let issuing = view["issuing"].as_array().unwrap();
        issuing.iter().find(|ca| ca["active"] == true).unwrap()["id"].clone()
    };
    assert_ne!(active(&first), active(&second));
    place.refused(&["ca", "import", "--reason", "x"], "--pkcs12");
    place.refused(&["ca", "import", "--reason", "x", "--cert", text(&bundle), "--key", text(&lists)], "annai:");

    let entry = place.done(&["audit", "tail", "--json"]);
    assert!(entry.contains("ca-adopted") && entry.contains("年度の切替え"), "{entry}");
    let id = active(&first);
    let id = id.as_str().unwrap();
    place.refused(&["ca", "adopt", "0123456789abcdef", "--reason", "x"], "no CA");
    place.done(&["ca", "adopt", id, "--reason", "戻す"]);
    assert_eq!(active(&place.show()), id);

    // A second secret nobody gave yet: the CA does not open, everything else goes on.
    std::fs::write(place.path("x/secrets/second"), "x\n").unwrap();
    let config = std::fs::read_to_string(place.path("x/annai.toml")).unwrap();
    let config =
        config.replace("# second_secret_file = \"secrets/ca-second\"", "second_secret_file = \"secrets/second\"");
    std::fs::write(place.path("x/annai.toml"), config).unwrap();
    assert!(place.show()["fault"].as_str().unwrap().contains("does not open"));
    place.done(&["status"]);
}

/// A list with faults is refused as a whole, each with its line and none with a password; unknown tenants too.
#[test]
fn accounts_from_the_command_line() {
    let place = Place::new();
    let list = place.path("accounts.csv");
    std::fs::write(&list, "tenant,user_id,password\n131032-00,minato,geheim\n13,x,geheim-0002\n").unwrap();
    let (code, _, err) = place.annai(&["tenant", "import-credentials", text(&list)]);
    assert!(code != Some(0) && err.contains("accounts.csv:2:") && err.contains("accounts.csv:3:"), "{err}");
    assert!(!err.contains("geheim"), "{err}");
    std::fs::write(&list, "tenant,user_id,password\n131032-00,minato,geheim-0001\n").unwrap();
    place.refused(&["tenant", "import-credentials", text(&list)], "131032-00");
    place.refused(&["tenant", "import-credentials", "/nonexistent.csv"], "cannot be read");
    assert_eq!(place.done(&["tenant", "export", "--credentials"]), "tenant,name,user_id,password_hash\r\n");
    place.refused(&["tenant", "renew-credentials", "131032-00", "--reason", "忘れた"], "131032-00");
}
