import { invalid } from './extf80';
export function extF80_2xm1(low: u64, high: u32, control: u32): u32 { return invalid(); }
export function extF80_sin(low: u64, high: u32, control: u32): u32 { return invalid(); }
export function extF80_cos(low: u64, high: u32, control: u32): u32 { return invalid(); }
export function extF80_sincos(low: u64, high: u32, control: u32): u32 { return invalid(); }
export function extF80_tan(low: u64, high: u32, control: u32): u32 { return invalid(); }
export function extF80_atan(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32 { return invalid(); }
export function extF80_yl2x(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32 { return invalid(); }
export function extF80_yl2xp1(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32 { return invalid(); }
