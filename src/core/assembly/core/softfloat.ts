// Softfloat as handlers see it: imports, but pure ones (softfloat/sse.ts), so a call to one does not mean "leave the
// region". Exceptions come in FLOAT_FLAGS, vectors in FLOAT_RESULT.
@external("softfloat", "f32_operation")
export declare function f32_operation(operation: u32, a: u32, b: u32, mxcsr: u32): u32;
@external("softfloat", "f64_operation")
export declare function f64_operation(operation: u32, a: u64, b: u64, mxcsr: u32): u64;
@external("softfloat", "f32x4_operation")
export declare function f32x4_operation(operation: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void;
@external("softfloat", "f64x2_operation")
export declare function f64x2_operation(operation: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void;
@external("softfloat", "f32x4_dot")
export declare function f32x4_dot(imm: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void;
@external("softfloat", "f64x2_dot")
export declare function f64x2_dot(imm: u32, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, mxcsr: u32): void;
@external("softfloat", "f32_compare") export declare function f32_compare(a: u32, b: u32, signalling: u32,
  mxcsr: u32): u32;
@external("softfloat", "f64_compare") export declare function f64_compare(a: u64, b: u64, signalling: u32,
  mxcsr: u32): u32;

@external("softfloat", "f32_to_i32") export declare function f32_to_i32(a: u32, rounding: u32, mxcsr: u32): u32;
@external("softfloat", "f32_to_i64") export declare function f32_to_i64(a: u32, rounding: u32, mxcsr: u32): u64;
@external("softfloat", "f64_to_i32") export declare function f64_to_i32(a: u64, rounding: u32, mxcsr: u32): u32;
@external("softfloat", "f64_to_i64") export declare function f64_to_i64(a: u64, rounding: u32, mxcsr: u32): u64;
@external("softfloat", "i64_to_f32") export declare function i64_to_f32(a: u64, mxcsr: u32): u32;
@external("softfloat", "i64_to_f64") export declare function i64_to_f64(a: u64, mxcsr: u32): u64;
@external("softfloat", "f32_to_f64") export declare function f32_to_f64(a: u32, mxcsr: u32): u64;
@external("softfloat", "f64_to_f32") export declare function f64_to_f32(a: u64, mxcsr: u32): u32;
@external("softfloat", "f32x4_to_i32x4")
export declare function f32x4_to_i32x4(low: u64, high: u64, rounding: u32, mxcsr: u32): void;
@external("softfloat", "i32x4_to_f32x4") export declare function i32x4_to_f32x4(low: u64, high: u64, mxcsr: u32): void;
@external("softfloat", "f64x2_to_i32x2")
export declare function f64x2_to_i32x2(low: u64, high: u64, rounding: u32, mxcsr: u32): void;
@external("softfloat", "f64x2_to_f32x2") export declare function f64x2_to_f32x2(low: u64, high: u64, mxcsr: u32): void;
@external("softfloat", "f32x2_to_f64x2") export declare function f32x2_to_f64x2(a: u64, mxcsr: u32): void;

// the x87: results in FLOAT_EXTENDED_LOW and _HIGH, exceptions and condition codes in the status word's places
@external("softfloat", "extF80_add")
export declare function extF80_add(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32;
@external("softfloat", "extF80_sub")
export declare function extF80_sub(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32;
@external("softfloat", "extF80_mul")
export declare function extF80_mul(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32;
@external("softfloat", "extF80_div")
export declare function extF80_div(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32;
@external("softfloat", "extF80_sqrt")
export declare function extF80_sqrt(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_rem")
export declare function extF80_rem(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, nearest: u32, control: u32): u32;
@external("softfloat", "extF80_scale")
export declare function extF80_scale(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, control: u32): u32;
@external("softfloat", "extF80_roundToInt")
export declare function extF80_roundToInt(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_extract")
export declare function extF80_extract(low: u64, high: u32): u32;
@external("softfloat", "extF80_compare")
export declare function extF80_compare(aLow: u64, aHigh: u32, bLow: u64, bHigh: u32, quiet: u32): u32;
@external("softfloat", "extF80_classify")
export declare function extF80_classify(low: u64, high: u32): u32;
@external("softfloat", "f32_to_extF80")
export declare function f32_to_extF80(bits: u32): u64;
@external("softfloat", "f64_to_extF80")
export declare function f64_to_extF80(bits: u64): u64;
@external("softfloat", "i64_to_extF80")
export declare function i64_to_extF80(value: i64): u64;
@external("softfloat", "bcd_to_extF80")
export declare function bcd_to_extF80(low: u64, high: u32): u64;
@external("softfloat", "extF80_to_f32")
export declare function extF80_to_f32(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_to_f64")
export declare function extF80_to_f64(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_to_integer")
export declare function extF80_to_integer(low: u64, high: u32, bits: u32, control: u32): u32;
@external("softfloat", "extF80_to_bcd")
export declare function extF80_to_bcd(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_2xm1")
export declare function extF80_2xm1(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_sin")
export declare function extF80_sin(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_cos")
export declare function extF80_cos(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_sincos")
export declare function extF80_sincos(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_tan")
export declare function extF80_tan(low: u64, high: u32, control: u32): u32;
@external("softfloat", "extF80_atan")
export declare function extF80_atan(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32;
@external("softfloat", "extF80_yl2x")
export declare function extF80_yl2x(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32;
@external("softfloat", "extF80_yl2xp1")
export declare function extF80_yl2xp1(xLow: u64, xHigh: u32, yLow: u64, yHigh: u32, control: u32): u32;
