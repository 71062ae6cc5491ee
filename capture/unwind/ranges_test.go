package unwind_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"sort"
	"testing"

	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// Within a range that has a rule, looking up any place finds the same rule.
func TestRangesAreRules(t *testing.T) {
	for _, path := range rangesImages(t) {
		t.Run(path, func(t *testing.T) {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			image, err := unwind.ReadImage(f)
			if err != nil {
				t.Fatal(err)
			}
			ranges, ok := image.Ranges(1 << 20)
			if !ok || len(ranges) < 10 {
				t.Fatalf("%d ranges, ok %t", len(ranges), ok)
			}
			random := rand.New(rand.NewPCG(1, 2))
			first, last := ranges[0].Offset, ranges[len(ranges)-1].Offset
			asked, known := 0, 0
			check := func(offset uint64) {
				i := sort.Search(len(ranges), func(i int) bool { return ranges[i].Offset > offset }) - 1
				want := image.Rule(offset)
				if want.Kind != unwind.RuleNone {
					asked++
				}
				if i < 0 || ranges[i].Rule.Kind == unwind.RuleNone {
					return
				}
				known++
				if ranges[i].Rule != want {
					t.Errorf("offset %#x: the range from %#x has %+v, the place %+v", offset, ranges[i].Offset, ranges[i].Rule, want)
				}
			}
			for i, r := range ranges {
				if i > 0 && r.Offset <= ranges[i-1].Offset {
					t.Fatalf("range %d begins at %#x, the one before at %#x", i, r.Offset, ranges[i-1].Offset)
				}
				if i%max(1, len(ranges)/20000) == 0 {
					check(r.Offset)
					check(r.Offset - 1)
				}
				if t.Failed() {
					return
				}
			}
			for range 20000 {
				check(first + random.Uint64N(last-first))
			}
			if known < asked*98/100 { // entry code and signal returns have none
				t.Errorf("%d of %d places with a rule have one in the ranges", known, asked)
			}
			t.Logf("%d ranges, %d of %d places known", len(ranges), known, asked)
		})
	}
}

// rangesImages returns C libraries, with tables by compilers and people, and a Go program.
func rangesImages(t testing.TB) []string {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{testenv.Target(t, "counter"), goCommand}
	for _, path := range []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2",
		"/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/bin/python3"} {
		if _, err := os.Stat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

func BenchmarkRanges(b *testing.B) {
	for _, path := range rangesImages(b) {
		b.Run(path, func(b *testing.B) {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			for b.Loop() {
				image, err := unwind.ReadImage(f)
				if err != nil {
					b.Fatal(err)
				}
				if _, ok := image.Ranges(1 << 20); !ok {
					b.Fatal("too many")
				}
			}
		})
	}
}
