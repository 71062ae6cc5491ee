/*
 * kernelcalls makes system calls whose arguments depend on the number of the call.
 *
 *   kernelcalls N
 *
 * For i from 0 to N-1: opens /nonexistent/i, which fails; writes this name to
 * /dev/null; reads i % 100 + 1 bytes of /dev/zero; connects to port 20000 + i % 1000
 * of 127.0.0.1, where nothing listens.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0;
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);

	for (int i = 0; i < n; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(20000 + i % 1000),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		char name[64], buffer[128];

		snprintf(name, sizeof(name), "/nonexistent/%d", i);
		if (open(name, O_RDONLY) >= 0 || write(null, name, strlen(name)) < 0 || read(zero, buffer, i % 100 + 1) != i % 100 + 1)
			return 1;
		int s = socket(AF_INET, SOCK_STREAM, 0);
		if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)) == 0)
			return 1;
		close(s);
	}
	return 0;
}
