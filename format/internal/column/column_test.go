package column

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// patterns generate columns of n values like those of captures.
var patterns = map[string]func(rng *rand.Rand, n int) []uint64{
	"zeros":     func(_ *rand.Rand, n int) []uint64 { return make([]uint64, n) },
	"constant":  fill(func(*rand.Rand, int) uint64 { return 4711 }),
	"small":     fill(func(rng *rand.Rand, _ int) uint64 { return rng.Uint64N(9) }),
	"rising":    fill(func(rng *rand.Rand, i int) uint64 { return 1e12 + 1000*uint64(i) + rng.Uint64N(999) }),
	"any size":  fill(func(rng *rand.Rand, _ int) uint64 { return rng.Uint64() >> rng.UintN(64) }),
	"any":       fill(func(rng *rand.Rand, _ int) uint64 { return rng.Uint64() }),
	"pointers":  fill(func(rng *rand.Rand, _ int) uint64 { return 0xffff888100000000 + rng.Uint64N(50)<<12 }),
	"errors":    fill(func(rng *rand.Rand, _ int) uint64 { return -rng.Uint64N(40) }),
	"two sides": fill(func(rng *rand.Rand, _ int) uint64 { return 1<<63 - 3 + rng.Uint64N(6) }),
}

func fill(value func(rng *rand.Rand, i int) uint64) func(*rand.Rand, int) []uint64 {
	return func(rng *rand.Rand, n int) []uint64 {
		out := make([]uint64, n)
		for i := range out {
			out[i] = value(rng, i)
		}
		return out
	}
}

// Every recipe preserves values, except for rounding them down to its unit.
func TestEveryRecipe(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	compressors := []*zstd.Encoder{nil, NewCompressor(1)}
	var b Builder
	for name, pattern := range patterns {
		for _, n := range []int{1, 2, 23, 24, 500} {
			values, context := pattern(rng, n), patterns["small"](rng, n)
			for _, r := range recipes() {
				for _, z := range compressors {
					b.Begin(3, z)
					var by []uint64
					if r.Context != 0 {
						by = context
						b.Add(2, context)
					}
					b.Encode(4, r, values, by)
					set, err := Parse(b.Data()[3:])
					if err != nil {
						t.Fatal(err)
					}
					got, err := set.Numbers(nil, 4, n)
					if err != nil {
						t.Fatalf("%s, %d values, %+v: %v", name, n, r, err)
					}
					for i, v := range values {
						if unit := uint64(max(r.Unit, 1)); got[i] != v/unit*unit {
							t.Fatalf("%s, %d values, %+v: value %d is %#x instead of %#x", name, n, r, i, got[i], v/unit*unit)
						}
					}
				}
			}
		}
	}
}

// recipes returns all valid recipes, with units where they are allowed.
func recipes() (out []Recipe) {
	for _, tr := range []Transform{Plain, Delta, Table} {
		for _, context := range []uint16{0, 2, 2 | ContextBefore} {
			for _, tokens := range []bool{false, true} {
				for _, unit := range []uint16{0, 100} {
					if tr == Delta && context != 0 || tr == Table && unit != 0 {
						continue
					}
					out = append(out, Recipe{tr, context, tokens, unit})
				}
			}
		}
	}
	return out
}

// A column that another column determines takes almost no space.
func TestRecipes(t *testing.T) {
	const n = 8000
	rng := rand.New(rand.NewPCG(2, 2))
	columns := [][]uint64{patterns["rising"](rng, n), patterns["any size"](rng, n), make([]uint64, n), make([]uint64, n)}
	for i := range n {
		columns[1][i] %= 300
		columns[2][i] = columns[1][i] * 0x123456789 // depends on the same row
		columns[3][(i+1)%n] = columns[1][i] * 7     // depends on the previous row
	}
	ids := []uint16{2, 4, 6, 8}
	var b Builder
	b.Begin(0, NewCompressor(1))
	sizes := make([]int, len(columns))
	for i, r := range b.Recipes(columns, ids) {
		var context []uint64
		if r.Context != 0 {
			context = columns[slices.Index(ids, r.Context&^ContextBefore)]
		}
		before := len(b.Data())
		b.Encode(ids[i], r, columns[i], context)
		sizes[i] = len(b.Data()) - before
	}
	if sizes[2] > sizes[1]/2 && sizes[1] > sizes[2]/2 || sizes[3] > n/2 {
		t.Errorf("columns take %d bytes", sizes)
	}
	set, err := Parse(b.Data())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range columns {
		if got, err := set.Numbers(nil, ids[i], n); err != nil || !slices.Equal(got, want) {
			t.Errorf("column %d: %v, or other values", ids[i], err)
		}
	}
}

func TestTexts(t *testing.T) {
	want := []string{"", "init", strings.Repeat("a long text ", 100), "\x00\xff", ""}
	var b Builder
	b.Begin(0, NewCompressor(1))
	b.AddTexts(2, want)
	set, err := Parse(b.Data())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := set.Texts(len(want), 2, 4); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := set.Texts(len(want)-1, 2, 4); err == nil {
		t.Errorf("with one length less than there are: %q", got)
	}
	if got := set.IDs(); !slices.Equal(got, []uint16{2, 4}) {
		t.Errorf("columns %d", got)
	}
}

// A missing column is all zero, and a column of zeros is omitted.
func TestZeros(t *testing.T) {
	var b Builder
	b.Begin(0, nil)
	b.Add(2, make([]uint64, 10))
	if len(b.Data()) != 0 {
		t.Errorf("zeros take %d bytes", len(b.Data()))
	}
	got, err := Set(nil).Numbers([]uint64{7, 7}, 2, 2)
	if err != nil || !slices.Equal(got, []uint64{0, 0}) {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := Set(nil).Numbers(nil, 2, MaxValues+1); err == nil {
		t.Error("more values than a column may have were decoded")
	}
}

// Invalid columns are rejected with a reason.
func TestDamagedColumns(t *testing.T) {
	plain := func(id, context byte, values ...byte) string {
		return string([]byte{id, 1 << formPlanes, context, 0, byte(len(values)), 0, byte(2 * len(values))}) + string(values)
	}
	for payload, want := range map[string]string{
		"\x04\x10\x00\x00\x02\x00":                                    "plane 0 of column 4 is longer than its block",
		"\x04\x10\x00\x00\x02\x00\x06\x01\x02":                        "plane 0 of column 4 is longer than its block",
		"\x04\x10\x00":                                                "header of column 4 is incomplete",
		"\x04\x18\x00\x00\x02\x00\x04\x01\x02":                        "column 4 has the unknown form 0x18",
		"\x04\x90\x00\x00\x02\x00":                                    "column 4 has the unknown form 0x90",
		"\x04\x34\x00\x00\x00\x00\x00\x00\x00":                        "column 4 has the unknown form 0x34",
		plain(4, 0, 1, 2) + plain(4, 0, 1, 2):                         "column 4 follows column 4",
		plain(4, 0, 1, 2, 3):                                          "column 4 has 3 values instead of 2",
		"\x04\x10\x00\x00\x02\x00\x02\x01":                            "column 4: plane has 1 bytes instead of 2",
		"\x04\x10\x00\x00\x02\x00\x05\x01\x02":                        "column 4: unexpected EOF",
		"\x04\x13\x00\x00\x02\x00\x04\x01\x02":                        "column 4 has the unknown transform 3",
		"\x04\x11\x02\x00\x02\x00\x04\x01\x02":                        "column 4 must not have a context",
		plain(4, 4, 1, 2):                                             "column 4 must not have a context", // its own
		"\x04\x12\x00\x00\x02\x00\x04\x00\x01":                        "position 0 is not in column 5",
		"\x04\x12\x00\x00\x02\x00\x04\x00\x01" + plain(5, 0, 1, 2, 3): "column 5 has 3 values for 2 rows",
	} {
		set, err := Parse([]byte(payload))
		if err == nil {
			_, err = set.Numbers(nil, 4, 2)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%x: %v, want %s", payload, err, want)
		}
	}
}

// FuzzColumns checks that no payload makes decoding panic, and that decoding returns as many
// values as requested.
func FuzzColumns(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 3))
	var b Builder
	for _, r := range recipes() {
		b.Begin(0, NewCompressor(1))
		b.Add(2, patterns["small"](rng, 60))
		b.Encode(4, r, patterns["pointers"](rng, 60), map[bool][]uint64{true: patterns["small"](rng, 60)}[r.Context != 0])
		f.Add(slices.Clone(b.Data()), 60)
	}
	f.Fuzz(func(t *testing.T, payload []byte, count int) {
		set, err := Parse(payload)
		if err != nil || count < 0 || count > 1<<12 {
			return
		}
		for _, id := range append(set.IDs(), 2) {
			if got, err := set.Numbers(nil, id, count); err == nil && len(got) != count {
				t.Errorf("column %d: %d values, asked for %d", id, len(got), count)
			}
			if got, err := set.Texts(count, id, id+2); err == nil && len(got) != count {
				t.Errorf("columns %d, %d: %d texts, asked for %d", id, id+2, len(got), count)
			}
		}
	})
}

func ExampleBuilder() {
	var b Builder
	b.Begin(0, nil)
	b.Add(2, []uint64{1010, 1030})
	fmt.Printf("% x\n", b.Data())
	// Output: 02 10 00 00 02 f2 07 04 00 14
}
