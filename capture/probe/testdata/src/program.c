/*
 * Functions that differ in their code: each multiplies by a different constant. The
 * program prints the name and the first bytes of each, as found in memory.
 */
#include <stdio.h>

#define FUNCTION(name, n) \
	__attribute__((noinline)) int name(int i) { return i * n + 1; }

FUNCTION(first, 1000003)
static FUNCTION(hidden, 1000033)
FUNCTION(second, 1000037)

static int chosen(int i) { return i * 1000039; }
static void *choose(void) { return chosen; }
int indirect(int i) __attribute__((ifunc("choose")));

extern int other(int i);

static void show(const char *name, int (*f)(int))
{
	const unsigned char *code = (const unsigned char *)f;

	printf("%s ", name);
	for (int i = 0; i < 16; i++)
		printf("%02x", code[i]);
	printf("\n");
}

int main(void)
{
	show("first", first);
	show("hidden", hidden);
	show("second", second);
	return indirect(0) + other(0);
}
