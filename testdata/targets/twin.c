/*
 * twin-a and twin-b have the same instructions at the same addresses, except for frame
 * sizes and function names. Each calls getpgid(0) 50 times, with the stack
 * inner_NAME outer_NAME main.
 */
#include "stacks/case.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define inner JOIN(inner_, NAME)
#define outer JOIN(outer_, NAME)

FUNCTION void inner(void)
{
	char room[FRAME_SIZE];

	__asm__ volatile("" : : "r"(room) : "memory");
	TRAP();
}

FUNCTION void outer(void)
{
	char room[2 * FRAME_SIZE];

	__asm__ volatile("" : : "r"(room) : "memory");
	inner();
	KEEP;
}

int main(void)
{
	for (int i = 0; i < 50; i++)
		outer();
	return 0;
}
