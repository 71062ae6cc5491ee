/* Marked lines and inlined calls. */
volatile int sink;

__attribute__((always_inline)) static inline int twice(int x)
{
	sink = x;			/* line:twice */
	return 2 * sink;
}

__attribute__((noinline)) int one(int x)
{
	return twice(x) + 1;		/* line:one */
}

__attribute__((noinline)) int two(int x)
{
	sink = 0;			/* line:two */
	return twice(x + 1) + 2;
}

int main(int argc, char **argv)
{
	return one(argc) + two(argc);
}
