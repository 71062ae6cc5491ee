/* The functions of libstacks.so. */
int chosen_at_run_time(int a);
int calls_function(int (*f)(int), int a);
