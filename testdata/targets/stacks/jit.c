/* Code generated at run time has no unwind information. */
#include <string.h>
#include <sys/mman.h>
#include <stdlib.h>

#include "case.h"

FUNCTION void called_by_jit(void)
{
	TRAP();
}

static void (*assemble(const char *code, size_t n))(void (*)(void))
{
	void *room = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		abort();
	memcpy(room, code, n);
	return (void (*)(void (*)(void)))room;
}

/* If the whole program has frame pointers, the stack is complete. */
CASE(PLAIN, jit_frame_pointer, "called_by_jit ? jit_frame_pointer" BELOW)
{
	/* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
	static const char code[] = { 0x55, 0x48, (char)0x89, (char)0xe5, (char)0xff, (char)0xd7, 0x5d, (char)0xc3 };

	assemble(code, sizeof(code))(called_by_jit);
	KEEP;
}
