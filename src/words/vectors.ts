// Names of vectors, for whoever stands above words.
export { vectorName } from '../core/vector-names.ts';
