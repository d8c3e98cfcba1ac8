/* near.h - how far code is read from an address on the stack, where no file has it. */
#pragma once

/*
 * Bytes on either side of a program counter.  A core of stacks has no more of code that was made
 * at run time, and a backtrace looks at no more of it, whatever the core has: so it is the same
 * from any core.
 */
enum { CODE_NEAR = 8 << 10 };
