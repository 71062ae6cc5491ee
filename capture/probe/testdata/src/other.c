/* A second static function of a name, which makes it ambiguous. */
static __attribute__((noinline)) int twice(int i) { return i * 1000081; }
int other(int i) { return twice(i); }
