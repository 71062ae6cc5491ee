/*
 * many has 1,000 functions, many_000 to many_999. It calls many_i(i) i % 3 + 1 times,
 * and many_i returns i + 1.
 */
#define ROW(name, a)                                                          \
	name(a##0) name(a##1) name(a##2) name(a##3) name(a##4)                \
	name(a##5) name(a##6) name(a##7) name(a##8) name(a##9)
#define TABLE(name, a)                                                        \
	ROW(name, a##0) ROW(name, a##1) ROW(name, a##2) ROW(name, a##3)       \
	ROW(name, a##4) ROW(name, a##5) ROW(name, a##6) ROW(name, a##7)       \
	ROW(name, a##8) ROW(name, a##9)
#define ALL(name)                                                             \
	TABLE(name, 0) TABLE(name, 1) TABLE(name, 2) TABLE(name, 3)           \
	TABLE(name, 4) TABLE(name, 5) TABLE(name, 6) TABLE(name, 7)           \
	TABLE(name, 8) TABLE(name, 9)

#define FUNCTION(n)                                                           \
	__attribute__((noinline, noipa)) int many_##n(int i)                  \
	{                                                                     \
		return i + 1;                                                 \
	}
ALL(FUNCTION)

#define ENTRY(n) many_##n,
static int (*const functions[])(int) = { ALL(ENTRY) };

int main(void)
{
	for (int i = 0; i < 1000; i++)
		for (int k = 0; k < i % 3 + 1; k++)
			if (functions[i](i) != i + 1)
				return 1;
	return 0;
}
