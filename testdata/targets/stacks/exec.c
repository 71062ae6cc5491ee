/* The last case, linked last: the program executes itself. */
#include <stdlib.h>
#include <unistd.h>

#include "case.h"

/* All again, elsewhere in the address space. */
CASE(PLAIN, executed, "executed" BELOW)
{
	TRAP();
	raw_syscall(SYS_trap, CASE_END, 0, 0);
	execl("/proc/self/exe", "stacks", "again", NULL);
	abort();
}
