/*
 * The handful of names that a freestanding program needs. They are built on the
 * compiler's own macros rather than on its headers, so that no path of the
 * machine that compiled the guest ends up in the line tables.
 */
#ifndef TYPES_H
#define TYPES_H

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef _Bool bool;

#define true ((bool)1)
#define false ((bool)0)
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
