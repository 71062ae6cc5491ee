/* A second static function with the same name, which makes the name ambiguous. */
static __attribute__((noinline)) int twice(int i) { return i * 1000081; }
int other(int i) { return twice(i); }
