package format_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"trapline/format"
)

var update = flag.Bool("update", false, "write the golden files anew")

func dump(t testing.TB, file []byte) string {
	t.Helper()
	var out strings.Builder
	if err := format.DumpText(&out, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func build(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := format.BuildText(&out, strings.NewReader(text)); err != nil {
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
	if again := dump(t, build(t, got)); again != got {
		t.Errorf("dump of what was built from a dump differs:\n%s", again)
	}
}

// A capture built from the dump of another holds the same.
func TestDumpBuild(t *testing.T) {
	var file bytes.Buffer
	want := random(t, rand.New(rand.NewPCG(9, 9)), &file, nil, 2, 500)
	got, damage, err := read(bytes.NewReader(build(t, dump(t, file.Bytes()))))
	if !errors.Is(err, io.EOF) || len(damage) > 0 || !reflect.DeepEqual(sorted(got), sorted([]recording{want})) {
		t.Errorf("built capture reads differently: %v, damage %v", err, damage)
	}
}

func TestBuildErrors(t *testing.T) {
	for text, want := range map[string]string{
		"FILE\n\thostname=\"x\"\n":         "line 2: hostname: FILE has no such column",
		"\tkey=\"x\"\n":                    "line 1: a row without a block",
		"HIT\n":                            `line 1: unknown block "HIT"`,
		"HITS colour=3\n":                  `unknown attribute "colour"`,
		"HITS\n\ttime=soon\n":              `line 2: time: strconv.ParseUint: parsing "soon": invalid syntax`,
		"HITS\n\targ4096=1\n":              "line 2: arg4096: HITS has no such column",
		"STACKS\n\tkernel=1 frames=[1 2\n": "line 2: frames: list without an end",
		"KIND kind=9 payload=xyz\n":        "payload: encoding/hex: invalid byte: U+0078 'x'",
		"STRINGS first=1\n\ttext=\"half\n": "line 2: text: invalid syntax",
		"HITS\n\ttime\n":                   `line 2: "time" has no value`,
	} {
		err := format.BuildText(io.Discard, strings.NewReader(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, expected %s", text, err, want)
		}
	}
}

// start is the beginning of a capture that tests go on from.
const start = `FILE version=1
	key="hostname" value="box"
SEGMENT
	sequence=1 monotonic=5
STRINGS first=1
	text="init"
TASKS first=1
	pid=1 tid=1 comm=1
`

// blocks returns what a capture built from start and the text has behind its
// SegmentStart, and the error at its end.
func blocks(t *testing.T, text string) (list []format.Block, err error) {
	t.Helper()
	r, err := format.NewReader(bytes.NewReader(build(t, start+text)))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err != nil {
			return list[min(2, len(list)):], err
		}
		list = append(list, b)
	}
}

// Blocks that follow the framing but not the format are damage, with a reason,
// and cost nothing else.
func TestBlocksThatDoNotFit(t *testing.T) {
	const end = "SEGEND\n\tstrings=1 hits=1\n"
	const hit = "HITS first=1\n\ttime=1 task=1\n"
	for name, test := range map[string]struct{ text, reason string }{
		"must understand":       {"KIND kind=127 payload=00\n", "unknown kind 127"},
		"flags":                 {"TASKS first=2 flags=1\n\tpid=2\n", "unknown flags 0x1"},
		"IDs again":             {"TASKS first=1\n\tpid=2\n", "entries 1 to 1 follow entry 1"},
		"IDs past the last":     {"TASKS first=4294967295\n\tpid=1\n\tpid=2\n", "follow entry 1"},
		"too many entries":      {"TASKS first=2 rows=4000000000\n", "4000000000 entries"},
		"rows without values":   {"TASKS first=2 rows=3\n\tpid=1 comm=1\n", "1 values instead of 3"},
		"value out of range":    {"TASKS first=2\n\tpid=4294967296\n", "pid 4294967296 is out of range"},
		"too many hits":         {"HITS first=1 rows=70000\n", "70000 hits"},
		"more than it shares":   {"STACKS first=1\n\tkernel=0 frames=[1]\n\tkernel=0 back=1 shared=2\n", "shares 2 frames of one that has 1"},
		"shares with none":      {"STACKS first=1\n\tkernel=0 shared=1\n", "shares 1 frames with none"},
		"symbol of no frame":    {"SYMBOLS\n\tframe=7 start=1\n", "frame 7 is not known"},
		"column cut off":        {"TASKS first=2 rows=1 payload=02000000\n", "column 2 has no whole header"},
		"after the end":         {end + hit, "follows the end of its segment"},
		"lists that overflow":   {"STRINGS first=2 rows=2 payload=0200000002" + "80808080808080808001\n", "lists of column 2 have more than"},
		"segment of other part": {"SEGMENT part=7\n\tsequence=1\n", "the segment before has no end"},
	} {
		list, _ := blocks(t, test.text+hit+end)
		var found *format.Damage
		for _, b := range list {
			if d, ok := b.(*format.Damage); ok && found == nil {
				found = d
			}
		}
		if found == nil || !strings.Contains(found.Reason, test.reason) {
			t.Errorf("%s: damage %v, expected %q", name, found, test.reason)
		}
		if name == "after the end" {
			continue
		}
		hits := 0
		for _, b := range list {
			if h, ok := b.(*format.Hits); ok {
				hits += h.Rows
			}
		}
		if hits != 1 {
			t.Errorf("%s: %d hits", name, hits)
		}
	}
}

// What newer writers may add is passed over in silence.
func TestUnknownIsSkipped(t *testing.T) {
	unknownColumn := "a006" + "10" + "00" + "00" + "02" + "00" + "04" + "0102"
	list, err := blocks(t, "KIND kind=200 payload=ff\n"+
		"TASKS first=2 rows=1 payload="+unknownColumn+"\n"+
		"SEGEND\n\thits=0\n")
	if !errors.Is(err, io.EOF) || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	end, ok := list[0].(*format.SegmentEnd)
	if !ok {
		t.Fatalf("%T", list[0])
	}
	if task, ok := end.Segment.Task(2); !ok || task != (format.Task{}) {
		t.Errorf("task 2 is %v, %v", task, ok)
	}
}

// Captures of early versions end with an index of their blocks, of kind 128. They
// read as they did, joined or not.
func TestEarlyIndexIsSkipped(t *testing.T) {
	part := start + "HITS\n\ttime=1\nSEGEND\n\tstrings=1 hits=1\n"
	index := "KIND kind=128 segment=0 payload=0200000001010400000001018000\n"
	plain, _, err := read(strings.NewReader(string(build(t, part+part))))
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	got, damage, err := read(bytes.NewReader(build(t, part+index+part+index)))
	if !errors.Is(err, io.EOF) || len(damage) > 0 || len(got) != 2 || !reflect.DeepEqual(got, plain) {
		t.Errorf("with an index: %v\ndamage %v, %v\nwithout: %v", got, damage, err, plain)
	}
}

func TestNewerVersion(t *testing.T) {
	newer := build(t, "FILE version=2\n")
	_, err := format.NewReader(bytes.NewReader(newer))
	var version *format.VersionError
	if !errors.As(err, &version) || version.Major != 2 {
		t.Errorf("NewReader: %v", err)
	}
	// Behind a part that can be read.
	recs, _, err := read(io.MultiReader(bytes.NewReader(build(t, start+"SEGEND\n\tstrings=1\n")), bytes.NewReader(newer)))
	if !errors.As(err, &version) || len(recs) != 1 {
		t.Errorf("%d parts, %v", len(recs), err)
	}
}

// A lost dictionary block leaves a gap that is known to be one.
func TestGap(t *testing.T) {
	list, _ := blocks(t, "TASKS first=3\n\tpid=3 comm=9\nHITS first=5\n\ttime=1 task=2\n\ttime=2 task=3\nSEGEND\n\thits=2\n")
	h := list[0].(*format.Hits)
	if _, ok := h.Segment.Task(2); ok {
		t.Error("task 2 is there")
	}
	task, ok := h.Segment.Task(3)
	if !ok || task.PID != 3 || h.Segment.NumTasks() != 3 {
		t.Errorf("task 3 is %v, %v of %d", task, ok, h.Segment.NumTasks())
	}
	if s := h.Segment.String(task.Comm); s != "[lost]" {
		t.Errorf("its comm is %q", s)
	}
	if _, ok := h.Segment.Shape(h.Shape); ok {
		t.Error("shape 5 is there")
	}
	if v, err := h.Arg(nil, 3); err != nil || !reflect.DeepEqual(v, []uint64{0, 0}) {
		t.Errorf("argument that is not there: %v, %v", v, err)
	}
}

// A stack consists of its own frames and those that it shares, over blocks too.
// One that shares frames with a lost stack is lost, and others are not.
func TestSharedFrames(t *testing.T) {
	list, _ := blocks(t, "STACKS first=3\n\tkernel=1 frames=[1 2 3]\n\tkernel=1 back=1 shared=2 frames=[4]\n"+
		"STACKS first=5\n\tkernel=0 back=1 shared=3 cut=1\n\tkernel=0 back=4 shared=1 frames=[9]\n\tkernel=0 back=1 frames=[9]\n"+
		"\tkernel=0 back=3 shared=1 frames=[6 7]\n\tkernel=0 back=18446744073709551615 shared=1\n\tkernel=0\nHITS\n\ttime=1\n")
	if len(list) != 1 {
		t.Fatalf("%d blocks", len(list))
	}
	s := list[0].(*format.Hits).Segment
	for id, want := range map[format.StackID]string{
		3: "true complete [1 2 3]", 4: "true complete [4 2 3]", 5: "false depth limit reached [4 2 3]", 8: "false complete [6 7 3]",
		6: "", 7: "", 9: "", 10: "false complete []", 11: "",
	} {
		got := ""
		if st, ok := s.Stack(id); ok {
			got = fmt.Sprint(st.Kernel, " ", st.Cut, " ", st.Frames)
		}
		if got != want {
			t.Errorf("stack %d is %q instead of %q", id, got, want)
		}
	}
}

// A small file cannot make the reader allocate much, whatever it declares.
func TestAllocationIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"payload length": "RAW 8f545250060000000000ff00\n",
		"entries":        strings.Repeat("SYMBOLS rows=2097152\n", 20),
		"stacks":         strings.Repeat("STACKS first=1 rows=2097152\n", 20),
		"tasks in gaps":  "TASKS first=1000000\n\tpid=1\nTASKS first=4000000000\n\tpid=1\n",
	} {
		file := build(t, start+text)
		n := allocated(func() { read(bytes.NewReader(file)) })
		if limit := uint64(4 * format.MaxDictionaries); n > limit || name != "entries" && name != "stacks" && n > 8<<20 {
			t.Errorf("%s: %d bytes of input, %d MiB allocated", name, len(file), n>>20)
		}
	}
}
