#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

volatile int sink;

namespace shop {
struct Basket {
	std::map<std::string, int> items;
	__attribute__((always_inline)) int count(const std::string &name) const {
		auto it = items.find(name);
		sink = 1;		/* line:count */
		return it == items.end() ? 0 : it->second;
	}
	__attribute__((noinline)) int total(const std::vector<std::string> &names) const;
};

int Basket::total(const std::vector<std::string> &names) const {
	int n = 0;
	for (const auto &name : names)
		n += count(name);	/* line:total */
	return n;
}

template <typename T> __attribute__((noinline)) T largest(std::vector<T> v) {
	std::sort(v.begin(), v.end());
	return v.back();
}
}  // namespace shop

int main(int argc, char **argv) {
	shop::Basket b;
	std::vector<std::string> names(argv, argv + argc);
	for (auto &n : names)
		b.items[n] += int(n.size());
	std::printf("%d %d %s\n", b.total(names), shop::largest(std::vector<int>{argc, 3, 4}),
		    shop::largest(names).c_str());
	return 0;
}
