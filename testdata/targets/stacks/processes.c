/* Threads and processes. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

FUNCTION void in_thread(void)
{
	TRAP();
}

FUNCTION void *thread(void *arg)
{
	in_thread();
	KEEP;
	return arg;
}

CASE(PLAIN, threads, "in_thread thread start_thread|@libc.so.6 clone3|__clone3|clone|__clone|@libc.so.6")
{
	pthread_t tid[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&tid[i], NULL, thread, NULL))
			abort();
	for (int i = 0; i < 4; i++)
		pthread_join(tid[i], NULL);
}

FUNCTION void in_child(void)
{
	TRAP();
}

static void await(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		abort();
}

/* The child runs on its parent's stack. */
CASE(PLAIN, forks_by_vfork, "in_child forks_by_vfork" BELOW)
{
	pid_t child = vfork();

	if (child == 0) {
		in_child();
		_exit(0);
	}
	await(child);
}

CASE(PLAIN, forks, "in_child forks" BELOW)
{
	pid_t child = fork();

	if (child == 0) {
		in_child();
		_exit(0);
	}
	await(child);
}
