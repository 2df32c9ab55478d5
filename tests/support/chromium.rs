//! A headless Chromium, driven over the DevTools protocol through two pipes: no driver, no port, no library. It has a home
//! of its own with an NSS database, where terminal certificates are imported as an officer would.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a single answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a browser keeps between two starts: profile, certificates, downloads.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        for folder in ["profile/Default", "downloads"] {
            std::fs::create_dir_all(home.path(folder)).unwrap();
        }
        std::fs::create_dir_all(home.path(".pki/nssdb")).unwrap();
        home.nss("certutil", &["-N", "--empty-password"]);
        // The certificate is chosen as by an administrator's policy; a dialog could not be answered here.
        let choose = json!({"profile": {"managed_auto_select_certificate_for_urls": [
            "{\"pattern\":\"*\",\"filter\":{}}"
        ]}});
        std::fs::write(home.path("profile/Default/Preferences"), choose.to_string()).unwrap();
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Imports a PKCS#12 file as NSS does; what it said.
    pub(crate) fn import(&self, file: &Path, password: &str) -> String {
        self.nss("pk12util", &["-i", file.to_str().unwrap(), "-W", password])
    }

    fn nss(&self, program: &str, args: &[&str]) -> String {
        let database = format!("sql:{}", self.path(".pki/nssdb").display());
        let said = Command::new(program).args(["-d", &database]).args(args).stdin(Stdio::null()).output();
        let said = said.unwrap_or_else(|e| panic!("{program}: {e}; see tests/run"));
        assert!(said.status.success(), "{program}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    /// The one file downloaded.
    pub(crate) fn downloaded(&self) -> PathBuf {
        let files: Vec<_> = self.path("downloads").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

/// A running browser with one page.
pub(crate) struct Chromium {
    child: Child,
    to: File,
    from: Receiver<Value>,
    session: String,
    /// Whether pages may run scripts.
    scripts: bool,
    asked: u64,
    /// Events that came while an answer was waited for.
    events: Vec<Value>,
}

impl Chromium {
    /// `scripts`: whether pages may run any.
    pub(crate) fn start(home: &Home, scripts: bool) -> Self {
        let (into, out) = (home.path("in"), home.path("out"));
        for pipe in [&into, &out] {
            let _old = std::fs::remove_file(pipe);
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        let shell = "exec chromium --headless=new --no-sandbox --disable-gpu --no-first-run --disable-sync \
             --disable-background-networking --disable-component-update --hide-scrollbars --ignore-certificate-errors \
             --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE localhost' \
             --lang=ja --user-data-dir=\"$HOME/profile\" --remote-debugging-pipe 3< \"$HOME/in\" 4> \"$HOME/out\"";
        let child = Command::new("sh")
            .args(["-c", shell])
            .env("HOME", home.dir.path())
            .env("TZ", "Asia/Tokyo")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = File::options().write(true).open(&into).unwrap();
        let mut answers = BufReader::new(File::open(&out).unwrap());
        let (tell, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                message.clear();
                if tell.send(value).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self { child, to, from, session: String::new(), scripts, asked: 0, events: Vec::new() };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        browser.call("Page.enable", json!({}));
        browser.call("Emulation.setScriptExecutionDisabled", json!({"value": !scripts}));
        let downloads = json!({
            "behavior": "allow", "downloadPath": home.path("downloads"), "eventsEnabled": true
        });
        browser.call("Browser.setDownloadBehavior", downloads);
        browser
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut question = json!({"id": self.asked, "method": method, "params": params});
        // The browser itself is asked without a session.
        if !self.session.is_empty() && !method.starts_with("Browser.") {
            question["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{question}\0").as_bytes()).unwrap();
        loop {
            let answer = self.from.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{method}: {e}"));
            if answer["id"] == json!(self.asked) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// Waits for an event, also one that came before.
    fn event(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.events.iter().position(&is) {
            return self.events.remove(at);
        }
        loop {
            let event = self.from.recv_timeout(PATIENCE).expect("an event");
            if is(&event) {
                return event;
            }
            self.events.push(event);
        }
    }

    /// Does something that loads another page, and waits for it.
    fn loading(&mut self, work: impl FnOnce(&mut Self)) {
        self.events.clear();
        work(self);
        self.event(|event| event["method"] == "Page.loadEventFired");
    }

    pub(crate) fn open(&mut self, url: &str) {
        self.loading(|browser| {
            let gone = browser.call("Page.navigate", json!({"url": url}));
            assert!(gone.get("errorText").is_none(), "{url}: {gone}");
        });
    }

    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What an officer reads.
    pub(crate) fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Types into the field the keyboard is in.
    pub(crate) fn type_into(&mut self, selector: &str, text: &str) {
        self.evaluate(&format!("document.querySelector({selector:?}).focus()"));
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a button or a link that leads to another page.
    pub(crate) fn press(&mut self, selector: &str) {
        self.loading(|browser| browser.click(selector));
    }

    pub(crate) fn click(&mut self, selector: &str) {
        self.evaluate(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Presses a button that starts a download, and waits for its end.
    pub(crate) fn download(&mut self, selector: &str) {
        self.events.clear();
        self.click(selector);
        let done =
            |event: &Value| event["method"] == "Browser.downloadProgress" && event["params"]["state"] != "inProgress";
        let event = self.event(done);
        assert_eq!(event["params"]["state"], "completed", "{event}");
    }

    /// What axe-core finds wrong with the page as it is shown now, whatever its weight: the pages are few and small.
    fn axe(&mut self) -> Vec<String> {
        let script = std::fs::read_to_string(crate::axe::axe()).unwrap();
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": false}));
        self.call("Runtime.evaluate", json!({"expression": script}));
        let run = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(\
             ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).map((node) => node.html).join(' | ')}`))";
        let asked = json!({"expression": run, "returnByValue": true, "awaitPromise": true});
        let found = self.call("Runtime.evaluate", asked)["result"]["value"].clone();
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": !self.scripts}));
        let found = found.as_array().expect("axe answers").iter();
        found.map(|finding| finding.as_str().unwrap().to_owned()).collect()
    }

    /// Pictures of the whole page at the widths of a PC and a telephone; nothing may stick out at the side, and axe-core
    /// finds nothing.
    pub(crate) fn pictures(&mut self, name: &str) {
        for width in [1440, 390] {
            let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
            self.call("Emulation.setDeviceMetricsOverride", size);
            let wide = self.evaluate("document.documentElement.scrollWidth").as_i64().unwrap();
            assert!(wide <= width, "{name} is {wide} wide at {width}");
            let found = self.axe();
            assert!(found.is_empty(), "{name} at {width}:\n{}", found.join("\n"));
            let shot = json!({"format": "png", "captureBeyondViewport": true, "optimizeForSpeed": true});
            let picture = self.call("Page.captureScreenshot", shot);
            self.keep(&format!("{name}-{width}.png"), picture["data"].as_str().unwrap());
        }
        self.call("Emulation.clearDeviceMetricsOverride", json!({}));
    }

    /// The page as a PDF; how many sheets it takes.
    pub(crate) fn sheets(&mut self, name: &str) -> usize {
        let paper = json!({"preferCSSPageSize": true, "printBackground": true});
        let pdf = self.call("Page.printToPDF", paper);
        let file = self.keep(&format!("{name}.pdf"), pdf["data"].as_str().unwrap());
        let bytes = std::fs::read(file).unwrap();
        let count = |what: &[u8]| bytes.windows(what.len()).filter(|part| *part == what).count();
        count(b"/Type /Page") - count(b"/Type /Pages")
    }

    /// Base64 into a file below target/screenshots.
    fn keep(&self, name: &str, data: &str) -> PathBuf {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join(name);
        std::fs::write(&file, BASE64_STANDARD.decode(data).unwrap()).unwrap();
        file
    }

    /// Ends the browser in order, so that its profile is written.
    pub(crate) fn quit(mut self) {
        self.call("Browser.close", json!({}));
        let _ended = self.child.wait();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
