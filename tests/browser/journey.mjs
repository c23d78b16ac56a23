// The whole way of a customer, steps 1 to 6: register, see the line, add a card at the provider,
// write and turn on a rule, use data until it recharges, turn it off. Everything is found by role
// and name, as a person with or without a screen finds it.

import { strict as assert } from 'node:assert';
import { open } from './laika.mjs';
import { wordsIn } from './words.mjs';

const { LAIKA_ORIGIN: origin, LAIKA_LANGUAGE: language, LAIKA_PICTURES: pictures } = process.env;
const words = wordsIn(language);
const visit = await open({ language, pictures });
const { page, context } = visit;
const PASSWORD = 'a long walk in the snow';
const EMAIL = 'belka@example.org';

const button = (name) => page.getByRole('button', { name, exact: true });
const link = (name) => page.getByRole('link', { name, exact: true });
const field = (name) => page.getByLabel(name, { exact: true });
const heading = (name) => page.getByRole('heading', { name, exact: true });
const goTo = (name) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();

await visit.go(async () => {
  await register();
  await logOutAndIn();
  await seeTheLine();
  await addACard();
  await writeTheRule();
  await useData();
  await turnOff();
});
console.log('the whole way');

async function register() {
  await page.goto(origin);
  await heading(words.welcome).waitFor();
  await visit.look('welcome');
  await link(words.register).click();
  await heading(words.register).waitFor();
  await visit.look('register');
  await field(words.phone).fill('+34 612 345 678');
  await field(words.email).fill(EMAIL);
  await field(words.password).fill(PASSWORD);
  await button(words.sendCodes).click();
  await field(words.phoneCode).waitFor();
  await visit.look('codes');

  const [outbox] = await Promise.all([context.waitForEvent('page'), link(words.outbox).click()]);
  const codes = await sixDigits(outbox);
  await outbox.close();
  await field(words.phoneCode).fill(codes.phone);
  await field(words.emailCode).fill(codes.email);
  await button(words.confirm).click();
  await heading(words.guide).waitFor();
  await visit.look('guide');
}

// The codes, as read in the outbox: each is in the message to its contact.
async function sixDigits(outbox) {
  const of = async (contact) => {
    const message = outbox.getByRole('listitem').filter({ hasText: contact }).first();
    return (await message.innerText()).match(/\b\d{6}\b/)[0];
  };
  return { phone: await of('+34612345678'), email: await of(EMAIL) };
}

async function logOutAndIn() {
  await goTo(words.me);
  await heading(words.me).waitFor();
  await visit.look('me');
  await button(words.logOut).click();
  await heading(words.welcome).waitFor();
  await link(words.signIn).click();
  await heading(words.signIn).waitFor();
  await visit.look('sign-in');
  await field(words.contact).fill(EMAIL);
  await field(words.password).fill(PASSWORD);
  await button(words.signIn).click();
  await heading(words.home).waitFor();
}

async function seeTheLine() {
  await page.getByRole('meter', { name: words.dataLeft }).waitFor();
  assert.equal(await left(), 10_000_000_000);
  await visit.look('home');
}

async function left() {
  const meter = page.getByRole('meter', { name: words.dataLeft }).first();
  return Number(await meter.getAttribute('aria-valuenow'));
}

async function addACard() {
  await goTo(words.payment);
  await heading(words.payment).waitFor();
  await visit.look('payment-none');
  await button(words.addMethod).first().click();
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:/);
  await visit.look('provider');
  await field(words.provider.number).fill('4242 4242 4242 4242');
  await field(words.provider.expiry).fill('12 / 34');
  await field(words.provider.cvc).fill('123');
  await button(words.provider.save).click();
  await page.waitForURL((url) => url.origin === origin);
  await page.getByText('4242').first().waitFor();
  await visit.look('payment');
}

// What is typed shows at once what it means: the sentence, the next dates, the most it can take.
async function writeTheRule() {
  await goTo(words.rule);
  await heading(words.rule).waitFor();
  await visit.look('rule-new');
  await page.getByRole('checkbox', { name: words.scheduled }).check();
  await page.getByRole('radio', { name: words.fixedData }).check();
  await field(words.cap).fill('90');
  await heading(words.worst).waitFor();
  await page.getByText(words.atMost).first().waitFor();
  const dates = heading(words.dates).locator('xpath=following::ol[1]').getByRole('listitem');
  assert.equal(await dates.count(), 12, 'the next dates');
  await visit.look('rule-typed');
  await page.getByRole('checkbox', { name: words.scheduled }).uncheck();
  await page.getByRole('radio', { name: words.target }).check();
  await button(words.review).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('button', { name: words.turnOn }).waitFor();
  await visit.look('consent');
  const again = sheet.getByLabel(words.passwordAgain);
  if (await again.count()) await again.fill(PASSWORD);
  await sheet.getByRole('button', { name: words.turnOn }).click();
  await button(words.turnOff).waitFor();
  await visit.look('rule-on');
}

// Uses data with the sandbox bar, down to what the rule was written for.
async function useData() {
  await goTo(words.home);
  await page.getByText(words.sandbox, { exact: true }).click();
  const start = Date.now();
  await use('5000', 5_000_000_000);
  assert.ok(Date.now() - start < 2_000, `the meter moved after ${Date.now() - start} ms`);
  await use('2000', 3_000_000_000);
  await use('1000', 2_000_000_000);
  // At exactly 1 GB the rule fires, and fills up to 5 GB again.
  await use('1000', 5_000_000_000);
  await visit.look('home-recharged');

  await link(words.outbox).click();
  await page.getByRole('listitem').filter({ hasText: '2 GB' }).first().waitFor();
  await page.getByRole('listitem').filter({ hasText: 'EUR 12.00' }).first().waitFor();
  await visit.look('outbox');

  await goTo(words.history);
  await heading(words.history).waitFor();
  await page.getByText(words.credited, { exact: true }).waitFor();
  assert.equal(await recharges(), 1);
  await button(words.why).click();
  await page.getByText(words.same).first().waitFor();
  await visit.look('history');
}

async function use(megabytes, then) {
  await field(words.useData).selectOption(megabytes);
  await button(words.use).click();
  await page.waitForFunction(
    ([value]) => document.querySelector('[role=meter]')?.getAttribute('aria-valuenow') === value,
    [String(then)],
  );
}

async function recharges() {
  return page.getByText(words.credited, { exact: true }).count();
}

// Off: the data runs out, and nothing is charged.
async function turnOff() {
  await goTo(words.rule);
  await button(words.turnOff).click();
  await page.getByText(words.turnedOff).first().waitFor();
  await visit.look('rule-off');
  await goTo(words.home);
  await use('5000', 0);
  await page.getByRole('meter', { name: words.dataLeft }).first().waitFor();
  await visit.look('home-dry');
  await goTo(words.history);
  await page.getByText(words.credited, { exact: true }).first().waitFor();
  assert.equal(await recharges(), 1);
}
