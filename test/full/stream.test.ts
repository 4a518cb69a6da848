// The long form of test/dap/stream.test.ts: 110,000 pieces of junk, 22 sessions.
import { it } from 'node:test';
import { streamCampaign } from '../dap/stream-campaign.ts';
import { SeededBytes } from '../harness/seeded-bytes.ts';

it('outlives 110,000 pieces of junk', async (t) => {
  const random = new SeededBytes();
  t.diagnostic(`seed ${random.seed}`);
  await streamCampaign(110_000, random);
});
