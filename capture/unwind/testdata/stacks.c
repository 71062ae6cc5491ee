// A program that knows its own stacks. At certain points it writes its registers, its
// stack and its record of callers, which tests compare with the unwound stacks. Linux,
// x86-64, gcc and clang.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

// The record of callers, outermost first: return addresses, and where signals
// interrupted the program.
struct caller {
	void *address;
	char kind; // r: a return address, e: exact
};
static __thread struct caller record[512];
static __thread int depth;
static __thread char *top;    // upper end of the stack
static __thread char *lowest; // where the copy starts, if below the stack pointer

static inline void push(void *address, char kind)
{
	record[depth++] = (struct caller){address, kind};
}

#define ENTER() push(__builtin_return_address(0), 'r')
#define LEAVE() (depth--)

// hit saves the registers at its first instruction, by DWARF number.
unsigned long registers[17] __attribute__((visibility("hidden")));
void hit(const char *name);
__asm__(".text\n"
	".globl hit\n.hidden write_hit\n.type hit, @function\n"
	"hit: .cfi_startproc\n"
	"mov %rax, registers(%rip)\n mov %rdx, registers+8(%rip)\n mov %rcx, registers+16(%rip)\n"
	"mov %rbx, registers+24(%rip)\n mov %rsi, registers+32(%rip)\n mov %rdi, registers+40(%rip)\n"
	"mov %rbp, registers+48(%rip)\n mov %rsp, registers+56(%rip)\n"
	"mov %r8, registers+64(%rip)\n mov %r9, registers+72(%rip)\n mov %r10, registers+80(%rip)\n"
	"mov %r11, registers+88(%rip)\n mov %r12, registers+96(%rip)\n mov %r13, registers+104(%rip)\n"
	"mov %r14, registers+112(%rip)\n mov %r15, registers+120(%rip)\n"
	"lea hit(%rip), %rax\n mov %rax, registers+128(%rip)\n"
	"jmp write_hit\n"
	".cfi_endproc\n.size hit, .-hit\n");

__attribute__((visibility("hidden"), used)) void write_hit(const char *name)
{
	printf("hit %s\nregisters", name);
	for (int i = 0; i < 17; i++)
		printf(" %lx", registers[i]);
	printf("\ncallers r%lx", *(unsigned long *)registers[7]);
	for (int i = depth - 1; i >= 0; i--)
		printf(" %c%lx", record[i].kind, (unsigned long)record[i].address);
	char *base = (char *)registers[7];
	if (lowest && lowest < base)
		base = lowest;
	base -= 128;
	printf("\nstack %lx ", (unsigned long)base);
	for (char *p = base; p < top; p++)
		printf("%02x", (unsigned char)*p);
	printf("\n");
}

// These functions make frames of all kinds, each around a call of the next function.

typedef void function(const char *name);

static volatile int many = 100;
static void *volatile keep;

NOINLINE void plain(const char *name) { ENTER(); hit(name); LEAVE(); }

NOINLINE void variable(const char *name, function *next)
{
	ENTER();
	char *p = __builtin_alloca(many);
	memset(p, 1, many);
	keep = p;
	next(name);
	LEAVE();
}

// The compiler aligns this frame itself: the frame holds the address of its CFA.
NOINLINE void aligned(const char *name, function *next)
{
	ENTER();
	_Alignas(128) volatile char buffer[256];
	buffer[0] = 1;
	keep = (void *)buffer;
	next(name);
	LEAVE();
}

NOINLINE void aligned_variable(const char *name, function *next)
{
	ENTER();
	_Alignas(64) volatile char buffer[64];
	char *p = __builtin_alloca(many);
	buffer[0] = p[0] = 1;
	keep = (void *)buffer;
	next(name);
	keep = p;
	LEAVE();
}

// Registers that functions preserve are needed across calls here.
NOINLINE long preserving(const char *name, function *next, long a, long b, long c, long d)
{
	ENTER();
	long e = a * b, f = c * d, g = a ^ c;
	next(name);
	long sum = a + b * c + d + e * f + g;
	next(name);
	LEAVE();
	return sum + a * d + e + f * g + b;
}

NOINLINE long shrink_wrapped(const char *name, function *next, long n)
{
	if (n == 0)
		return 1;
	ENTER();
	long a = n * 3;
	next(name);
	a += n;
	LEAVE();
	return a;
}

NOINLINE int recursive(const char *name, function *next, int n)
{
	ENTER();
	int r = 1;
	if (n > 0)
		r += recursive(name, next, n - 1);
	else
		next(name);
	LEAVE();
	return r;
}

static jmp_buf back;

// The call is the last instruction: the return address belongs to other code.
__attribute__((noinline, noreturn)) void leave(const char *name)
{
	ENTER();
	hit(name);
	LEAVE();
	longjmp(back, 1);
}
__attribute__((noinline, noreturn)) void never_returns(const char *name)
{
	ENTER();
	leave(name);
}

static const char *compare_name;
int compare(const void *a, const void *b)
{
	ENTER();
	if (compare_name)
		hit(compare_name);
	compare_name = NULL;
	LEAVE();
	return *(const int *)a - *(const int *)b;
}

// Signals, at an instruction in the middle of a function and at a function's first.

static function *in_handler;
static int skip; // bytes of the instruction to skip on return

void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)sig, (void)info;
	char *sp = (char *)uc->uc_mcontext.gregs[REG_RSP];
	push((void *)uc->uc_mcontext.gregs[REG_RIP], 'e');
	ENTER();
	lowest = sp;
	in_handler(sig == SIGILL ? "signal at first instruction" : "signal");
	lowest = NULL;
	LEAVE();
	LEAVE();
	uc->uc_mcontext.gregs[REG_RIP] += skip;
}

void first_instruction(void);
__asm__(".text\n"
	"first_instruction: .cfi_startproc\n"
	"ud2\n ret\n"
	".cfi_endproc\n");

// A signal return without call frame information, as in musl.
void restorer(void);
__asm__(".text\n"
	"int3\n"
	"restorer: mov $15, %eax\n syscall\n");

static void handle(int sig)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action = {handler, SA_SIGINFO | 0x04000000 /* SA_RESTORER */, restorer, 0};
	syscall(SYS_rt_sigaction, sig, &action, NULL, 8);
}

NOINLINE void trapped(const char *name)
{
	ENTER();
	(void)name;
	skip = 0;
	__asm__ volatile("int3" ::: "memory");
	LEAVE();
}

NOINLINE void call_first_instruction(void)
{
	ENTER();
	first_instruction();
	keep = &keep;
	LEAVE();
}

// Frames in assembly, with rules that compilers do not generate.

// The return address and rbp in registers, rbx saved where an expression says. Before the
// second call, .cfi_same_value and .cfi_restore (the CIE's rule) undo the first two.
void in_registers(const char *name, function *next);
__asm__(".text\n"
	"in_registers: .cfi_startproc\n"
	"push %r12\n .cfi_def_cfa_offset 16\n .cfi_offset %r12, -16\n"
	"push %r13\n .cfi_def_cfa_offset 24\n .cfi_offset %r13, -24\n"
	"push %r14\n .cfi_def_cfa_offset 32\n .cfi_offset %r14, -32\n"
	"push %r15\n .cfi_def_cfa_offset 40\n .cfi_offset %r15, -40\n"
	"push %rbx\n .cfi_def_cfa_offset 48\n .cfi_escape 0x10, 3, 2, 0x77, 0\n" // DW_CFA_expression rbx, breg7 0
	"mov 40(%rsp), %r12\n .cfi_register %rip, %r12\n"
	"mov %rbp, %r13\n .cfi_register %rbp, %r13\n"
	"mov %rdi, %r14\n mov %rsi, %r15\n"
	"movq $0, 40(%rsp)\n xor %ebp, %ebp\n xor %ebx, %ebx\n"
	"call *%rsi\n"
	"mov %r13, %rbp\n .cfi_same_value %rbp\n"
	"mov %r12, 40(%rsp)\n .cfi_restore %rip\n"
	"mov %r14, %rdi\n"
	"call *%r15\n"
	"pop %rbx\n .cfi_def_cfa_offset 40\n .cfi_restore %rbx\n"
	"pop %r15\n .cfi_def_cfa_offset 32\n .cfi_restore %r15\n"
	"pop %r14\n .cfi_def_cfa_offset 24\n .cfi_restore %r14\n"
	"pop %r13\n .cfi_def_cfa_offset 16\n .cfi_restore %r13\n"
	"pop %r12\n .cfi_def_cfa_offset 8\n .cfi_restore %r12\n"
	"ret\n"
	".cfi_endproc\n");

// The CFA is based on a callee-saved register.
void from_rbx(const char *name, function *next);
__asm__(".text\n"
	"from_rbx: .cfi_startproc\n"
	"push %rbx\n .cfi_def_cfa_offset 16\n .cfi_offset %rbx, -16\n"
	"mov %rsp, %rbx\n .cfi_def_cfa_register %rbx\n"
	"sub $64, %rsp\n"
	"call *%rsi\n"
	"mov %rbx, %rsp\n"
	"pop %rbx\n .cfi_def_cfa %rsp, 8\n .cfi_restore %rbx\n"
	"ret\n"
	".cfi_endproc\n");

// The stack pointer is saved in the frame: the CFA is the word at rsp+24, plus 8.
void switched(const char *name, function *next);
__asm__(".text\n"
	"switched: .cfi_startproc\n"
	"mov %rsp, %rax\n .cfi_def_cfa_register %rax\n"
	"sub $56, %rsp\n"
	"mov %rax, 24(%rsp)\n .cfi_escape 0x0f, 5, 0x77, 24, 0x06, 0x23, 8\n" // breg7 24, deref, plus_uconst 8
	"call *%rsi\n"
	"mov 24(%rsp), %rsp\n .cfi_def_cfa %rsp, 8\n"
	"ret\n"
	".cfi_endproc\n");

NOINLINE void twice(const char *name) { ENTER(); preserving(name, plain, many, 2, 3, 4); LEAVE(); }

NOINLINE void assembly(const char *name, void (*frame)(const char *, function *))
{
	ENTER();
	frame(name, frame == from_rbx ? twice : plain);
	LEAVE();
}

// Code made at run time, without unwind information, with a frame pointer.
NOINLINE void generated(const char *name)
{
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd6, 0x5d, 0xc3}; // push rbp; mov rbp,rsp; call rsi; pop rbp; ret
	ENTER();
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(page, code, sizeof code);
	((void (*)(const char *, function *))page)(name, plain);
	LEAVE();
}

NOINLINE void everything(void)
{
	ENTER();
	plain("plain");
	variable("variable frame", plain);
	aligned("aligned frame", plain);
	aligned_variable("aligned variable frame", plain);
	preserving("preserved registers", plain, many, many + 1, many + 2, many + 3);
	shrink_wrapped("shrink-wrapped", plain, many);
	recursive("recursive", plain, 100);
	if (!setjmp(back)) {
		int was = depth;
		keep = &was;
		never_returns("noreturn");
	}
	depth = 2;

	int numbers[] = {3, 1, 2};
	compare_name = "callback";
	qsort(numbers, 3, sizeof numbers[0], compare);

	in_handler = plain;
	trapped("signal");
	skip = 2;
	call_first_instruction();

	assembly("in registers", in_registers);
	assembly("from rbx", from_rbx);
	assembly("saved stack pointer", switched);
	generated("generated code");
	LEAVE();
}

static void *thread(void *arg)
{
	(void)arg;
	pthread_attr_t attr;
	void *low;
	size_t size;
	ENTER();
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &low, &size);
	pthread_attr_destroy(&attr);
	top = (char *)low + size;
	plain("thread");
	LEAVE();
	return NULL;
}

extern void *__libc_stack_end;

int main(void)
{
	// The handler runs on another stack, which lies in this frame so that it is copied too.
	char other_stack[1 << 16];
	stack_t ss = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	pthread_t t;

	ENTER();
	top = (char *)__libc_stack_end + 64;
	sigaction(SIGTRAP, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	everything();

	sigaltstack(&ss, NULL);
	sa.sa_flags |= SA_ONSTACK;
	sigaction(SIGTRAP, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	in_handler = plain;
	trapped("signal");
	skip = 2;
	call_first_instruction();

	handle(SIGTRAP);
	handle(SIGILL);
	skip = 0;
	trapped("signal");
	skip = 2;
	call_first_instruction();

	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);

	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4096];
	while (fgets(line, sizeof line, maps))
		printf("map %s", line);
	return 0;
}
