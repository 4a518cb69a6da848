// core.wasm: decoder, handlers, interpreter. Knows no device and no debugger.
export { run } from './core/interpreter';
export { flush } from './core/blocks';
export { decode } from './core/decoder';
// for the test that the interpreter's switch and the function table number handlers alike
export { handlerIndex, IN_SWITCH } from './core/decode-table.generated';
