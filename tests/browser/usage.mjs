// What a line used in 90 days, as its carrier would report it: CloudEvents, signed. The same figures
// each time, a busy week among quiet ones, so that the screens that replay it have something to say.

import { strict as assert } from 'node:assert';
import { createHmac } from 'node:crypto';

const HOUR_MS = 3_600_000;
const DAYS = 90;

// Sends it all to the server at `origin`.
export async function reportUsage(origin, secret, iccid) {
  const now = Date.now();
  const events = [];
  for (let hour = 1; hour < DAYS * 24; hour += 1) {
    const bytes = used(hour);
    if (bytes > 0) events.push(event(iccid, now - hour * HOUR_MS, bytes));
  }
  for (let from = 0; from < events.length; from += 500) {
    const piece = events.slice(from, from + 500);
    assert.equal(await send(origin, secret, piece), piece.length);
  }
}

// So many hours ago: asleep a third of the day; a third of the weeks on the move.
function used(hoursAgo) {
  const hour = hoursAgo % 24;
  const week = Math.floor(hoursAgo / (24 * 7));
  if (hour < 8) return 0;
  return (week % 3 === 2 ? 90_000_000 : 20_000_000) + (hoursAgo % 7) * 1_234_567;
}

function event(iccid, at, bytes) {
  return {
    specversion: '1.0',
    type: 'laika.usage.v1',
    source: 'carrier/journey',
    id: `${iccid}-${at}`,
    subject: iccid,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data: { bytes, country: 'ES' },
  };
}

async function send(origin, secret, events) {
  const body = JSON.stringify(events);
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  const answer = await fetch(`${origin}/api/v1/usage`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/cloudevents-batch+json',
      'Laika-Signature': `t=${at},v1=${signature}`,
    },
    body,
  });
  assert.equal(answer.status, 200);
  const said = await answer.json();
  assert.deepEqual(said.rejected, []);
  return said.accepted;
}
