// A WASM side: Node itself, or a page in Chromium. A line of words in; a line with the nanoseconds
// it took and the sum out. The page is driven from outside, but times itself.
//
//   node side.mjs node|chromium FOLDER

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [where, folder] = process.argv.slice(2);
const SCRIPT = 'laika_bench.js';
const MODULE = 'laika_bench_bg.wasm';
const TYPES = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };

async function node() {
  const { initSync, answer } = await import(pathToFileURL(join(folder, SCRIPT)));
  initSync({ module: readFileSync(join(folder, MODULE)) });
  return (words) => {
    const start = performance.now();
    const sum = answer(words);
    return [performance.now() - start, sum];
  };
}

async function chromium() {
  const browser = await import(createRequire(new URL('../browser/', import.meta.url)).resolve('playwright-core'));
  const opened = await browser.default.chromium.launch({
    executablePath: process.env.LAIKA_CHROMIUM || 'chromium',
    args: ['--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  const page = await opened.newPage();
  await page.goto(await serve());
  await page.evaluate(async (script) => {
    const { default: load, answer } = await import(script);
    await load();
    globalThis.timed = (words) => {
      const start = performance.now();
      const sum = answer(words);
      return [performance.now() - start, sum];
    };
  }, `/${SCRIPT}`);
  const tools = await page.context().newCDPSession(page);
  return async (words) => {
    const [first, rate] = words.split(' ');
    if (first === 'slow') {
      await tools.send('Emulation.setCPUThrottlingRate', { rate: Number(rate) });
      return [0, `${rate} times slower`];
    }
    return page.evaluate((words) => globalThis.timed(words), words);
  };
}

// The folder over HTTP, because a page may not import from files.
async function serve() {
  const server = createServer((request, response) => {
    const name = request.url === '/' ? 'index.html' : request.url.slice(1);
    const known = name === SCRIPT || name === MODULE;
    response.setHeader('Content-Type', TYPES[name.split('.').pop()] ?? 'text/plain');
    response.end(known ? readFileSync(join(folder, name)) : '<!doctype html><title>bench</title>');
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  server.unref();
  return `http://127.0.0.1:${server.address().port}/`;
}

const answered = await (where === 'node' ? node() : chromium());
for await (const words of createInterface({ input: process.stdin })) {
  const [milliseconds, sum] = await answered(words);
  console.log(`${Math.round(milliseconds * 1e6)} ${sum}`);
}
process.exit(0);
