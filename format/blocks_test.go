package format_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"trapline/format"
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

// A capture built from the dump of another one has the same contents.
func TestDumpBuild(t *testing.T) {
	var file bytes.Buffer
	want := random(t, rand.New(rand.NewPCG(9, 9)), &file, nil, 2, 500)
	got, damage, err := read(bytes.NewReader(build(t, dump(t, file.Bytes()))))
	if !errors.Is(err, io.EOF) || len(damage) > 0 || !reflect.DeepEqual(sorted(got), sorted([]recording{want})) {
		t.Errorf("built capture reads differently: %v, damage %v", err, damage)
	}
}

// start is the beginning of a capture that tests continue.
const start = `FILE version=1
	key="hostname" value="box"
SEGMENT
	sequence=1 monotonic=5
STRINGS first=1
	text="init"
TASKS first=1
	pid=1 tid=1 comm=1
`

// blocks builds a capture from start and the lines. It returns the blocks after the
// SegmentStart, and the final error.
func blocks(t *testing.T, lines string) (list []format.Block, err error) {
	t.Helper()
	r, err := format.NewReader(bytes.NewReader(build(t, start+lines)))
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

// Well-framed blocks that violate the format are damage, with a reason, and do not affect
// other blocks.
func TestBlocksThatDoNotFit(t *testing.T) {
	const end = "SEGEND\n\tstrings=1 hits=1\n"
	const hit = "HITS first=1\n\ttime=1 task=1\n"
	for name, test := range map[string]struct{ lines, reason string }{
		"must understand":       {"KIND kind=127 payload=00\n", "unknown kind 127"},
		"flags":                 {"TASKS first=2 flags=1\n\tpid=2\n", "unknown flags 0x1"},
		"IDs again":             {"TASKS first=1\n\tpid=2\n", "entries 1 to 1 follow entry 1"},
		"IDs past the last":     {"TASKS first=4294967295\n\tpid=1\n\tpid=2\n", "follow entry 1"},
		"too many entries":      {"TASKS first=2 rows=4000000000\n", "4000000000 entries"},
		"rows without values":   {"TASKS first=2 rows=3\n\tpid=1 comm=1\n", "1 values instead of 3"},
		"value out of range":    {"TASKS first=2\n\tpid=4294967296\n", "pid 4294967296 is out of range"},
		"too many hits":         {"HITS first=1 rows=70000\n", "70000 hits"},
		"more than it shares":   {"STACKS first=1\n\tkernel=0 frames=[1]\n\tkernel=0 back=1 shared=2\n", "shares 2 frames of one that has 1"},
		"shares with none":      {"STACKS first=1\n\tkernel=0 shared=1\n", "shares 1 frames with no other stack"},
		"symbol of no frame":    {"SYMBOLS\n\tframe=7 start=1\n", "frame 7 is unknown"},
		"column cut off":        {"TASKS first=2 rows=1 payload=02000000\n", "header of column 2 is incomplete"},
		"after the end":         {end + hit, "follows the end of its segment"},
		"lists that overflow":   {"STRINGS first=2 rows=2 payload=0200000002" + "80808080808080808001\n", "lists of column 2 have more than"},
		"segment of other part": {"SEGMENT part=7\n\tsequence=1\n", "the previous segment has no end"},
	} {
		list, _ := blocks(t, test.lines+hit+end)
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

// Readers silently skip what newer writers may add.
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

// Early captures end with an index of their blocks, of kind 128. Readers skip it, also in
// concatenated captures.
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
	// After a part that can be read.
	recs, _, err := read(io.MultiReader(bytes.NewReader(build(t, start+"SEGEND\n\tstrings=1\n")), bytes.NewReader(newer)))
	if !errors.As(err, &version) || len(recs) != 1 {
		t.Errorf("%d parts, %v", len(recs), err)
	}
}

// A lost dictionary block leaves a gap, whose IDs are unknown.
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
		t.Errorf("missing argument: %v, %v", v, err)
	}
}

// A stack consists of its own frames and those it shares, even across blocks. A stack that
// shares frames with a lost one is lost. Others are not.
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

// A small file cannot make the reader allocate much memory, whatever it declares.
func TestAllocationIsBounded(t *testing.T) {
	for name, lines := range map[string]string{
		"payload length": "RAW 8f545250060000000000ff00\n",
		"entries":        strings.Repeat("SYMBOLS rows=2097152\n", 20),
		"stacks":         strings.Repeat("STACKS first=1 rows=2097152\n", 20),
		"tasks in gaps":  "TASKS first=1000000\n\tpid=1\nTASKS first=4000000000\n\tpid=1\n",
	} {
		file := build(t, start+lines)
		n := allocated(func() { read(bytes.NewReader(file)) })
		if limit := uint64(4 * format.MaxDictionaries); n > limit || name != "entries" && name != "stacks" && n > 8<<20 {
			t.Errorf("%s: %d bytes of input, %d MiB allocated", name, len(file), n>>20)
		}
	}
}
