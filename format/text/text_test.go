package text_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/format"
	"trapline/format/internal/block"
	"trapline/format/text"
)

var update = flag.Bool("update", false, "write the golden files anew")

func dump(t testing.TB, file []byte) string {
	t.Helper()
	var out strings.Builder
	if err := text.Dump(&out, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func build(t testing.TB, lines string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := text.Build(&out, strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// example writes one of everything.
func example(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := format.NewWriter(&out, []format.Property{{Key: format.KeyHostname, Value: "box"}, {Key: format.KeyArch, Value: "arm64"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.StartSegment(format.Clock{Monotonic: 1000, Boottime: 2000, Realtime: 1700000000000000000}))
	kernel := w.Image(format.Image{Kind: format.ImageKernel, Path: w.String("[kernel.kallsyms]"), BuildID: w.StringBytes([]byte{0xde, 0xad, 0xbe, 0xef})})
	libc := w.Image(format.Image{Kind: format.ImageELF, Path: w.String("/lib/libc.so.6"), Device: 0xfe01, Inode: 4711})
	leaf := w.Frame(format.Frame{Image: kernel, Offset: 0x1234})
	caller := w.Frame(format.Frame{Image: kernel, Offset: 0x5678, Flags: format.FrameReturn})
	user := w.Frame(format.Frame{Image: libc, Offset: 0x9abc, Flags: format.FrameReturn | format.FrameGuessed})
	shape := w.Shape(format.Shape{Fields: []format.Field{
		{Name: w.String("ptr"), Type: format.FieldPointer, Size: 8, Count: 1},
		{Name: w.String("sizes"), Type: format.FieldUint, Size: 4, Count: 2},
	}})
	alloc := w.Probe(format.Probe{Kind: format.ProbeTracepoint, Name: w.String("kmem:kmem_cache_alloc"), Event: w.String("kmem:*"), Shape: shape, Period: 1})
	tick := w.Probe(format.Probe{Kind: format.ProbeTimed, Name: w.String("cpu-clock"), Event: w.String("cpu-clock"), Period: 1010101})
	task := w.Task(format.Task{PID: 7, TID: 8, Comm: w.String("init")})
	kstack := w.Stack(format.Stack{Kernel: true, Frames: []format.FrameID{leaf, caller}})
	ustack := w.Stack(format.Stack{Cut: format.CutUnreadable, Frames: []format.FrameID{user}})
	for i := range uint64(3) {
		check(w.Hit(&format.Hit{Time: 1100 + 10*i, CPU: uint32(i % 2), Task: task, Probe: alloc, KernelStack: kstack, UserStack: ustack, Args: []uint64{0xffff888100000040 + i%2*64, 64, 32 * i}}))
	}
	check(w.Hit(&format.Hit{Time: 1105, Task: task, Probe: tick, KernelStack: kstack}))
	check(w.Flush())
	check(w.Loss(1200, []format.Count{{Probe: alloc, CPU: 0, Cause: format.CauseRecorded, N: 2}, {Probe: tick, CPU: format.AnyCPU, Cause: format.CauseMissed, N: 5}}))
	check(w.Symbols([]format.Symbol{
		{Frame: leaf, Calls: []format.Call{{Function: w.String("inlined"), File: w.String("mm/slub.c"), Line: 12}, {Function: w.String("kmem_cache_alloc"), Offset: 52}}},
		{Frame: user},
	}))
	check(w.Close())
	return out.Bytes()
}

func TestDumpGolden(t *testing.T) {
	golden := filepath.Join("testdata", "example.txt")
	got := dump(t, example(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("dump differs from %s:\n%s", golden, got)
	}
	for k := block.File; k <= block.SegmentEnd; k++ {
		if !strings.Contains("\n"+got, fmt.Sprintf("\n%s", k)) {
			t.Errorf("the example has no block of %s", k)
		}
	}
	if again := dump(t, build(t, got)); again != got {
		t.Errorf("dump of what was built from a dump differs:\n%s", again)
	}
}

func TestBuildErrors(t *testing.T) {
	for lines, want := range map[string]string{
		"FILE\n\thostname=\"x\"\n":         "line 2: hostname: FILE has no such column",
		"\tkey=\"x\"\n":                    "line 1: row without a block",
		"HIT\n":                            `line 1: unknown block "HIT"`,
		"HITS colour=3\n":                  `unknown attribute "colour"`,
		"HITS\n\ttime=soon\n":              `line 2: time: strconv.ParseUint: parsing "soon": invalid syntax`,
		"HITS\n\targ4096=1\n":              "line 2: arg4096: HITS has no such column",
		"STACKS\n\tkernel=1 frames=[1 2\n": "line 2: frames: unterminated list",
		"KIND kind=9 payload=xyz\n":        "payload: encoding/hex: invalid byte: U+0078 'x'",
		"STRINGS first=1\n\ttext=\"half\n": "line 2: text: invalid syntax",
		"HITS\n\ttime\n":                   `line 2: "time" has no value`,
	} {
		err := text.Build(io.Discard, strings.NewReader(lines))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, expected %s", lines, err, want)
		}
	}
}

// FuzzBuild checks that any text is rejected or becomes a capture that can be dumped, and
// that the dump of a capture built from a dump is the same.
func FuzzBuild(f *testing.F) {
	example, err := os.ReadFile("testdata/example.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add("FILE version=1\nSEGMENT\n\tsequence=1\nHITS first=1 rows=9 tmin=3\n\ttime=1 arg3=0x7\nRAW 00ff\n")
	f.Add("KIND kind=200 flags=1 payload=ff\n# comment\n")
	f.Fuzz(func(t *testing.T, in string) {
		var file bytes.Buffer
		if text.Build(&file, strings.NewReader(in)) != nil {
			return
		}
		once := dump(t, file.Bytes())
		if strings.Contains(once, "#") {
			return // damage becomes comments, which Build ignores
		}
		if again := dump(t, build(t, once)); again != once {
			t.Errorf("first dump:\n%s\nsecond dump:\n%s", once, again)
		}
	})
}
