// See ../ORIGIN.md for how this is built.

unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

#ifdef WITH_MAIN
#include <stdio.h>

int main(void) {
  printf("%u\n", fib(20));
  return 0;
}
#endif
