/** Junk on the wire, 5,000 pieces of it; test/full has 110,000. */
import { it } from 'node:test';
import { SeededBytes } from '../harness/seeded-bytes.ts';
import { streamCampaign } from './stream-campaign.ts';

it('outlives 5,000 pieces of junk', async (t) => {
  const random = new SeededBytes();
  t.diagnostic(`seed ${random.seed}`);
  await streamCampaign(5000, random);
});
