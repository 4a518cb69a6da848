// CMC CLC STC CLD STD.
import * as L from '../../../layout';
import { carryFlag, setCarry } from './flags';

const FLAG_DF: u64 = 0x400;

@inline export function cmc(r: usize): void { setCarry(carryFlag() ^ 1); }
@inline export function clc(r: usize): void { setCarry(0); }
@inline export function stc(r: usize): void { setCarry(1); }
@inline export function cld(r: usize): void { store<u64>(L.RFLAGS, load<u64>(L.RFLAGS) & ~FLAG_DF); }
@inline export function std(r: usize): void { store<u64>(L.RFLAGS, load<u64>(L.RFLAGS) | FLAG_DF); }
