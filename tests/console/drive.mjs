// node drive.mjs BASE AXE NAME PASSWORD PATH…: goes through the console with the keyboard only and has axe look at every page.
// ANNAI_SHOTS=DIR keeps a picture of each. Ends with 1 and says what is wrong.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { open } from "./browser.mjs";

const [base, axe, name, password, ...paths] = process.argv.slice(2);
const script = readFileSync(axe, "utf8");
const shots = process.env.ANNAI_SHOTS;
const faults = [];
const check = (good, what) => { if (!good) faults.push(what); };

const browser = await open();
const { run, until, key, type, visit, leads } = browser;
const path = () => run("location.pathname");

// Presses Tab until what has the focus fits.
async function tab_to(what) {
  for (let presses = 0; presses < 120; presses++) {
    if (await run(`document.activeElement.matches(${JSON.stringify(what)})`)) return;
    await key("Tab");
  }
  throw new Error(`Tab never comes to ${what} at ${await run("location.href")}`);
}

async function keyboard() {
  await browser.window(1440, 1000, false);
  await visit(`${base}/`);
  check(await path() === "/login", "without a session the login page comes");
  await tab_to("#name");
  await type(name);
  await key("Tab");
  await type(password);
  await leads(() => key("Enter"));
  check(await path() === "/", `after the login: ${await path()}`);

  // Today → the doubtful mail, by its card.
  await key("j");
  await until("document.activeElement.closest('[data-row]') !== null");
  for (let step = 0; step < 8 && !(await run("document.activeElement.textContent.includes('倉敷市')")); step++) await key("j");
  await leads(() => key("Enter"));
  check(await path() === "/mail/2", `Enter on the first card: ${await path()}`);

  // The address is corrected and the mail taken over.
  await key("e");
  await until("document.activeElement.id === 'authority'");
  await tab_to("tbody input[name=address]");
  await run("document.activeElement.select()");
  await type("hokensho@city.kurashiki-mihon.lg.jp");
  await key("Escape");
  await key("a");
  await until("document.activeElement.matches('button[value=accept]')");
  await leads(() => key("Enter"));
  if (await run("document.querySelector('input[name=despite]') !== null")) {
    await tab_to("#reason");
    await type("電話で担当者に確認しました");
    await leads(() => key("Enter"));
  }
  check(await run("document.querySelector('.flash')?.textContent.includes('登録しました') ?? false"), `taken over: ${await run("document.body.innerText.slice(0, 300)")}`);

  // Search, views by number, help, a tenant by j and Enter.
  await key("/");
  await until("document.activeElement.id === 'q'");
  await type("332020-01");
  await leads(() => key("Enter"));
  check(await path() === "/tenants/332020-01", `an id leads to its tenant: ${await path()}`);
  check(await run("document.body.innerText.includes('メール2の内容を')"), "the timeline tells of the decision");
  const views = await run("Array.from(document.querySelectorAll('[data-view]'), (link) => [link.dataset.view, new URL(link.href).pathname])");
  check(views.length === 13, `${views.length} views`);
  for (const [letter, expected] of views) {
    await leads(() => key(letter));
    check(await path() === expected, `key ${letter}: ${await path()}`);
  }
  await leads(() => key("?"));
  check(await path() === "/help", "? leads to the help");

  // Many at once: two letters chosen with x, held with a reason.
  await visit(`${base}/outbox?show=all`);
  await key("j");
  await key("x");
  await key("j");
  await key("x");
  check(await run("document.querySelector('[data-chosen]').textContent") === "2", "two are chosen");
  await run("document.querySelector('.together').scrollIntoView()");
  await run("document.querySelector('[data-all]').focus()");
  await browser.key("Tab", 8);
  for (let presses = 0; presses < 12 && !(await run("document.activeElement.matches('button[value=hold]')")); presses++) await key("Tab", 8);
  await leads(() => key("Enter"));
  check(await path() === "/bulk", `the bulk page: ${await path()}`);
  await tab_to("#reason");
  await type("点検のため");
  await leads(() => key("Enter"));
  check((await path()).startsWith("/jobs/"), `the job: ${await path()}`);
  await until("document.body.innerText.includes('終了')");
}

// Logs in as somebody else.
async function become(who) {
  await browser.call("Network.clearBrowserCookies");
  await visit(`${base}/login`);
  await tab_to("#name");
  await type(who);
  await key("Tab");
  await type(password);
  await leads(() => key("Enter"));
  check(await path() === "/", `${who} is logged in: ${await path()}`);
}

// Fills the fields of a form in their order on the page, by Tab.
async function fill(fields) {
  for (const [field, value] of fields) {
    await tab_to(field);
    await type(value);
  }
}

// An account: made by one admin, approved by another. A domain: approved and removed by an operator.
async function forms() {
  await become("admin1");
  await visit(`${base}/people`);
  await fill([["#name", "tanaka"], ["#person", "田中 一郎"]]);
  await tab_to("#role");
  await run("document.activeElement.value = 'approver'");
  await fill([["#password", "a long first password"], ["#again", "a long first password"], ["#reason", "着任のため"]]);
  await leads(() => key("Enter"));
  check(await path() === "/approvals", `the account waits for a second person: ${await path()} ${await run("document.body.innerText.slice(0, 300)")}`);
  check(await run("document.querySelector('button[value=approve]') === null"), "who asked cannot approve");
  await become("admin2");
  await visit(`${base}/approvals`);
  check(await run("document.body.innerText.includes('アカウント tanaka（承認者）の登録（理由：着任のため）')"), "the request says what and why");
  await tab_to("button[value=approve]");
  await leads(() => key("Enter"));
  await visit(`${base}/people`);
  check(await run("Array.from(document.querySelectorAll('tr[data-row]'), (row) => row.innerText).some((row) => row.includes('田中 一郎') && row.includes('承認者') && row.includes('利用可'))"), "the account stands in the list");

  await become(name);
  await visit(`${base}/domains`);
  await tab_to("details.add summary");
  await key("Enter");
  await fill([["#authority", "332020 倉敷市"], ["#domain", "city.kurashiki.okayama.jp"], ["#reason", "公式サイトで確認しました"]]);
  await leads(() => key("Enter"));
  const known = () => run("Array.from(document.querySelectorAll('tr[data-row]'), (row) => row.innerText).some((row) => row.includes('city.kurashiki.okayama.jp') && row.includes('倉敷市'))");
  check(await path() === "/domains" && await known(), `the domain is known: ${await run("document.body.innerText.slice(0, 300)")}`);
  await run("Array.from(document.querySelectorAll('tr[data-row]')).find((row) => row.innerText.includes('city.kurashiki.okayama.jp')).querySelector('summary').focus()");
  await key("Enter");
  await key("Tab");
  await type("誤って加えたため");
  await leads(() => key("Enter"));
  check(await run("document.querySelector('.flash')?.textContent.includes('外しました') ?? false") && !(await known()), "the domain is removed");
}

async function looks() {
  for (const [width, dark] of [[1440, false], [1440, true], [390, false], [390, true]]) {
    await browser.window(width, width < 600 ? 844 : 1000, dark);
    for (const at of ["/login", ...paths]) {
      await visit(base + at);
      await run("document.fonts.ready.then(() => true)");
      const wide = await run("document.documentElement.scrollWidth - innerWidth");
      check(wide <= 0, `${at} is ${wide} px too wide at ${width}`);
      check(await run("window.hacked === undefined && document.querySelectorAll('script:not([src]), img').length === 0"), `${at} runs or shows what a mail says`);
      // Every page once in each scheme; the narrow ones differ only in where things stand.
      if (width === 1440 || !dark) {
        await run(`${script}; true`);
        const found = await run("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`))");
        for (const violation of found) faults.push(`${at} at ${width}${dark ? ", dark" : ""}: ${violation}`);
      }
      if (shots) {
        mkdirSync(shots, { recursive: true });
        writeFileSync(`${shots}/${at.replace(/[^A-Za-z0-9]+/g, "_")}-${width}-${dark ? "dark" : "light"}.png`, await browser.picture(true));
      }
    }
  }
}

try {
  await keyboard();
  await forms();
  await looks();
} catch (fault) {
  faults.push(fault.stack);
}
faults.push(...browser.faults.filter((text) => !text.includes("status of 40")));
await browser.close();
if (faults.length) {
  console.log(faults.join("\n"));
  process.exit(1);
}
