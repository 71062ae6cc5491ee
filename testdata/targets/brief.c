/*
 * brief runs for about a millisecond. It calls getppid N times through main, outer and
 * inner.
 *
 *   brief N         do so
 *   brief N times   execute "brief N" that many times, one after the other
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

/* gcc sets up no frame pointer in a leaf function, unless the frame address is used. */
#define KEEP_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

NOINLINE long inner(void)
{
	long ret;

	KEEP_FRAME();
#if defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(ret) : "a"(SYS_getppid) : "rcx", "r11", "memory");
#else
	ret = syscall(SYS_getppid);
#endif
	return ret;
}

NOINLINE long outer(void)
{
	long r = inner();
	__asm__ volatile("" : "+r"(r)); /* no tail call */
	return r;
}

int main(int argc, char **argv)
{
	if (argc == 2) {
		for (int n = atoi(argv[1]); n > 0; n--)
			outer();
		return 0;
	}
	if (argc != 3)
		return 64;
	for (int n = atoi(argv[2]); n > 0; n--) {
		pid_t pid = fork();
		int status;
		if (pid == 0) {
			execl("/proc/self/exe", argv[0], argv[1], NULL);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			return 1;
	}
	return 0;
}
