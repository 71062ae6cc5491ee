/* Calls to libraries and callbacks from them. */
#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "library.h"

FUNCTION int compare(const void *a, const void *b)
{
	TRAP();
	return *(const int *)a - *(const int *)b;
}

CASE(STEPPED, sorts, "compare @libc.so.6|@stacks+ sorts" BELOW)
{
	int values[] = { 3, 1, 2, 5, 4 };

	qsort(values, 5, sizeof(values[0]), compare);
	sink = values[0];
}

#ifndef STATIC

#ifndef BIND_NOW
/* With lazy binding, the first call enters the dynamic linker, which calls choose. */
CASE(STEPPED, binds, "choose|chosen_at_run_time @ld-linux-x86-64.so.2+ binds" BELOW "; chosen binds" BELOW)
{
	sink = chosen_at_run_time(sink);
}
#endif

FUNCTION int called_back(int a)
{
	TRAP();
	return a + 1;
}

CASE(STEPPED, calls_back, "called_back calls_function calls_back" BELOW)
{
	sink = calls_function(called_back, sink);
}

/*
 * Two libraries of the same size alternate at one address. Their functions have the same
 * addresses, too, but frames of different sizes.
 */
FUNCTION void *use_plugin(const char *name, const char *function)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);

	if (n < 0)
		abort();
	path[n] = 0;
	strcpy(strrchr(path, '/') + 1, name);
	void *library = dlopen(path, RTLD_NOW);
	int (*f)(int (*)(int), int) = library ? (int (*)(int (*)(int), int))dlsym(library, function) : NULL;
	if (!f)
		abort();
	sink = f(called_back, sink);
	dlclose(library);
	return (void *)f;
}

CASE(PLAIN, replaces_library,
     "called_back plugin_a use_plugin replaces_library" BELOW "; called_back plugin_b use_plugin replaces_library" BELOW)
{
	for (int i = 0; i < 20; i++)
		if (use_plugin("plugin-a.so", "plugin_a") != use_plugin("plugin-b.so", "plugin_b")) {
			fprintf(stderr, "the plugins were not at the same address\n");
			exit(70);
		}
}
#endif
