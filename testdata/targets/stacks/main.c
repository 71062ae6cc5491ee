/*
 * stacks runs all cases. For each it prints the number, name and stacks, announces the
 * number as the argument of SYS_trap, and runs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

volatile int sink;

#ifdef __cplusplus
extern "C" {
#endif
extern struct stackcase __start_cases[], __stop_cases[];

FUNCTION void run(struct stackcase *c)
{
	c->run();
	KEEP;
}
#ifdef __cplusplus
}
#endif

int main(int argc, char **argv)
{
	int again = argc > 1 && strcmp(argv[1], "again") == 0;

	for (struct stackcase *c = __start_cases; c < __stop_cases; c++) {
		int number = (int)(c - __start_cases) + (again ? 1000 : 0);

		/* The last case executes the program again. */
		if (again && strcmp(c->name, "executed") == 0)
			continue;
		printf("%d %s: %s\n", number, c->name, c->stacks);
		fflush(stdout);
		raw_syscall(SYS_trap, CASE_NUMBER(number), 0, 0);
		run(c);
		if (c->kind == STEPPED) {
			step_on();
			run(c);
			step_off();
		}
		raw_syscall(SYS_trap, CASE_END, 0, 0);
	}
	return 0;
}
