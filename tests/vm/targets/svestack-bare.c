/* svestack [VL [signal]]: the same in functions that keep no frame record. */
#define BARE
#include "svestack.c"
