// A report in a browser: what a person sees of it and does with it, and what the browser complains of.

import path from "node:path";
import { pathToFileURL } from "node:url";

export class Report {
  static async open(browser, folder, name, { javaScript = true } = {}) {
    const page = await browser.newPage();
    const report = new Report(browser, folder, name, page);
    const complain = (what) => report.complaints.push(what);
    page.on("console", (message) => complain(`console: ${message.text()}`));
    page.on("pageerror", (error) => complain(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      complain(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("request", (request) => request.url() === report.url || complain(`request: ${request.url()}`));
    await page.evaluateOnNewDocument(() => {
      document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
    });
    await page.setJavaScriptEnabled(javaScript);
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(report.url);
    return report;
  }

  constructor(browser, folder, name, page) {
    Object.assign(this, { browser, folder, name, page, complaints: [] });
    this.url = pathToFileURL(path.resolve(folder, `${name}.html`)).href;
  }

  withoutJavaScript() {
    return Report.open(this.browser, this.folder, this.name, { javaScript: false });
  }

  close() {
    return this.page.close();
  }

  requireQuiet() {
    if (this.complaints.length > 0) throw new Error(this.complaints.join("\n"));
  }

  async theme(scheme) {
    await this.page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: scheme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
  }

  picture(what, options = {}) {
    return this.page.screenshot({ path: path.join(this.folder, `${this.name}-${what}.png`), ...options });
  }

  text(selector) {
    return this.page.$eval(selector, (node) => node.innerText);
  }

  texts(selector) {
    return this.page.$$eval(selector, (nodes) => nodes.map((node) => node.innerText));
  }

  click(selector) {
    return this.page.$eval(selector, (node) => node.click());
  }

  found(list = "accounts") {
    return this.text(`#${list}-section .found`);
  }

  // How many the list says that it found.
  async count(list = "accounts") {
    const said = await this.found(list);
    return Number(said.match(/([\d,]+) \w+$/u)[1].replaceAll(",", ""));
  }

  // The identifiers of all rows, page by page. In one go, since a browser need not lay out what nobody looks at.
  ids(list = "accounts") {
    return this.page.$eval(`#${list}-section .list`, (list) => {
      const size = list.querySelector(".pager select");
      const resize = (rows) => {
        size.value = rows;
        size.dispatchEvent(new Event("change"));
      };
      const next = list.querySelector(".pager button:nth-of-type(2)");
      const shown = () => Array.from(list.querySelectorAll(":scope > table > tbody > tr > th"), (head) => head.querySelector("small bdi:last-child").textContent);
      resize("2000");
      const ids = shown();
      while (next.getAttribute("aria-disabled") === "false") {
        next.click();
        ids.push(...shown());
      }
      resize("50");
      return ids;
    });
  }

  async search(text, list = "accounts") {
    await this.page.$eval(`#${list}-section input[type=search]`, (input, text) => {
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }, text);
  }

  head(title) {
    return this.page.$(`::-p-xpath(//section[@id="accounts-section"]//th[starts-with(., "${title}")])`);
  }

  // The cells of a column on the page of the list that is shown.
  column(title) {
    return this.texts(`#accounts-section .list > table > tbody > tr > td[data-label="${title}"]`);
  }
}
