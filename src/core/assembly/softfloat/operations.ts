// Numbers of the operations that the handlers of SSE instructions ask of softfloat. Constants in each handler, so a
// switch over them there is none at run time.
export const ADD: u32 = 0;
export const SUBTRACT: u32 = 1;
export const MULTIPLY: u32 = 2;
export const DIVIDE: u32 = 3;
export const MINIMUM: u32 = 4;
export const MAXIMUM: u32 = 5;
export const SQUARE_ROOT: u32 = 6; // of the second operand
export const ADD_SUBTRACT: u32 = 7; // vectors only: even elements are subtracted, odd ones added
export const COMPARE: u32 = 8; // + predicate 0 to 7
/** + bits 0-1 the rounding mode, bit 3: inexactness is not reported; of the second operand. */
export const ROUND: u32 = 16;
