// Where guest RAM and its page entries lie in linear memory.
import * as L from '../../../layout';
import { frameEntry } from '../../block-index';

/** RAM, but for the legacy video window A0000h-BFFFFh. */
@inline export function isRam(physical: u64): bool {
  return physical < <u64>load<u32>(L.CONFIG_RAM_SIZE) && (physical < 0xa0000 || physical >= 0xc0000);
}
@inline export function hostAddress(physical: u64): usize { return <usize>load<u32>(L.CONFIG_RAM) + <usize>physical; }
@inline export function pageEntry(physical: u64): usize { return frameEntry(<u32>(physical >> 12)); }
