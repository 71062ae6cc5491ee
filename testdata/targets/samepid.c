/*
 * samepid PROGRAM... runs the programs one after the other, all with the same process
 * ID. Requires Linux 5.5 and CAP_SYS_ADMIN.
 */
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t pid = 0;

	for (int i = 1; i < argc; i++) {
		struct clone_args args;
		int status;

		memset(&args, 0, sizeof(args));
		args.exit_signal = SIGCHLD;
		if (pid) {
			args.set_tid = (unsigned long)&pid;
			args.set_tid_size = 1;
		}
		pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (child == 0) {
			execl(argv[i], argv[i], NULL);
			_exit(127);
		}
		if (child < 0) {
			perror("clone3");
			return 70;
		}
		if (waitpid(child, &status, 0) != child || status)
			return 71;
		pid = child;
	}
	return 0;
}
