// The x87 unit as MMX instructions leave it (SDM 1 9.5.1, 3A table 13-2): TOP is 0, and all registers are in use or
// empty.
import * as L from '../../layout';

const TOP: u16 = 0x3800, IN_USE: u16 = 0, EMPTY: u16 = 0xffff;

@inline function setUnit(tags: u16): void {
  store<u16>(L.FSW, load<u16>(L.FSW) & ~TOP);
  store<u16>(L.FTW, tags);
}
/** From here on the register stack is one of MMX registers. */
@inline export function enterMmx(): void { setUnit(IN_USE); }
/** EMMS. */
@inline export function leaveMmx(): void { setUnit(EMPTY); }
