/** What the compiler of expressions asks about names: the answer is plain data, so that evaluation never waits. */
import type { TypeStore } from '../types.ts';
import type { EvaluationContext, TypeId, VariableLocation } from '../../symbols/index.ts';

/** What a name stands for at one pc. Addresses are run-time addresses. */
export type NamedEntity =
  | {
      readonly kind: 'variable';
      readonly store: TypeStore;
      readonly type: TypeId;
      readonly location: VariableLocation;
      /** Run-time minus link-time address of the module that the location belongs to. */
      readonly loadBias: bigint;
    }
  | { readonly kind: 'constant'; readonly store: TypeStore; readonly type: TypeId; readonly value: bigint }
  /** A function, or a symbol without debugging information. */
  | { readonly kind: 'object'; readonly store: TypeStore; readonly type: TypeId; readonly address: bigint };

export interface NameScope {
  /** Store in which types that the expression makes are kept. */
  readonly store: TypeStore;
  lookup(name: string): Promise<NamedEntity | undefined>;
  /** A C type name (`struct node`, `unsigned long`, `uint64_t`) in `store`, or undefined. */
  typeNamed(name: string): Promise<TypeId | undefined>;
}

/** Where an expression is evaluated: a frame of a vCPU, or a vCPU as it runs. All methods are synchronous. */
export interface FrameContext extends EvaluationContext {
  /** The same frame for a module that was moved by another distance. */
  withBias(loadBias: bigint): EvaluationContext;
  /** Registers by `Register.number` (registers.ts) whatever machine the frame's module is for. */
  readonly native: EvaluationContext;
}
