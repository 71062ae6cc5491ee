/*
 * usdt has USDT probes with known arguments. usdt N fires each of them N times, with i
 * from 0 to N-1, and prints how often the semaphore was set. usdt -T N fires only
 * trapline:twice and prints the CPU time of one probe in nanoseconds.
 *
 *	trapline:values  i, -i, 7, and i read with every addressing mode
 *	trapline:narrow  the low bytes of i, signed and unsigned
 *	trapline:twice   i at an even i, at one place; i at an odd i, at another
 *	trapline:inlined i, in copies of one inline function
 *	trapline:guarded i, only while the semaphore is set
 *	trapline:float   i and a floating-point number
 *
 * The notes are those that sys/sdt.h of SystemTap writes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USDT(name, semaphore, arguments, ...)                                 \
	__asm__ volatile("990: nop\n"                                         \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n"         \
			 ".balign 4\n"                                        \
			 ".4byte 992f-991f, 994f-993f, 3\n"                   \
			 "991: .asciz \"stapsdt\"\n"                          \
			 "992: .balign 4\n"                                   \
			 "993: .8byte 990b, _.stapsdt.base, " semaphore "\n"  \
			 ".asciz \"trapline\", \"" name "\"\n"                \
			 ".asciz \"" arguments "\"\n"                         \
			 "994: .balign 4\n"                                   \
			 ".popsection\n"                                      \
			 ".ifndef _.stapsdt.base\n"                           \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\","    \
			 ".stapsdt.base,comdat\n"                             \
			 ".weak _.stapsdt.base\n"                             \
			 ".hidden _.stapsdt.base\n"                           \
			 "_.stapsdt.base: .space 1\n"                         \
			 ".size _.stapsdt.base, 1\n"                          \
			 ".popsection\n"                                      \
			 ".endif\n" ::__VA_ARGS__)

/* as sys/sdt.h does */
volatile uint16_t guarded_semaphore __attribute__((section(".probes")));
volatile uint64_t global;
volatile uint64_t table[8];

static inline __attribute__((always_inline)) void inlined(uint64_t i)
{
	USDT("inlined", "0", "8@%0", "r"(i));
}

static void __attribute__((noinline)) narrow(uint64_t i)
{
	/* %b0 is the low byte's name, %h0 the second's */
	USDT("narrow", "0", "1@%b0 -1@%b0 1@%h0 2@%w0 -2@%w0 4@%k0 -4@%k0 8@%q0 -4@%1",
	     "Q"(i), "m"(*(volatile uint32_t *)&global));
}

static void __attribute__((noinline)) values(uint64_t i)
{
	volatile int64_t local = -(int64_t)i;

	global = i;
	table[i % 8] = i;
	USDT("values", "0", "8@%0 -8@%1 -4@$-7 8@global(%%rip) 8@(%2,%3,8) 8@table+8(%%rip)",
	     "r"(i), "m"(local), "r"(table), "r"(i % 8));
}

static inline __attribute__((always_inline)) void twice(uint64_t i)
{
	if (i % 2)
		USDT("twice", "0", "8@%0", "r"(i));
	else
		USDT("twice", "0", "4@%k0", "r"(i));
}

static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int __attribute__((noinline)) timed(uint64_t n)
{
	double start = cpu_time();

	for (uint64_t i = 0; i < n; i++)
		twice(i);
	printf("%.1f\n", (cpu_time() - start) / n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "-T"))
		return timed(strtoull(argv[2], NULL, 0));
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, seen = 0;

	for (uint64_t i = 0; i < n; i++) {
		values(i);
		narrow(i);
		twice(i);
		inlined(i);
		inlined(i);
		if (guarded_semaphore) {
			seen++;
			USDT("guarded", "guarded_semaphore", "8@%0", "r"(i));
		}
		USDT("float", "0", "8@%0 8f@%1", "r"(i), "x"((double)i));
	}
	printf("%llu\n", (unsigned long long)seen);
	return 0;
}
