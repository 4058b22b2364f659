// Opens reports in a browser and holds them against what the connector listed: `node main.js FOLDER NAME…`, where FOLDER has
// NAME.html (the report) and NAME.jsonl (what `sync --json` wrote of the same tenant). CHROME names the browser.

import path from "node:path";
import puppeteer from "puppeteer-core";
import { CHECKS } from "./checks.js";
import { Expected } from "./expected.js";
import { Report } from "./report.js";

const [folder, ...names] = process.argv.slice(2);
if (names.length === 0 || !process.env.CHROME) {
  console.error("usage: CHROME=PROGRAM node main.js FOLDER NAME…");
  process.exit(2);
}

// Chromium's sandbox does not work for root, as in a container; the pages are our own.
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await puppeteer.launch({ executablePath: process.env.CHROME, args });
let failures = 0;
for (const name of names) {
  const expected = Expected.read(path.join(folder, `${name}.jsonl`));
  for (const [promise, check] of Object.entries(CHECKS)) {
    const start = performance.now();
    const report = await Report.open(browser, folder, name);
    try {
      await check(report, expected);
      report.requireQuiet();
      console.log(`${name}: ${promise} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failures += 1;
      console.error(`${name}: NOT ${promise}\n  ${error.message.replaceAll("\n", "\n  ")}`);
    } finally {
      await report.close();
    }
  }
}
await browser.close();
if (failures > 0) {
  console.error(`${failures} promises of the report do not hold`);
  process.exit(1);
}
