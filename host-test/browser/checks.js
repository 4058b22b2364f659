// The promises of a report, each with how it is tried. A check fails by throwing.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import axe from "axe-core";

const NARROW = { width: 320, height: 900 };
// What an upright A4 leaves between the margins.
const PAPER = { width: 703, height: 1009 };
// Characters that cannot be seen, or that turn the direction of writing.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

function sameMembers(actual, expected, what) {
  assert.deepEqual([...actual].sort(), [...expected].sort(), what);
}

function number(text) {
  return Number(text.replaceAll(",", ""));
}

async function axeFinds(report, when) {
  // By way of the debugger, which the page's policy does not hold back.
  await report.page.evaluate(axe.source);
  const { violations } = await report.page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  const found = violations.map(({ id, help, nodes }) => `${when}: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
  assert.deepEqual(found, []);
}

export const CHECKS = {
  "its title names the tenant and the day": async (report) => {
    const tenant = await report.text("h1");
    assert.match(tenant, /^https?:/u);
    const title = await report.page.title();
    assert.ok(title.startsWith(`Access review: ${tenant}, `) && /\d{4}-\d{2}-\d{2}$/u.test(title), title);
  },

  "it counts what was listed": async (report, expected) => {
    const counts = (await report.texts(".counts dd")).map(number);
    assert.deepEqual(counts, [expected.accounts, expected.roles, expected.grants, expected.organizations].map((items) => items.length));
  },

  "everybody is listed exactly once": async (report, expected) => {
    sameMembers(await report.ids(), expected.everybody());
    assert.equal(await report.count(), expected.everybody().length);
  },

  "each number of what to look at leads to just these accounts": async (report, expected) => {
    for (const [finding, answers] of Object.entries(expected.findings())) {
      for (const [answer, attribute] of [["is", "finding"], ["notKnown", "not-known"]]) {
        const cell = `[data-${attribute}="${finding}"]`;
        const shown = (await report.text(cell)).split(":")[0].trim();
        const ids = answers[answer];
        if (ids === null) {
          assert.match(shown, /^(–\s*not known)?$/u, cell);
          continue;
        }
        assert.equal(number(shown), ids.length, cell);
        if (ids.length === 0) continue;
        await report.click(`${cell} button`);
        sameMembers(await report.ids(), ids, cell);
      }
    }
  },

  "each role leads to its members": async (report, expected) => {
    const roles = await report.ids("roles");
    sameMembers(roles, [...new Set([...expected.roles.map((role) => role.id), ...expected.grants.map((grant) => grant.role)])]);
    for (const [place, role] of roles.entries()) {
      await report.click(`#roles-section .list > table > tbody > tr:nth-child(${place + 1}) th button`);
      sameMembers(await report.ids(), expected.members(role), `role ${role}`);
    }
  },

  "no number of members is shown of a role whose members are unknown, and the page says so at its top": async (report, expected) => {
    const unknown = expected.unknownRoles.map((role) => role.id);
    const cells = await report.page.$$eval("#roles-section .list > table > tbody > tr", (rows) => rows.map((row) => [row.querySelector("th small bdi:last-child").textContent, row.querySelector('td[data-label="Members"]').innerText]));
    for (const [role, members] of cells) {
      if (unknown.includes(role)) assert.equal(members, "members unknown", `role ${role}`);
      else assert.match(members, /^\d/u, `role ${role}`);
    }
    const warnings = (await report.texts(".warning")).filter((warning) => warning.includes("are unknown:"));
    assert.equal(warnings.length, unknown.length === 0 ? 0 : 1);
  },

  "search finds whom it should, without regard to case and accents": async (report, expected) => {
    const account = expected.accounts.findLast((account) => account.email !== null);
    await report.search(account.email.toUpperCase());
    sameMembers(await report.ids(), [account.id]);
    // Somebody whose address does not have the name without its accents already.
    const plain = (account) => (account.familyName ?? "").normalize("NFD").replace(/\p{M}/gu, "");
    const someone = expected.accounts.find((account) => plain(account) !== account.familyName && /^\w+$/u.test(plain(account)) && !account.email?.includes(plain(account).toLowerCase()));
    await report.search(plain(someone));
    assert.ok((await report.ids()).includes(someone.id), someone.familyName);
    await report.search("nobody has such a name");
    assert.equal(await report.found(), "0 accounts");
    await report.click("#clear");
    assert.equal(await report.count(), expected.everybody().length);
  },

  "filters narrow each other": async (report, expected) => {
    const { administrators, "no-second-factor": factor } = expected.findings();
    const boxes = await report.page.$$("#findings-filter input");
    for (const box of boxes) {
      const label = await box.evaluate((node) => node.parentElement.textContent);
      if (/^(Administrators|No second factor) \(/u.test(label)) await box.evaluate((node) => node.click());
    }
    const both = administrators.is.filter((id) => factor.is.includes(id));
    sameMembers(await report.ids(), both);
    const caption = await report.text("#accounts-section .list > table > caption");
    assert.match(caption, /Administrators; No second factor/u);
  },

  "a list is sorted by its heads, and what is not known comes last": async (report, expected) => {
    for (const title of ["Account", "Last sign-in", "Second factor", "Organization"]) {
      for (const direction of ["ascending", "descending"]) {
        const head = await report.head(title);
        await head.$eval("button", (node) => node.click());
        assert.equal(await head.evaluate((node) => node.getAttribute("aria-sort")), direction);
        const sorted = await report.page.$$eval("#accounts-section [aria-sort]", (nodes) => nodes.length);
        assert.equal(sorted, 1);
      }
    }
    const head = await report.head("Last sign-in");
    const days = async () => {
      await head.$eval("button", (node) => node.click());
      return report.column("Last sign-in");
    };
    for (const turned of [(days) => days, (days) => days.toReversed()]) {
      const shown = await days();
      const known = shown.filter((day) => /^\d/u.test(day));
      assert.deepEqual(known, turned([...known].sort()));
      assert.equal(known.length > 0, expected.signInsAsked, "what is known comes first");
      assert.deepEqual(shown.slice(0, known.length), known, "what is not known comes last");
    }
  },

  "what is not known is a dash and never a no": async (report, expected) => {
    await report.page.select("#accounts-section .pager select", "100");
    const ids = await report.page.$$eval("#accounts-section .list > table > tbody > tr > th small bdi:last-child", (nodes) => nodes.map((node) => node.textContent));
    const accounts = new Map(expected.accounts.map((account) => [account.id, account]));
    const words = {
      State: ({ enabled }) => ({ true: "enabled", false: "disabled", null: null })[enabled],
      Administrator: ({ administrator }) => ({ true: "yes", false: "no", null: null })[administrator],
      "Second factor": ({ mfaConfigured }) => ({ true: "set up", false: "none", null: null })[mfaConfigured],
      "Last sign-in": ({ lastSignIn }) => lastSignIn?.slice(0, 10) ?? (expected.signInsAsked ? "none on record" : null),
    };
    for (const [title, word] of Object.entries(words)) {
      const cells = await report.column(title);
      const expectedCells = ids.map((id) => (accounts.has(id) ? word(accounts.get(id)) : null) ?? "–");
      assert.deepEqual(cells.map((cell) => cell.replace(/\s*not known$/u, "")), expectedCells, title);
    }
  },

  "the details of an account have its roles and where they come from": async (report, expected) => {
    const holder = expected.accounts.find((account) => expected.grants.some((grant) => grant.account === account.id && grant.source !== null));
    await report.search(holder.email);
    await report.click("#accounts-section th button[aria-expanded]");
    const rows = await report.page.$$eval(".details tbody tr", (rows) => rows.map((row) => row.querySelector("td").innerText));
    const grants = expected.grants.filter((grant) => grant.account === holder.id);
    sameMembers(rows, grants.map((grant) => grant.source ?? "–"));
    await report.click("#accounts-section th button[aria-expanded]");
    assert.equal(await report.page.$(".details"), null);
  },

  "it can be used by keyboard alone, and the focus can be seen": async (report) => {
    const { page } = report;
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to the content");
    const left = await page.evaluate(() => document.activeElement.getBoundingClientRect().left);
    assert.ok(left >= 0, "the link to skip is seen when it has the focus");
    await page.keyboard.press("Enter");
    await page.focus("#accounts-section input[type=search]");
    const reached = [];
    // From the search through every box to the rows.
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press("Tab");
      const [what, outline] = await page.evaluate(() => [document.activeElement.closest("th, label, button, select")?.textContent.trim() ?? "", parseFloat(getComputedStyle(document.activeElement).outlineWidth)]);
      assert.ok(outline >= 2, `the focus cannot be seen on ${what}`);
      reached.push(what);
      if (what.startsWith("Account")) break;
    }
    await page.keyboard.press("Enter");
    const head = await report.head("Account");
    assert.equal(await head.evaluate((node) => node.getAttribute("aria-sort")), "ascending", reached.join(" > "));
    await page.focus("#accounts-section tbody button");
    await page.keyboard.press("Space");
    assert.ok(await page.$(".details"), "Space opens the details");
  },

  "pages turn, and say where they are": async (report, expected) => {
    const pages = Math.ceil(expected.everybody().length / 50);
    assert.equal(await report.text("#accounts-section .pager span"), `Page 1 of ${pages.toLocaleString("en")}`);
    await report.click("#accounts-section .pager button:nth-of-type(2)");
    const page = Math.min(2, pages);
    assert.equal(await report.text("#accounts-section .pager span"), `Page ${page} of ${pages.toLocaleString("en")}`);
  },

  "how many were found is announced": async (report) => {
    assert.equal(await report.page.$eval("#accounts-section .found", (node) => node.getAttribute("role")), "status");
    await report.search("zoe");
    assert.match(await report.found(), /accounts?$/u);
  },

  "nothing that the tenant says is markup, script, or turns the direction of writing": async (report, expected) => {
    assert.equal(await report.page.$$eval("script", (nodes) => nodes.length), 2);
    assert.equal(await report.page.$$eval("img, iframe, object, link, base", (nodes) => nodes.length), 0);
    await report.page.select("#accounts-section .pager select", "500");
    const text = await report.page.evaluate(() => [...document.querySelectorAll("body *:not(script)")].filter((node) => node.children.length === 0).map((node) => node.textContent).join("\n"));
    assert.doesNotMatch(text, HIDDEN);
    for (const { givenName } of expected.accounts.filter(({ givenName }) => givenName?.includes("<"))) {
      assert.ok(text.includes(givenName), `${givenName} is shown as it is`);
    }
    const names = await report.page.$$eval("#accounts-section tbody th button", (nodes) => nodes.every((node) => node.querySelector("bdi") !== null));
    assert.ok(names, "each name is a bdi");
  },

  "its policy lets nothing else run, load or be sent": async (report) => {
    const refused = await report.page.evaluate(async () => {
      const attempts = {
        "inline script": () => {
          const script = document.createElement("script");
          try { script.textContent = "globalThis.ran = true"; } catch { return true; }
          document.body.append(script);
          return globalThis.ran !== true;
        },
        markup: () => {
          try { document.createElement("p").innerHTML = "<b>b</b>"; } catch { return true; }
          return false;
        },
        fetch: () => fetch("https://example.invalid/").then(() => false, () => true),
        image: () => new Promise((resolve) => {
          const image = new Image();
          image.onload = () => resolve(false);
          image.onerror = () => resolve(true);
          image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
        }),
        style: () => {
          document.body.setAttribute("style", "outline-width: 77px");
          return getComputedStyle(document.body).outlineWidth !== "77px";
        },
      };
      const held = {};
      for (const [name, attempt] of Object.entries(attempts)) held[name] = await attempt();
      return held;
    });
    for (const [attempt, held] of Object.entries(refused)) assert.ok(held, `${attempt} is not refused`);
    assert.ok(report.complaints.some((complaint) => complaint.startsWith("console: policy")), "and the browser says so");
    // They were provoked, and the request was refused before it was sent.
    report.complaints = report.complaints.filter((complaint) => complaint.startsWith("dialog"));
  },

  "nobody is shut out, in light and in dark, on a wide screen and on a narrow one": async (report) => {
    await report.click("#accounts-section tbody button");
    for (const scheme of ["light", "dark"]) {
      await report.theme(scheme);
      await report.page.setViewport({ width: 1280, height: 900 });
      await axeFinds(report, scheme);
      await report.page.setViewport(NARROW);
      await axeFinds(report, `${scheme}, narrow`);
    }
  },

  "it fits a screen of 320 pixels, and every wider one": async (report) => {
    await report.click("#accounts-section tbody button");
    for (const width of [320, 480, 768, 1024, 1190, 1280, 1920]) {
      await report.page.setViewport({ width, height: 900 });
      const needed = await report.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(needed <= width, `it is ${needed} pixels wide on a screen of ${width}`);
    }
  },

  "without JavaScript it has the numbers, and says what it has not": async (report, expected) => {
    const plain = await report.withoutJavaScript();
    try {
      assert.deepEqual((await plain.texts(".counts dd")).map(number)[0], expected.accounts.length);
      assert.equal(number(await plain.text('[data-finding="administrators"]')), expected.findings().administrators.is.length);
      assert.match(await plain.text("noscript"), /JavaScript is off/u);
      assert.equal(await plain.page.$eval("#accounts-section", (node) => node.checkVisibility()), false);
      plain.requireQuiet();
    } finally {
      await plain.close();
    }
  },

  "nothing moves for those who do not want it to": async (report) => {
    assert.equal(await report.page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
  },

  "on paper it has a place to sign, and no controls": async (report) => {
    await report.page.emulateMediaType("print");
    const visible = (selector) => report.page.$eval(selector, (node) => node.checkVisibility());
    assert.ok(await visible(".signature"));
    for (const selector of [".controls", ".pager button", "header nav"]) assert.ok(!(await visible(selector)), selector);
    const pdf = path.join(report.folder, `${report.name}.pdf`);
    fs.writeFileSync(pdf, await report.page.pdf({ format: "A4", landscape: true, preferCSSPageSize: false }));
  },

  "on upright paper no head runs into the next, and nothing is cut off": async (report) => {
    await report.page.emulateMediaType("print");
    await report.page.setViewport(PAPER);
    const wide = await report.page.$$eval(".list > table > thead > tr > th", (heads) => heads.filter((head) => head.scrollWidth > head.clientWidth).map((head) => head.textContent));
    assert.deepEqual(wide, []);
    const needed = await report.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(needed <= PAPER.width, `it is ${needed} pixels wide on a page of ${PAPER.width}`);
  },

  "these are its pictures": async (report) => {
    for (const scheme of ["light", "dark"]) {
      await report.theme(scheme);
      for (const part of ["look", "charts", "roles", "accounts"]) {
        await report.page.$eval(`#${part}`, (node) => node.scrollIntoView());
        await report.picture(`${scheme}-${part}`);
      }
    }
    await report.theme("light");
    await report.page.setViewport(NARROW);
    for (const part of ["look", "charts", "accounts"]) {
      await report.page.$eval(`#${part}`, (node) => node.scrollIntoView());
      await report.picture(`narrow-${part}`);
    }
  },
};
