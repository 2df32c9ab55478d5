// A browser of our own over the DevTools protocol on a pipe: no package, no port.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const PATIENCE = 60_000;

export async function open() {
  const dir = mkdtempSync(join(tmpdir(), "annai-console-"));
  const flags = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--lang=ja", "--accept-lang=ja", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
    `--user-data-dir=${dir}`, "about:blank",
  ];
  const name = process.env.ANNAI_CHROMIUM ?? NAMES[0];
  const child = spawn(name, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const waiting = new Map();
  const listeners = new Set();
  let last = 0;
  let rest = "";
  child.stdio[4].setEncoding("utf8");
  child.stdio[4].on("data", (text) => {
    const parts = (rest + text).split("\0");
    rest = parts.pop();
    for (const part of parts) {
      const message = JSON.parse(part);
      const call = waiting.get(message.id);
      if (call) {
        waiting.delete(message.id);
        if (message.error) call.fail(new Error(`${call.method}: ${message.error.message}`)); else call.done(message.result);
      } else {
        for (const listener of listeners) listener(message);
      }
    }
  });
  const send = (method, params = {}, sessionId = undefined) => new Promise((done, fail) => {
    const id = ++last;
    waiting.set(id, { done, fail, method });
    child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const call = (method, params) => send(method, params, sessionId);
  await Promise.all([call("Page.enable"), call("Runtime.enable"), call("Log.enable")]);
  const faults = [];
  listeners.add((message) => {
    if (message.method === "Runtime.exceptionThrown") faults.push(message.params.exceptionDetails.exception?.description ?? message.params.exceptionDetails.text);
    if (message.method === "Log.entryAdded" && message.params.entry.level === "error") faults.push(message.params.entry.text);
  });

  const once = (method) => new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`${method} did not come`)), PATIENCE);
    const listener = (message) => {
      if (message.method !== method || message.sessionId !== sessionId) return;
      clearTimeout(timer);
      listeners.delete(listener);
      done(message.params);
    };
    listeners.add(listener);
  });

  async function run(expression) {
    const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  // Waits until an expression is true: no fixed pauses.
  async function until(expression) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const value = await run(expression).catch(() => false);
      if (value) return value;
      if (Date.now() > end) throw new Error(`never true: ${expression}\nat ${await run("location.href + '\\n' + document.body.innerText.slice(0, 600)")}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  const KEYS = { Enter: [13, "\r"], Tab: [9, ""], Escape: [27, ""], Backspace: [8, ""], ArrowDown: [40, ""], " ": [32, " "] };
  async function key(name, modifiers = 0) {
    const [code, text] = KEYS[name] ?? [name.toUpperCase().charCodeAt(0), name];
    const params = { key: name, windowsVirtualKeyCode: code, modifiers };
    await call("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text: text || undefined, ...params });
    await call("Input.dispatchKeyEvent", { type: "keyUp", ...params });
  }

  return {
    call, run, until, key, faults,
    async visit(url) {
      const loaded = once("Page.loadEventFired");
      await call("Page.navigate", { url });
      await loaded;
    },
    // Presses keys and waits for the page they lead to.
    async leads(press) {
      const loaded = once("Page.loadEventFired");
      await press();
      await loaded;
    },
    async type(text) {
      await call("Input.insertText", { text });
    },
    async window(width, height, dark) {
      await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
    },
    async picture(whole) {
      const clip = whole ? await run("({x: 0, y: 0, width: innerWidth, height: Math.min(document.documentElement.scrollHeight, 2600), scale: 1})") : undefined;
      const { data } = await call("Page.captureScreenshot", { format: "png", clip, captureBeyondViewport: Boolean(clip) });
      return Buffer.from(data, "base64");
    },
    async close() {
      await send("Browser.close").catch(() => {});
      await new Promise((done) => { if (child.exitCode !== null) done(); else child.once("exit", done); });
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
