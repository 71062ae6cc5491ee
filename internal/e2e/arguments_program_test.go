//go:build linux

package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// expect fails unless the hit's arguments equal want, compared as JSON.
func (h *hit) expect(t testing.TB, want map[string]any) {
	t.Helper()
	got, err := json.Marshal(h.Args)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, wanted) {
		t.Fatalf("%s: the arguments are\n%s, want\n%s", h.Probe, got, wanted)
	}
}

// C arguments are recorded by name, or all of them if none is given, for every compiler
// and optimization level. The test checks every value of every hit.
func TestProgramArguments(t *testing.T) {
	testenv.Root(t)
	const n = 2000
	for _, build := range []string{"gcc-O0", "gcc-O2", "gcc-dwarf4", "clang-O0", "clang-O2"} {
		t.Run(build, func(t *testing.T) {
			if build != "gcc-O2" {
				testenv.Host(t) // the locations of arguments do not depend on the kernel
			}
			target := testenv.Target(t, "arguments-"+build)
			at := func(kind, rest string) string { return kind + ":" + target + ":" + rest }
			path := recordOK(t, "--no-stacks",
				"-e", at("uprobe", "numbers"), "-e", at("uretprobe", "numbers"), "-e", at("uprobe", "floating"),
				"-e", "fields="+at("uprobe", "pointers r->length r->in.a r->in.b r->in.lo r->in.mid r->in.hi next=r->next->length r->name r->values v2=r->values[2] r->port r->address"),
				"-e", "text="+at("uprobe", "pointers r->path:string buffer:bytes:n letter w=+8(arg0):s32 b=+15(%di):b3@0/8 two=+0(buffer):u8[2] four=+0(buffer):bytes:4"),
				"-e", "values="+at("uprobe", "byvalue l.b last $stack1 wb=w.b"),
				"-e", at("uprobe", "addresses address:sockaddr six:ipv6 global=@global:s32"),
				"-e", at("uretprobe", "byvalue"),
				"-e", at("uprobe", "unreadable nowhere:string address=nowhere"),
				"--", target, strconv.Itoa(n))
			all := hits(t, path)
			checkWhole(t, path, 9*n)
			calls := make(map[string]int)
			for k := range all {
				h := &all[k]
				name := strings.Replace(h.Probe, "arguments-"+build+":", "", 1)
				i := calls[name]
				calls[name]++
				h.expect(t, wantArgument(name, i))
			}
			for name, count := range calls {
				if count != n {
					t.Errorf("%d hits of %s, want %d", count, name, n)
				}
			}
		})
	}
}

// wantArgument returns the arguments that testdata/targets/arguments.c passes in call i.
func wantArgument(probe string, i int) map[string]any {
	blob := make([]byte, 64)
	for k := range 64 {
		blob[k] = byte(i + k)
	}
	switch probe {
	case "uprobe:numbers":
		return map[string]any{"a": int(int8(-i)), "b": i, "c": -i, "d": i << 40, "e": i%2 == 1,
			"f": []int{1, 2, -3}[i%3], "g": float64(^uint64(i)), "h": int(int8(i))}
	case "uretprobe:numbers":
		if i%5 == 0 {
			return map[string]any{"retval": -2}
		}
		return map[string]any{"retval": -i}
	case "uprobe:floating":
		return map[string]any{"n": i}
	case "fields":
		return map[string]any{"length": -i, "a": int(int16(-i)), "b": int(uint8(i)), "lo": i % 8, "mid": i % 128, "hi": i,
			"next": i + 1, "name": "n" + strconv.Itoa(i), "values": []any{i, i + 1, i + 2, i + 3}, "v2": i + 2, "port": i,
			"address": fmt.Sprintf("10.0.%d.%d", i>>8, i&255)}
	case "text":
		path := strings.Repeat("x", i%300)
		if len(path) > 256 {
			path = path[:256] + "…"
		}
		return map[string]any{"path": path, "buffer": hex.EncodeToString(blob[:i%64]), "letter": string(rune('a' + i%26)),
			"w": -i, "b": i % 8, "two": []any{int(blob[0]), int(blob[1])}, "four": hex.EncodeToString(blob[:4])}
	case "values":
		return map[string]any{"wb": -i, "last": i, "b": i + 1, "stack1": fmt.Sprintf("%#x", i)}
	case "uretprobe:byvalue":
		return map[string]any{"retval": i + 1}
	case "uprobe:addresses":
		return map[string]any{"address": fmt.Sprintf("10.0.%d.%d:%d", i>>8, i&255, i),
			"six": netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i)).String(), "global": 3 * i}
	case "uprobe:unreadable":
		return map[string]any{"nowhere": nil, "address": "0x10"}
	}
	return nil
}

// Go arguments are recorded by name while stacks grow and move and garbage is collected:
// each call once, with its own values.
func TestGoArguments(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, c := range []struct {
		target string
		n      int
	}{{"goarguments", 250_000}, {"goarguments-N", 20_000}} {
		t.Run(c.target, func(t *testing.T) {
			target := testenv.Target(t, c.target)
			path := recordOK(t, "--no-stacks", "--buffer", "64M",
				"-e", "entry=uprobe:"+target+":main.handle id name data ok small r->path r.in.A b=r.next.in.B goid",
				"-e", "exit=uretprobe:"+target+":main.handle", "-e", "grow=uprobe:"+target+":main.grow",
				"--", target, strconv.Itoa(c.n))
			grown := 21 * ((c.n + 999) / 1000)
			checkWhole(t, path, 2*c.n+grown)
			seen := make([]bool, c.n)
			depths := make(map[int64]int)
			goroutines := make(map[int64]bool)
			all := hits(t, path)
			for k := range all {
				h := &all[k]
				switch h.Probe {
				case "grow":
					depths[h.number(t, "depth")]++
				case "exit":
					i := -h.number(t, "retval")
					h.expect(t, map[string]any{"retval": -int(i), "r1": "n" + strconv.Itoa(int(i))})
				default:
					i := int(h.number(t, "id"))
					if i < 0 || i >= c.n || seen[i] {
						t.Fatalf("call %d is recorded twice, or does not exist", i)
					}
					seen[i] = true
					goroutines[h.number(t, "goid")] = true
					text := strconv.Itoa(i)
					h.expect(t, map[string]any{"id": i, "name": "n" + text, "data": hex.EncodeToString([]byte((text + "xxxxx")[:i%5])), "ok": i%2 == 0,
						"small": int(int8(i)), "path": "/" + text, "A": -i, "b": i << 20, "goid": h.Args["goid"]})
				}
			}
			if len(goroutines) != 4 {
				t.Errorf("%d goroutines call handle, want 4", len(goroutines))
			}
			for depth := range int64(21) {
				if depths[depth] != grown/21 {
					t.Errorf("grow is called %d times with depth %d, want %d", depths[depth], depth, grown/21)
				}
			}
		})
	}
}

// Invalid arguments are reported before recording starts.
func TestArgumentMistakes(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "arguments-gcc-O0")
	for event, want := range map[string]string{
		"pointers r->lenght":         "r struct request has no field lenght (it has length",
		"pointers q":                 "q is not an argument here: there are r, buffer, n, letter",
		"pointers n->x":              "n is long int, which has no fields",
		"floating d":                 "d is passed in a vector register",
		"pointers arg7":              "arg7 does not exist: there are 4 arguments",
		"pointers %foo":              "%foo is not a register",
		"pointers @nothing":          "@nothing is not a symbol of",
		"numbers c:enum":             "c is not of an enumeration",
		"pointers r->values[4]":      "r->values int[4] has no element 4",
		"pointers r->path:string[2]": "arrays of string[2] cannot be recorded",
	} {
		r := run(t, exec.Command(command(t, "record"), "-o", filepath.Join(t.TempDir(), "x"), "-e", "uprobe:"+target+":"+event, "--", "true"))
		if r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit code %d, message\n%swant %s", event, r.code, r.stderr, want)
		}
	}
}
