/*
 * arguments calls functions with arguments of many types, whose values depend on the
 * number of the call.
 *
 *   arguments N
 *
 * For i from 0 to N-1 each function below is called once; the values are those
 * in main.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NOINLINE __attribute__((noinline))
#define KEEP __asm__ volatile("" ::: "memory")

enum color { RED = 1, GREEN = 2, BLUE = -3 };

struct inner {
	int16_t a;
	uint8_t b;
	unsigned lo : 3, mid : 7, hi : 22;
};

struct request {
	const char *path;
	int length;
	struct inner in;
	struct request *next;
	char name[12];
	int values[4];
	in_port_t port;
	struct in_addr address;
};

struct pair { int x, y; };
struct words { long a, b; };
struct large { long a, b, c; };

int global;
static long sum;

NOINLINE int numbers(signed char a, unsigned short b, int c, long d, _Bool e, enum color f, uint64_t g, int8_t h)
{
	sum += a + b + c + d + e + f + g + h;
	KEEP;
	return c % 5 ? c : -2;
}

NOINLINE void pointers(struct request *r, const char *buffer, long n, char letter)
{
	sum += r->length + buffer[0] + n + letter;
	KEEP;
}

NOINLINE long byvalue(struct pair p, struct words w, struct large l, int last)
{
	sum += p.x + p.y + w.a + w.b + l.c + last;
	KEEP;
	return l.b;
}

NOINLINE int addresses(struct sockaddr *address, struct in6_addr *six)
{
	sum += address->sa_family + six->s6_addr[0];
	KEEP;
	return 0;
}

NOINLINE double floating(double d, int n)
{
	KEEP;
	return d * n;
}

NOINLINE void unreadable(const char *nowhere)
{
	sum += (long)nowhere;
	KEEP;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0;

	for (int i = 0; i < n; i++) {
		char text[400], blob[64];
		struct request next = { .path = text, .length = i + 1 };
		struct request r = {
			.path = text, .length = -i, .in = { -i, i, i, i, i }, .next = &next,
			.values = { i, i + 1, i + 2, i + 3 }, .port = htons(i), .address = { htonl(0x0a000000 + i) },
		};
		struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(i), .sin_addr = r.address };
		struct in6_addr six = { { { 0x20, 1, 0xd, 0xb8, [14] = i >> 8, [15] = i } } };

		memset(text, 'x', sizeof(text));
		text[i % 300] = 0; /* strings longer than 256 are truncated */
		for (int k = 0; k < 64; k++)
			blob[k] = i + k;
		snprintf(r.name, sizeof(r.name), "n%d", i);
		global = 3 * i;
		numbers(-i, i, -i, (long)i << 40, i & 1, i % 3 == 0 ? RED : i % 3 == 1 ? GREEN : BLUE, ~(uint64_t)i, i);
		pointers(&r, blob, i % 64, 'a' + i % 26);
		byvalue((struct pair){ i, -i }, (struct words){ i, -i }, (struct large){ i, i + 1, i + 2 }, i);
		addresses((struct sockaddr *)&four, &six);
		floating(i, i);
		unreadable((const char *)16);
	}
	return sum == 42;
}
