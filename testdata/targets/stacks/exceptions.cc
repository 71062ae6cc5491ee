/* C++ exceptions in flight, caught and uncaught. */
#include <exception>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdlib>

#include "case.h"

#define LIBSTDCXX "@libstdc++.so.6"
#define LIBGCC "@libgcc_s.so.1"

/* Its destructor runs while an exception propagates. */
struct Guard {
	FUNCTION ~Guard()
	{
		TRAP();
	}
};

extern "C" {

FUNCTION int throws(int a)
{
	if (a >= 0)
		throw a + 1;
	return a;
}

FUNCTION int passes(int a)
{
	Guard guard;

	__asm__ volatile("" : : : "rbx", "r12", "memory");
	return throws(a) + 1;
}

FUNCTION void in_handler(int a)
{
	TRAP();
	sink = a;
}

FUNCTION int catches(int a)
{
	try {
		a = passes(a) + 1;
	} catch (int b) {
		TRAP();
		in_handler(b);
	}
	return a;
}

/* The personality routine runs for each frame, in the search phase and in the cleanup phase. */
#define PERSONALITY "__gxx_personality_v0 " LIBGCC "+ "

CASE(STEPPED, exception, "Guard::~Guard passes catches exception" BELOW "; catches exception" BELOW
     "; in_handler catches exception" BELOW
     "; " PERSONALITY "__cxa_throw throws passes catches exception" BELOW
     "; " PERSONALITY "passes catches exception" BELOW)
{
	sink = catches(1);
}

FUNCTION int rethrows(int a)
{
	try {
		return throws(a) + 1;
	} catch (int) {
		TRAP();
		throw;
	}
}

FUNCTION int catches_again(int a)
{
	try {
		return rethrows(a) + 1;
	} catch (int b) {
		TRAP();
		return b;
	}
}

CASE(STEPPED, exception_again, "rethrows catches_again exception_again" BELOW "; catches_again exception_again" BELOW
     "; " PERSONALITY "__cxa_throw throws rethrows catches_again exception_again" BELOW
     "; " PERSONALITY "__cxa_rethrow rethrows catches_again exception_again" BELOW
     "; " PERSONALITY "rethrows catches_again exception_again" BELOW)
{
	sink = catches_again(1);
}

FUNCTION void on_terminate(void)
{
	TRAP();
	_exit(0);
}

/* Runs code that ends in std::terminate, in a child process. */
FUNCTION void terminates(void (*f)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		std::set_terminate(on_terminate);
		f();
		abort();
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		abort();
}

FUNCTION void nobody_catches(void)
{
	sink = throws(1);
}

CASE(PLAIN, uncaught, "on_terminate " LIBSTDCXX "+ throws nobody_catches terminates uncaught" BELOW)
{
	terminates(nobody_catches);
	KEEP;
}

FUNCTION void no_throw(void) noexcept
{
	sink = throws(1);
	KEEP;
}

#ifdef __clang__
#define NOEXCEPT "__clang_call_terminate no_throw"
#else
#define NOEXCEPT LIBGCC "+ " LIBSTDCXX " throws no_throw"
#endif

CASE(PLAIN, not_excepted, "on_terminate " LIBSTDCXX "+ " NOEXCEPT " terminates not_excepted" BELOW
     "; " PERSONALITY "__cxa_throw throws no_throw terminates not_excepted" BELOW)
{
	terminates(no_throw);
	KEEP;
}
}
