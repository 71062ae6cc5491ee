// Functions that share their names but for scopes and parameters.
namespace shop {
volatile int sink;

struct Basket {
	__attribute__((noinline)) explicit Basket(int n) { sink = n; }
	__attribute__((noinline)) int count(int n) const { return sink * n; }
	__attribute__((noinline)) int count(const char *name) const { return sink + *name; }
	__attribute__((noinline)) unsigned total(unsigned long a, unsigned long b) const { return sink + a + b; }
};

template <typename T> __attribute__((noinline)) T largest(T a, T b) { return a > b ? a : b + sink; }
} // namespace shop

__attribute__((noinline)) int alone(int x) { return shop::sink * x; }

int main(int argc, char **argv)
{
	shop::Basket b(argc);

	return b.count(1) + b.count(argv[0]) + b.total(2, 3) + shop::largest(argc, 2) + shop::largest(2.5, 1.0) + alone(argc);
}
