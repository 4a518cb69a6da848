/** Numbers of the ELF specification (System V gABI, chapter 4 and 5) that are looked at. */

export const PT_LOAD = 1;
export const PT_NOTE = 4;

export const SHT_SYMTAB = 2;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;

export const SHF_ALLOC = 2n;
export const SHF_EXECINSTR = 4n;
export const SHF_COMPRESSED = 0x800n;

export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
export const SHN_ABS = 0xfff1;
export const SHN_XINDEX = 0xffff;

export const EM_386 = 3;
export const EM_X86_64 = 62;
