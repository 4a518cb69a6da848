// core.wasm: decoder, handlers, interpreter. Knows no device and no debugger.
export { run, blockAt } from './core/interpreter';
export { flush } from './core/blocks';
export { decode } from './core/decoder';
