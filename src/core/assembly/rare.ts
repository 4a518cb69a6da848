// Operations of rare instructions: the number in a record's R_PARAMETER when its handler is `rare`, which calls the
// import system.rare(record). To the JIT that is "leave the region in front of this instruction".
export const RARE_INVALID = 0; // #UD
export const RARE_UD = 1; // UD0, UD1, UD2: #UD without a log line
export const RARE_TOO_LONG = 2; // more than 15 bytes: #GP(0)
export const RARE_HLT = 3;
export const RARE_CPUID = 4;
export const RARE_RDTSC = 5;
export const RARE_RDTSCP = 6;
export const RARE_RDMSR = 7;
export const RARE_WRMSR = 8;
export const RARE_IN = 9; // src = &imm or DX slot
export const RARE_OUT = 10;
export const RARE_INS = 11;
export const RARE_OUTS = 12;
export const RARE_INT3 = 13;
export const RARE_INT = 14; // vector in imm
export const RARE_INT1 = 15;
export const RARE_INTO = 16;
export const RARE_IRET = 17;
export const RARE_CALL_FAR = 18; // memory: m16:xx at ea; else imm = offset | selector << 32
export const RARE_JMP_FAR = 19;
export const RARE_RET_FAR = 20; // imm = bytes to release
export const RARE_SYSCALL = 21;
export const RARE_SYSRET = 22;
export const RARE_SYSENTER = 23;
export const RARE_SYSEXIT = 24;
export const RARE_MOV_FROM_CR = 25; // dst = register slot, imm = CR number
export const RARE_MOV_TO_CR = 26; // src = register slot, imm = CR number
export const RARE_MOV_FROM_DR = 27;
export const RARE_MOV_TO_DR = 28;
export const RARE_CLTS = 29;
export const RARE_LMSW = 30;
export const RARE_SMSW = 31;
export const RARE_LGDT = 32;
export const RARE_LIDT = 33;
export const RARE_SGDT = 34;
export const RARE_SIDT = 35;
export const RARE_LLDT = 36;
export const RARE_LTR = 37;
export const RARE_SLDT = 38;
export const RARE_STR = 39;
export const RARE_VERR = 40;
export const RARE_VERW = 41;
export const RARE_LAR = 42;
export const RARE_LSL = 43;
export const RARE_ARPL = 44;
export const RARE_INVLPG = 45;
export const RARE_INVD = 46;
export const RARE_WBINVD = 47;
export const RARE_MOV_TO_SEGMENT = 48; // imm = segment number 0-5
export const RARE_MOV_FROM_SEGMENT = 49;
export const RARE_POP_SEGMENT = 50;
export const RARE_PUSH_SEGMENT = 51;
export const RARE_LOAD_FAR_POINTER = 52; // LES LDS LSS LFS LGS: imm = segment number, dst = register slot
export const RARE_SWAPGS = 53;
export const RARE_STI = 54;
export const RARE_CLI = 55;
export const RARE_POPF = 56;
export const RARE_PUSHF = 57;
export const RARE_PUSHA = 58;
export const RARE_POPA = 59;
export const RARE_ENTER = 60; // imm = size | level << 16
export const RARE_BOUND = 61;
export const RARE_DIV = 62; // 128-bit or faulting cases: parameter form as the DIV handlers
export const RARE_RDFSBASE = 63;
export const RARE_RDGSBASE = 64;
export const RARE_WRFSBASE = 65;
export const RARE_WRGSBASE = 66;
export const RARE_MONITOR = 67;
export const RARE_MWAIT = 68;
export const RARE_FXSAVE = 69;
export const RARE_FXRSTOR = 70;
export const RARE_LDMXCSR = 71;
export const RARE_STMXCSR = 72;
export const RARE_RDPMC = 79;
export const RARE_XGETBV = 80;
export const RARE_XSETBV = 81;
export const RARE_PAUSE = 82;
export const RARE_CLAC = 83;
export const RARE_STAC = 84;
export const RARE_CMPXCHG16B = 85;
export const RARE_RSM = 86;
export const RARE_SALC = 87;
export const RARE_CLFLUSH = 88;
export const RARE_MASKMOVDQU = 89; // dst = bytes, src = mask; memory at segment:rDI
// system modes (90-109)
export const RARE_INVPCID = 90; // dst = register with the type, memory: the descriptor
export const RARE_BEYOND_LIMIT = 91; // bytes of the instruction lie beyond the limit of CS: #GP(0)
// integer extensions: 110-129
export const RARE_RDRAND = 110; // RDSEED too
export const RARE_RDPID = 111;
export const RARE_XSAVE = 112;
export const RARE_XRSTOR = 113;
export const RARE_PCMPESTRM = 114; // dst = first string, src or memory = second, imm = control
export const RARE_PCMPESTRI = 115;
export const RARE_PCMPISTRM = 116;
export const RARE_PCMPISTRI = 117;
// x87
export const RARE_FLDENV = 150;
export const RARE_FNSTENV = 151;
export const RARE_FRSTOR = 152;
export const RARE_FNSAVE = 153;
export const RARE_MASKMOVQ = 154; // as RARE_MASKMOVDQU, with MMX registers
