#include <pthread.h>
#include <stdlib.h>

#include "_cgo_export.h"
#include "../stacks/case.h"
#include "calls.h"

FUNCTION void c_inner(void)
{
	TRAP();
}

FUNCTION void c_outer(void)
{
	c_inner();
	KEEP;
}

FUNCTION void c_calls_back(void)
{
	goBack();
	KEEP;
}

FUNCTION void *c_thread(void *arg)
{
	goBack();
	KEEP;
	return arg;
}

FUNCTION void c_starts_thread(void)
{
	pthread_t tid;

	if (pthread_create(&tid, NULL, c_thread, NULL) || pthread_join(tid, NULL))
		abort();
}
