// The whole way of a customer: register, see the line, add a card at the provider, write and turn on
// a rule, use data until it recharges, turn it off; then what a line with a past shows, and what is
// said when nothing can be charged; and a purchase with a wallet by its link. Everything is found by role and name, as a person with or
// without a screen finds it.

import { strict as assert } from 'node:assert';
import { open } from './laika.mjs';
import { reportUsage } from './usage.mjs';
import { wordsIn } from './words.mjs';

const { LAIKA_ORIGIN: origin, LAIKA_LANGUAGE: language, LAIKA_PICTURES: pictures } = process.env;
const { LAIKA_USAGE_SECRET: secret } = process.env;
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
  await rename();
  await replay();
  await tryTheAdvice();
  await mendTheRule();
  await whyNot();
  await aCardIsDeclinedForGood();
  await payByLink();
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
  await page.getByText(words.noPast).waitFor();
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

// A new name can be taken back, by the keyboard too.
async function rename() {
  await goTo(words.me);
  const name = field(words.lineName);
  const before = await name.inputValue();
  await name.fill('Lisboa');
  await name.press('Enter');
  await button(words.undo).waitFor();
  await visit.look('me-renamed');
  await button(words.undo).press('Enter');
  await button(words.undo).waitFor({ state: 'detached' });
  assert.equal(await name.inputValue(), before);
  await onFocus(name);
  await goTo(words.home);
  await heading(before).waitFor();
}

async function onFocus(control) {
  assert.ok(await control.evaluate((it) => it === document.activeElement), 'the keyboard is there');
}

// What the saved rule would have done on 90 days of use: in figures, drawn, and as a table.
async function replay() {
  await goTo(words.me);
  const iccid = (await page.getByText(/eSIM \d+/).first().innerText()).match(/\d{18,}/)[0];
  await reportUsage(origin, secret, iccid);
  await goTo(words.rule);
  await heading(words.replay).waitFor();
  const recharges = Number(await figure(words.recharged));
  assert.ok(recharges > 3, `${recharges} recharges`);
  assert.match(await figure(words.inAll), /^EUR \d+\.00$/);
  assert.match(await figure(words.dryHours), words.withoutTheRule);
  await visit.look('replay');

  await page.getByText(words.asTable).press('Enter');
  const table = page.getByRole('table', { name: words.lowestByDay });
  const rows = table.getByRole('row');
  await rows.nth(90).waitFor();
  assert.equal(await rows.count(), 91, 'a row a day under its head');
  assert.equal(await table.getByText('EUR').count(), recharges, 'as many as were counted');
  await visit.look('replay-table');
}

// A figure of the replay, by its name.
async function figure(name) {
  const named = page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) });
  return (await named.locator('xpath=..').innerText()).slice(name.length).trim();
}

// Trying fills in the editor and saves nothing; the same button takes it back.
async function tryTheAdvice() {
  const before = [await field(words.threshold).inputValue(), await amount().inputValue()];
  await button(words.tryIt).press('Enter');
  await page.getByText(words.filledIn).waitFor();
  assert.notDeepEqual([await field(words.threshold).inputValue(), await amount().inputValue()], before);
  await onFocus(button(words.undo));
  await visit.look('advice-tried');
  await button(words.undo).press('Enter');
  await button(words.tryIt).waitFor();
  assert.deepEqual([await field(words.threshold).inputValue(), await amount().inputValue()], before);
  await onFocus(button(words.tryIt));
}

function amount() {
  return field(words.amount);
}

// What is wrong says so, and offers the value that would do.
async function mendTheRule() {
  await unfold(words.when);
  await field(words.threshold).fill('6');
  await field(words.threshold).blur();
  await page.getByText(words.notBelow).first().waitFor();
  await unfold(words.neverMore);
  await field(words.cap).fill('3');
  await field(words.cap).blur();
  await visit.look('rule-wrong');
  await button(words.useFour).press('Enter');
  assert.equal(await field(words.threshold).inputValue(), '4');
  await onFocus(field(words.threshold));
  await button(words.useFifteen).press('Enter');
  assert.equal(await field(words.cap).inputValue(), '15.00');
  await onFocus(field(words.cap));
  assert.equal(await button(words.useFour).count(), 0, 'what is mended offers nothing more');
}

async function unfold(card) {
  const summary = page.locator('summary').filter({ has: heading(card) });
  if (!(await summary.evaluate((it) => it.parentElement.open))) await summary.press('Enter');
}

// Each look that did not charge says what it looked at, and is recomputed here.
async function whyNot() {
  await goTo(words.history);
  const off = page.getByRole('listitem').filter({ hasText: words.isOff });
  await off.getByText(words.lookedAt).first().press('Enter');
  await off.getByText(words.wasOff).first().waitFor();
  await off.getByText(words.same).first().waitFor();
  await visit.look('history-why-not');
}

// Nothing can be charged any more: the method says why, and what to do.
async function aCardIsDeclinedForGood() {
  // The pause after the last recharge is over an hour later.
  await field(words.time).selectOption('3600');
  await button(words.pass).click();
  await page.getByText(words.passed).first().waitFor();
  await field(words.nextCharge).selectOption({ label: words.declinedForGood });
  await button(words.arm).click();
  await page.getByText(words.armed).first().waitFor();
  await goTo(words.rule);
  await button(words.review).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('button', { name: words.turnOn }).waitFor();
  const again = sheet.getByLabel(words.passwordAgain);
  if (await again.count()) await again.fill(PASSWORD);
  await sheet.getByRole('button', { name: words.turnOn }).click();
  await button(words.turnOff).waitFor();
  await goTo(words.payment);
  await page.getByText(words.declined).waitFor();
  await page.getByText(words.noAutomatic, { exact: true }).waitFor();
  await visit.look('payment-declined');
  await goTo(words.rule);
  await unfold(words.payWith);
  await page.getByText(words.declined).first().waitFor();
  await visit.look('rule-declined');
}

// A wallet without an agreement: added here, chosen by hand, and confirmed at the wallet's own page.
async function payByLink() {
  await goTo(words.payment);
  await button(words.addAlipay).click();
  const asked = page.getByRole('dialog').getByLabel(words.passwordAgain);
  await asked.or(page.getByText(words.addedWallet)).first().waitFor();
  if (await asked.count()) {
    await asked.fill(PASSWORD);
    await page.getByRole('dialog').getByRole('button', { name: words.goOn }).click();
  }
  await page.getByText(words.eachTime).waitFor();
  await visit.look('payment-wallet');
  await goTo(words.home);
  await button(words.rechargeNow).first().click();
  const sheet = page.getByRole('dialog');
  await sheet.getByLabel(words.payWith, { exact: true }).selectOption({ label: words.alipayByLink });
  await visit.look('buy-wallet');
  await sheet.getByRole('button', { name: words.pay }).click();
  await link(words.confirmPayment).waitFor();
  await visit.look('home-link');
  await link(words.confirmPayment).click();
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:/);
  await heading(words.provider.alipay).waitFor();
  await visit.look('wallet');
  await button(words.provider.yes).click();
  await page.waitForURL((url) => url.origin === origin);
  await heading(words.history).waitFor();
  await link(words.confirmPayment).waitFor({ state: 'detached' });
  await visit.look('history-wallet');
}
