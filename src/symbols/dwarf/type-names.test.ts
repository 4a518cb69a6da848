import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalTypeName } from './type-names.ts';

it('all spellings of a base type are one', () => {
  const spellings: Record<string, readonly string[]> = {
    'unsigned long int': [
      'unsigned long',
      'long unsigned int',
      'long unsigned',
      'unsigned long int',
      ' long  int unsigned',
    ],
    'long int': ['long', 'signed long', 'long int'],
    'long long int': ['long long', 'long long int', 'signed long long'],
    'unsigned int': ['unsigned', 'unsigned int'],
    int: ['int', 'signed', 'signed int'],
    'short int': ['short', 'short int'],
    char: ['char'],
    'signed char': ['signed char', 'char signed'],
    'unsigned char': ['unsigned char'],
    'long double': ['long double', 'double long'],
    'struct node': ['struct node', 'struct  node'],
    node_t: ['node_t'],
  };
  for (const [canonical, names] of Object.entries(spellings)) {
    for (const name of names) assert.equal(canonicalTypeName(name), canonical, name);
  }
});
