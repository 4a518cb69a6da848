// Softfloat as handlers see it: imports, but pure ones (softfloat/sse.ts), so a call to one does not mean "leave the region".
// Exceptions come in FLOAT_FLAGS, vectors in FLOAT_RESULT.
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
@external("softfloat", "f32_compare") export declare function f32_compare(a: u32, b: u32, signalling: u32, mxcsr: u32): u32;
@external("softfloat", "f64_compare") export declare function f64_compare(a: u64, b: u64, signalling: u32, mxcsr: u32): u32;

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
