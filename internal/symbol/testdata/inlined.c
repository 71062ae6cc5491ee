// Calls whose lines and inlining are known by construction: comments mark the lines
// that the test expects.
#include <stdio.h>
#include <string.h>

volatile int sink;

__attribute__((always_inline)) static inline int innermost(int x) {
	sink = x;			/* line:innermost */
	return sink * 3;
}

__attribute__((always_inline)) static inline int middle(int x) {
	return innermost(x + 1) + 1;	/* line:middle */
}

__attribute__((noinline)) int outer(int x) {
	return middle(x) + 2;		/* line:outer */
}

__attribute__((noinline)) static int quiet(int x) {
	sink = x;			/* line:quiet */
	return sink;
}

int main(int argc, char **argv) {
	puts(argv[0]);
	return outer(argc) + quiet(argc) == (int)strlen(argv[0]);
}
