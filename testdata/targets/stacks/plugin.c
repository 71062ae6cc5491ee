/* plugin-a.so and plugin-b.so: the same instructions except for the frame size. */
#include "case.h"

FUNCTION int FUNCTION_NAME(int (*f)(int), int a)
{
	volatile char room[FRAME_SIZE];

	room[a & 15] = (char)a;
	return f(a + 1) + room[a & 15];
}
