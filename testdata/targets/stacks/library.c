/* libstacks.so. */
#include "case.h"
#include "library.h"

static FUNCTION int chosen(int a)
{
	TRAP();
	return a + 2;
}

static FUNCTION int (*choose(void))(int)
{
	TRAP();
	return chosen;
}

int chosen_at_run_time(int a) __attribute__((ifunc("choose")));

FUNCTION int calls_function(int (*f)(int), int a)
{
	return f(a + 1) * 2;
}
