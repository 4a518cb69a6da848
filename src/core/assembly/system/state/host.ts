// Imports of system.wasm from TypeScript (engine.ts).

/** Throws the JavaScript exception that unwinds to the run loop; never returns. */
@external("host", "throwFault") export declare function throwFault(): void;
@external("host", "mmioRead") export declare function mmioRead(physical: f64, size: u32): u64;
@external("host", "mmioWrite") export declare function mmioWrite(physical: f64, size: u32, value: u64): void;
@external("host", "portRead") export declare function portRead(port: u32, size: u32): u32;
@external("host", "portWrite") export declare function portWrite(port: u32, size: u32, value: u32): void;
@external("host", "acknowledge") export declare function acknowledge(): u32;
@external("host", "msrKnown") export declare function msrKnown(index: u32, write: u32): u32;
@external("host", "msrRead") export declare function msrRead(index: u32): u64;
@external("host", "msrWrite") export declare function msrWrite(index: u32, value: u64): u32;
@external("host", "tprRead") export declare function tprRead(): u32;
@external("host", "tprWrite") export declare function tprWrite(value: u32): void;
@external("host", "log") export declare function log(code: u32, a: u64, b: u64): void;
@external("host", "delivered") export declare function delivered(vector: u32, kind: u32, error: i32, linear: u64): void;
@external("host", "woken") export declare function woken(vcpu: u32): void;
@external("host", "split") export declare function split(linear: u64): u32;
@external("host", "splitCount") export declare function splitCount(): u32;
/** FERR# is asserted: IRQ 13 of a PC. */
@external("host", "floatError") export declare function floatErrorLine(): void;
