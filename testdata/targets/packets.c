/*
 * packets sends N frames of 60 bytes through a network interface, for tests that
 * probe the transmit function of a driver.
 *
 *   packets INTERFACE N
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	unsigned char frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	int fd;

	if (argc != 3)
		return 64;
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5)); /* a type for local experiments */
	if (to.sll_ifindex == 0 || fd < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int n = atoi(argv[2]); n > 0; n--)
		if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(frame)) {
			perror("sendto");
			return 1;
		}
	return 0;
}
