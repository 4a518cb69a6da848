// The long form of test/jit: 20,000 random programs in both engines.
process.env['TRAPLINE_PROGRAMS'] ??= '20000';
await import('../jit/equivalence.test.ts');
export {};
