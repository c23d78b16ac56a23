// A browser for one journey: opened as a new visitor, watched for errors, looked at by axe, and
// photographed at both sizes in both colour schemes. It knows nothing of what the app is for.

import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SIZES = [{ width: 360, height: 780 }, { width: 1280, height: 900 }];
const SCHEMES = ['light', 'dark'];

export async function open({ language, pictures }) {
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.LAIKA_CHROMIUM || 'chromium',
    args: ['--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  const context = await browser.newContext({
    locale: language,
    timezoneId: 'Europe/Madrid',
    viewport: SIZES[0],
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  return new Visit(browser, context, page, pictures);
}

class Visit {
  #trouble = [];
  #number = 0;

  constructor(browser, context, page, pictures) {
    Object.assign(this, { browser, context, page, pictures });
    context.on('weberror', (error) => this.#trouble.push(`error: ${error.error()}`));
    context.on('console', (message) => {
      if (message.type() === 'error') this.#trouble.push(`console: ${message.text()}`);
    });
  }

  // Looks at the page as it is now: no accessibility fault, nothing wider than the screen, and a
  // picture for people, four times.
  async look(name) {
    this.#number += 1;
    for (const size of SIZES) {
      await this.page.setViewportSize(size);
      for (const colorScheme of SCHEMES) {
        await this.page.emulateMedia({ colorScheme });
        const label = `${String(this.#number).padStart(2, '0')}-${name}-${size.width}-${colorScheme}`;
        await this.#axe(label);
        const wide = await this.page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= size.width, `${label}: ${wide} px wide`);
        await this.#picture(label, size);
      }
    }
    await this.page.setViewportSize(SIZES[0]);
    await this.page.emulateMedia({ colorScheme: SCHEMES[0] });
    console.log(`looked at ${name}`);
  }

  // The whole page in a window as high as it is, so that bars stand at its ends, not across it.
  async #picture(label, size) {
    const high = await this.page.evaluate(() => document.documentElement.scrollHeight);
    await this.page.setViewportSize({ ...size, height: Math.max(size.height, high) });
    await this.page.screenshot({ path: join(this.pictures, `${label}.png`) });
    await this.page.setViewportSize(size);
  }

  // Evaluated rather than added as a script: the page's own policy allows no foreign one.
  async #axe(label) {
    await this.page.evaluate(AXE);
    const violations = await this.page.evaluate(
      (values) => globalThis.axe.run({ runOnly: { type: 'tag', values } }).then((it) => it.violations),
      LEVELS,
    );
    const said = violations.map((it) => `${it.id}: ${it.help}\n  ${it.nodes.map((n) => n.html).join('\n  ')}`);
    assert.deepEqual(said, [], `axe, ${label}`);
  }

  // Errors that a step causes on purpose; they are taken off the list.
  async expecting(pattern, step) {
    const before = this.#trouble.length;
    await step();
    this.#trouble = this.#trouble.filter((it, at) => at < before || !pattern.test(it));
  }

  // Goes the way; where it ends too early, says what the browser saw there and keeps a picture.
  async go(way) {
    try {
      await way();
    } catch (error) {
      await this.picture('where-it-stopped').catch(() => {});
      console.error([`at ${this.page.url()}`, ...this.#trouble].join('\n'));
      await this.browser.close();
      throw error;
    }
    await this.close();
  }

  async close() {
    await this.browser.close();
    assert.deepEqual(this.#trouble, [], 'the browser saw errors');
  }

  async picture(name) {
    await this.page.screenshot({ path: join(this.pictures, `${name}.png`), fullPage: true });
  }
}
