/* The last case, linked last: the program executes itself again. */
#include <stdlib.h>
#include <unistd.h>

#include "case.h"

/* All cases once more, at other addresses. */
CASE(PLAIN, executed, "executed" BELOW)
{
	TRAP();
	raw_syscall(SYS_trap, CASE_END, 0, 0);
	execl("/proc/self/exe", "stacks", "again", NULL);
	abort();
}
