// Names that only make sense demangled.
namespace shop {
struct Cart {
	int add(int item, const char *name);
	Cart &operator+=(int item);
	int n;
};
__attribute__((noinline)) int Cart::add(int item, const char *name) { return n += item + name[0]; }
__attribute__((noinline)) Cart &Cart::operator+=(int item) { n += item; return *this; }
}
int main() { shop::Cart c{0}; c += 2; return c.add(1, "x"); }
