// The part of the WebAssembly JavaScript interface (W3C, "WebAssembly JavaScript Interface", 2.0) that the project uses. TypeScript
// declares it only together with the DOM, which most of the code must not know.
declare namespace WebAssembly {
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'externref' | 'anyfunc';
  type ExportValue = Function | Global | Memory | Table;
  type Exports = Readonly<Record<string, ExportValue>>;
  type ModuleImports = Readonly<Record<string, ExportValue | number | bigint>>;
  type Imports = Readonly<Record<string, ModuleImports | Exports>>;

  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  var Module: {
    new (bytes: ArrayBufferView | ArrayBuffer): Module;
    customSections(module: Module, name: string): ArrayBuffer[];
    exports(module: Module): { name: string; kind: string }[];
    imports(module: Module): { module: string; name: string; kind: string }[];
  };

  interface Instance {
    readonly exports: Exports;
  }
  var Instance: { new (module: Module, imports?: Imports): Instance };

  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  var Memory: { new (descriptor: { initial: number; maximum?: number; shared?: boolean }): Memory };

  interface Table {
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(count: number, value?: unknown): number;
  }
  var Table: { new (descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number }): Table };

  interface Global {
    value: number | bigint;
  }
  var Global: { new (descriptor: { value: ValueType; mutable?: boolean }, value?: number | bigint): Global };

  interface CompileError extends Error {}
  var CompileError: { new (message?: string): CompileError };
  interface LinkError extends Error {}
  var LinkError: { new (message?: string): LinkError };
  interface RuntimeError extends Error {}
  var RuntimeError: { new (message?: string): RuntimeError };

  function validate(bytes: ArrayBufferView | ArrayBuffer): boolean;
  function compile(bytes: ArrayBufferView | ArrayBuffer): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
