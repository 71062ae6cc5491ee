static __attribute__((noinline)) int twice(int i) { return i * 1000099; }
int third(int i) { return twice(i); }
