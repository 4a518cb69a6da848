/** A symbol file whose questions all go the same way: to a worker, or to a file that may have been opened anew. */
import type { ElfSummary, SymbolFile } from './api.ts';
import type { QueryName } from './protocol.ts';

export type Given<Name extends QueryName> = Parameters<SymbolFile[Name]>;
export type Answer<Name extends QueryName> = Awaited<ReturnType<SymbolFile[Name]>>;
export type Ask = <Name extends QueryName>(name: Name, given: Given<Name>) => Promise<Answer<Name>>;

export function fileOfQueries(elf: ElfSummary, ask: Ask, close: () => Promise<void>): SymbolFile {
  return {
    elf,
    symbols: (...given) => ask('symbols', given),
    symbolAt: (...given) => ask('symbolAt', given),
    symbolsNamed: (...given) => ask('symbolsNamed', given),
    symbolsByPrefix: (...given) => ask('symbolsByPrefix', given),
    readImage: (...given) => ask('readImage', given),
    sourceFiles: (...given) => ask('sourceFiles', given),
    findSourceFiles: (...given) => ask('findSourceFiles', given),
    lineAt: (...given) => ask('lineAt', given),
    lineTable: (...given) => ask('lineTable', given),
    breakpointAddresses: (...given) => ask('breakpointAddresses', given),
    breakpointLocations: (...given) => ask('breakpointLocations', given),
    functionBreakpoints: (...given) => ask('functionBreakpoints', given),
    prologueEnd: (...given) => ask('prologueEnd', given),
    stepRanges: (...given) => ask('stepRanges', given),
    functionAt: (...given) => ask('functionAt', given),
    functionsNamed: (...given) => ask('functionsNamed', given),
    functions: (...given) => ask('functions', given),
    scopesAt: (...given) => ask('scopesAt', given),
    unitGlobals: (...given) => ask('unitGlobals', given),
    globalsNamed: (...given) => ask('globalsNamed', given),
    globalNamesByPrefix: (...given) => ask('globalNamesByPrefix', given),
    enumeratorNamed: (...given) => ask('enumeratorNamed', given),
    callSiteAt: (...given) => ask('callSiteAt', given),
    types: (...given) => ask('types', given),
    typeNamed: (...given) => ask('typeNamed', given),
    unwindRowAt: (...given) => ask('unwindRowAt', given),
    warnings: (...given) => ask('warnings', given),
    checksum: (...given) => ask('checksum', given),
    close,
  };
}
