//! The same rights over the control socket: signed by each role's account, and by the local user.

use crate::verbs;
use crate::world::PASSWORD;
use annai::daemon::control::{Request, Signature, Signed};
use annai::engine::jobs::{JobNo, Pace};
use annai::workflow::rights::{Act, Right, Role, right};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[path = "../control/place.rs"]
mod place;

use place::{LOOKED, Place, Running};

fn ask(socket: &Path, name: &str, password: &str, order: Request) -> Value {
    let signature = Some(Signature { name: name.to_owned(), password: password.to_owned() });
    let mut line = serde_json::to_vec(&Signed { signature, order }).unwrap();
    line.push(b'\n');
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(&line).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

impl Place {
    /// The binary with something on standard input.
    fn typed(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
        command.args(args).arg("--config").arg(self.path("annai.toml")).env("ANNAI_NOW", LOOKED).env("ANNAI_SEED", "2");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn did(&self, args: &[&str], input: &str) -> String {
        let output = self.typed(args, input);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// docs/decisions/0010: the password alone asks; where a client certificate is bound it does not approve.
#[test]
fn a_bound_certificate_is_needed_to_approve() {
    let place = Place::new();
    let typed = format!("{PASSWORD}\n");
    for (name, role) in [("op", "operator"), ("ap", "approver")] {
        place.did(&["user", "add", name, "--role", role], &typed);
    }
    // Both log in to a console that asks for certificates.
    let mut engine = annai::daemon::assembly::engine(&place.config(), place::at(LOOKED)).unwrap();
    for name in ["op", "ap"] {
        let mut proof = engine.survey().prove(name, &annai::domain::Secret::new(PASSWORD.to_owned())).unwrap().unwrap();
        proof.certificate = Some(annai::crypto::sha256(name.as_bytes()));
        engine.log_in(name, &proof, "127.0.0.1", "test").unwrap();
    }
    engine.commit().unwrap();
    drop(engine);
    let bulk = ["tenant", "reissue", "011002-00", "011002-01", "--reason", "lost", "--apply", "--as", "op"];
    assert!(place.did(&bulk, &typed).contains("申請1として受け付けました"));
    let approve = ["approval", "approve", "1", "--as", "ap"];
    let refused = |place: &Place| {
        let output = place.typed(&approve, &typed);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("approve in the console"), "{said}");
    };
    // The closed store and the daemon say the same.
    refused(&place);
    let running = Running::start(&place);
    refused(&place);
    let wrong = place.typed(&approve, "a wrong password\n");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("password is wrong"));
    let tail = place.json(&["audit", "tail", "-n", "5"]).to_string();
    assert!(tail.contains("log-in-failed") && tail.contains("annai.sock"), "{tail}");
    // Saying no needs no certificate.
    assert!(place.did(&["approval", "refuse", "1", "--reason", "誤り", "--as", "ap"], &typed).contains("却下"));
    running.stop();
}

#[test]
fn every_role_over_the_socket() {
    let place = Place::new();
    let typed = format!("{PASSWORD}\n");
    for (name, role) in [("op", "operator"), ("audit", "auditor"), ("ap", "approver")] {
        assert!(place.did(&["user", "add", name, "--role", role], &typed).contains(name));
    }
    // From here on two are needed: the local user alone adds nobody, nor does a password given as an argument exist.
    let refused = place.typed(&["user", "add", "third", "--role", "admin"], &typed);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--as NAME"));
    assert_eq!(place.typed(&["user", "add", "x", "--role", "admin", "--password", "y"], "").status.code(), Some(2));

    let running = Running::start(&place);
    let socket = place.path("state/annai.sock");
    for (name, role) in [("op", Role::Operator), ("ap", Role::Approver), ("audit", Role::Auditor)] {
        for (act, verb) in verbs() {
            let answer = ask(&socket, name, PASSWORD, Request::Act { act: verb.clone() });
            let forbidden = answer["error"].as_str().is_some_and(|error| error.contains("of the role"));
            assert_eq!(forbidden, right(role, act) == Right::Refused, "{name} {verb:?}: {answer}");
            if let Some(no) = answer["ok"]["asked"].as_u64() {
                assert_eq!(right(role, act), Right::NeedsSecond, "{name} {verb:?}");
                let recall =
                    serde_json::from_value(serde_json::json!({"verb": "ask", "ask": "recall", "no": no})).unwrap();
                assert!(ask(&socket, name, PASSWORD, Request::Act { act: recall })["ok"].is_object());
            }
        }
        assert!(ask(&socket, name, PASSWORD, Request::Status)["ok"].is_object(), "{name} looks");
        assert!(ask(&socket, name, PASSWORD, Request::Jobs)["ok"].is_array(), "{name} looks");
        let steer = Request::SteerJob { no: JobNo(9), pace: Pace::Halted };
        let answer = ask(&socket, name, PASSWORD, steer);
        // Who may not is not told whether there is such a job.
        let told = answer["error"].as_str().unwrap();
        assert_eq!(told.contains("of the role"), right(role, Act::Send) == Right::Refused, "{name}: {told}");
        let backup = Request::Backup { path: place.path(&format!("{name}.backup")) };
        let answer = ask(&socket, name, PASSWORD, backup);
        assert_eq!(answer["error"].is_string(), right(role, Act::Backup) != Right::Allowed, "{answer}");
    }
    for (name, password) in [("op", "a wrong password"), ("nobody", PASSWORD)] {
        let answer = ask(&socket, name, password, Request::Status);
        assert_eq!(answer["error"], "the account or its password is wrong; type both again", "{name}");
    }

    // As a person types it: asked by one, approved by another.
    let add = ["user", "add", "second", "--role", "operator", "--no-password"];
    let denied = place.typed(&[&add[..], &["--as", "op"]].concat(), &typed);
    assert!(String::from_utf8_lossy(&denied.stderr).contains("of the role operator"));
    let letters: Value = serde_json::from_str(&place.did(&["wave", "--json", "--as", "audit"], &typed)).unwrap();
    assert!(letters["waves"].as_array().unwrap().is_empty());
    let bulk = ["tenant", "reissue", "011002-00", "011002-01", "--reason", "lost", "--apply"];
    let output = place.typed(&[&bulk[..], &["--as", "op"]].concat(), &typed);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("申請1として受け付けました"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let own = place.typed(&["approval", "approve", "1", "--as", "op"], &typed);
    assert!(String::from_utf8_lossy(&own.stderr).contains("of the role operator"));
    assert!(place.did(&["approval"], "").contains("2機関の証明書を一括して再発行"));
    assert!(place.did(&["approval", "approve", "1", "--as", "ap"], &typed).contains("承認済み"));
    let tenant = place.json(&["tenant", "show", "011002-01"]);
    assert_eq!(tenant["generation"], 2, "{tenant}");
    let watched = place.did(&["queue", "watch", "--times", "1"], "");
    assert!(watched.contains("要確認") && !watched.contains('\u{1b}'), "{watched}");
    let watched = place.did(&["queue", "watch", "--times", "2", "--seconds", "1", "--json"], "");
    assert_eq!(watched.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 2);
    running.stop();
    let closed = place.annai(&["queue", "watch"]);
    assert!(String::from_utf8_lossy(&closed.stderr).contains("no daemon is running"));
    // The closed store asks for the same password.
    assert!(!place.typed(&["status", "--as", "op"], "a wrong password\n").status.success());
    assert!(place.did(&["status", "--as", "op"], &typed).contains("要確認"));
}
