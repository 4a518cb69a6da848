// D8: no image is torn by a kill. TRAPLINE_KILLS sets how often; TRAPLINE_SEED when.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import process from 'node:process';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { killCampaign } from './linux/kill-campaign.ts';
import { guestOrReason } from './linux/run-guest.ts';

const guest = await guestOrReason();
const kills = Number(process.env['TRAPLINE_KILLS'] ?? 3);

test(
  `SIGKILL at ${kills} random moments of a guest that writes to ext4: e2fsck finds the image clean, or replays its journal`,
  { skip: typeof guest === 'string' ? guest : false, timeout: 120_000 + kills * 60_000 },
  async () => {
    if (typeof guest === 'string') return;
    const seed = campaignSeed();
    console.log(`seed ${seed}`);
    const random = randomOf(seed, 'kills');
    const { replayed, files } = await killCampaign(guest, kills, () => random(1_000_000) / 1_000_000);
    console.log(`${kills} kills: ${replayed} journals replayed, ${files} files written durably`);
    assert.ok(replayed > 0, 'a kill that never meets a journal in use shows nothing');
  },
);
