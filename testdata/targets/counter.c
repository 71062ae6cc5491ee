/*
 * counter makes a known number of calls, for tests that count hits.
 *
 *   counter [-c calls] [-t threads] [-f forks] [-x] [-d depth] [-r rate] [-T] N
 *
 * Each thread of each process calls leaf() N times, through main or worker, top,
 * mid and, with -d, depth calls of down(). leaf() makes the calls whose letters
 * are given with -c: p getppid, r read of 7 bytes, m malloc of 4321 bytes; the
 * default is prm. -f starts that many children, which do the same work; with -x they
 * execute this program again. -r limits the calls of leaf() per second and thread.
 * -T prints the CPU time of one call of leaf() in nanoseconds, averaged over the main
 * thread's N calls.
 *
 * The system calls are made by inline assembly, not by libc, so that the innermost
 * user frame is leaf() itself with any method of unwinding.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static struct {
	long n;
	int threads, forks, depth;
	int exec, timing;
	int getppid, read, malloc;
	long rate;
	int zero; /* open file of /dev/zero */
} opt = { .threads = 1 };

#if defined(__x86_64__)
#define raw_syscall(number, a, b, c) ({						\
	long ret_;								\
	__asm__ volatile("syscall" : "=a"(ret_)					\
			 : "a"(number), "D"(a), "S"(b), "d"(c)			\
			 : "rcx", "r11", "memory");				\
	ret_; })
#else
#define raw_syscall syscall
#endif

static const char leaf_name[] = "leaf-name";

/*
 * Arguments and return value are known: i counts from 0, name is leaf_name, x is
 * 1000 + i.
 */
NOINLINE int leaf(int i, const char *name, long x)
{
	char buf[7];

	if (opt.getppid)
		raw_syscall(SYS_getppid, 0, 0, 0);
	if (opt.read)
		raw_syscall(SYS_read, opt.zero, (long)buf, sizeof(buf));
	if (opt.malloc) {
		void *volatile p = malloc(4321);
		free(p);
	}
	__asm__ volatile("" : : "r"(name), "r"(x));
	return i * 3 + 1;
}

NOINLINE int down(int depth, int i)
{
	int r = depth > 1 ? down(depth - 1, i) : leaf(i, leaf_name, 1000 + i);
	__asm__ volatile("" : "+r"(r)); /* no tail call */
	return r;
}

NOINLINE int mid(int i)
{
	int r = opt.depth ? down(opt.depth, i) : leaf(i, leaf_name, 1000 + i);
	__asm__ volatile("" : "+r"(r));
	return r;
}

static long now(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

NOINLINE void top(void)
{
	long start = now(CLOCK_MONOTONIC);

	/* A forked child has no page tables yet, and a probe cannot wait for a page fault. */
	*(volatile const char *)leaf_name;
	for (long i = 0; i < opt.n; i++) {
		/* 16 calls at a time, then wait: the clock is read without a system call. */
		if (opt.rate && i % 16 == 0)
			while (now(CLOCK_MONOTONIC) - start < i * 1000000000L / opt.rate)
				;
		if (mid((int)i) != (int)i * 3 + 1)
			abort();
	}
}

static void *worker(void *arg)
{
	top();
	return arg;
}

static void work(void)
{
	pthread_t tid[opt.threads];

	for (int i = 1; i < opt.threads; i++)
		if (pthread_create(&tid[i], NULL, worker, NULL))
			abort();
	/* CPU time excludes other work of the CPU */
	long start = now(CLOCK_THREAD_CPUTIME_ID);
	top();
	if (opt.timing)
		printf("%.1f\n", (double)(now(CLOCK_THREAD_CPUTIME_ID) - start) / opt.n);
	for (int i = 1; i < opt.threads; i++)
		pthread_join(tid[i], NULL);
}

/* The child's command line: this one without -f, -x and -T. */
static void execute_again(char *self, const char *calls)
{
	char threads[16], depth[16], rate[24], n[24];

	snprintf(threads, sizeof(threads), "%d", opt.threads);
	snprintf(depth, sizeof(depth), "%d", opt.depth);
	snprintf(rate, sizeof(rate), "%ld", opt.rate);
	snprintf(n, sizeof(n), "%ld", opt.n);
	execl("/proc/self/exe", self, "-c", calls, "-t", threads, "-d", depth, "-r", rate, n, NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	const char *calls = "prm";
	int status, failed = 0;

	for (int o; (o = getopt(argc, argv, "+c:t:f:xd:r:T")) != -1;)
		switch (o) {
		case 'c': calls = optarg; break;
		case 't': opt.threads = atoi(optarg); break;
		case 'f': opt.forks = atoi(optarg); break;
		case 'x': opt.exec = 1; break;
		case 'd': opt.depth = atoi(optarg); break;
		case 'r': opt.rate = atol(optarg); break;
		case 'T': opt.timing = 1; break;
		default: return 64;
		}
	if (optind + 1 != argc || opt.threads < 1)
		return 64;
	opt.n = atol(argv[optind]);
	opt.getppid = strchr(calls, 'p') != NULL;
	opt.read = strchr(calls, 'r') != NULL;
	opt.malloc = strchr(calls, 'm') != NULL;
	opt.zero = open("/dev/zero", O_RDONLY);

	for (int i = 0; i < opt.forks; i++)
		if (fork() == 0) {
			if (opt.exec)
				execute_again(argv[0], calls);
			opt.timing = 0;
			work();
			_exit(0);
		}
	work();
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
