package unwind_test

import (
	"bufio"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// Libraries and programs of a usual system, by glob patterns, and how many rows
// of each must at least have been compared.
var systemImages = map[string]int{
	"/lib/x86_64-linux-gnu/libc.so.6":             10_000,
	"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2":  1_000,
	"/usr/lib/x86_64-linux-gnu/libstdc++.so.6":    10_000,
	"/usr/lib/x86_64-linux-gnu/libcrypto.so.[13]": 10_000,
	"/usr/bin/python3":                            10_000,
}

// Rules must say what readelf's table says, in every row of whole system
// libraries. readelf reads the tables one after the other; Rule looks them up.
// Only the entry point has no caller, whatever its table says: libc.so.6 can be run.
func TestRulesAgainstReadelf(t *testing.T) {
	testenv.Tool(t, "readelf")
	for pattern, least := range systemImages {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(paths) == 0 {
			t.Logf("%s: not on this machine", pattern)
			continue
		}
		t.Run(filepath.Base(paths[0]), func(t *testing.T) {
			compareWithReadelf(t, paths[0], least)
		})
	}
}

// An image answers many goroutines at once, from its first rule on.
func TestRulesConcurrently(t *testing.T) {
	const path = "/lib/x86_64-linux-gnu/libc.so.6"
	if _, err := os.Stat(path); err != nil {
		testenv.Missing(t, path)
	}
	shared, _ := openImage(t, path)
	own, _ := openImage(t, path)
	var want []unwind.Rule
	for i := range uint64(1000) {
		want = append(want, own.Rule(0x28000+i*1021))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i, rule := range want {
				if got := shared.Rule(0x28000 + uint64(i)*1021); got != rule {
					t.Errorf("%#x: got %+v, want %+v", 0x28000+i*1021, got, rule)
				}
			}
		})
	}
	group.Wait()
}

func compareWithReadelf(t *testing.T, path string, least int) {
	image, offset := openImage(t, path)
	entry := entryPoint(t, path)
	cmd := exec.Command("readelf", "--debug-dump=frames-interp", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { // it may not have been read to its end
		cmd.Process.Kill()
		cmd.Wait()
	}()

	var rows, expressions, differences int
	check := func(pc uint64, want expected) {
		rows++
		off, ok := offset(pc)
		if !ok {
			return // descriptions of what the linker has dropped
		}
		got := image.Rule(off)
		if pc == entry {
			want = expected{rule: unwind.Rule{Kind: unwind.RuleEnd}, text: "the entry point"}
		}
		if want.any {
			expressions++
			if got.Kind == unwind.RuleNone {
				t.Errorf("%#x: no rule, readelf has %s", pc, want.text)
			}
			return
		}
		if got != want.rule {
			if differences++; differences < 20 {
				t.Errorf("%#x: got %+v, readelf has %s", pc, got, want.text)
			}
		}
	}
	scanReadelf(t, bufio.NewScanner(out), check)
	t.Logf("%d rows compared, %d of them with expressions, %d differences", rows, expressions, differences)
	if rows < least {
		t.Errorf("only %d rows were compared", rows)
	}
}

// entryPoint returns the address at which the kernel starts a file.
func entryPoint(t *testing.T, path string) uint64 {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Entry
}

// expected is a row of readelf's table.
type expected struct {
	rule unwind.Rule
	any  bool // it has an expression, which the table does not show
	text string
}

var (
	registerName = regexp.MustCompile(`(r[0-9]+) \([a-z0-9]+\)`)

	cieHead = regexp.MustCompile(`^([0-9a-f]{8,16}) [0-9a-f]{16} [0-9a-f]{8,16} CIE "([^"]*)"`)
	fdeHead = regexp.MustCompile(`^([0-9a-f]{8,16}) [0-9a-f]{16} [0-9a-f]{8,16} FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)`)
)

// A readelfScanner reads readelf's tables. It calls check for the first and the last
// address of each row.
type readelfScanner struct {
	t     *testing.T
	check func(pc uint64, want expected)

	columns []string
	cieRows map[string]expected // what holds in descriptions without rows of their own
	cie     string
	inFDE   bool
	end     uint64 // of the description
	// The row read last. It holds up to the next one.
	pending bool
	pc      uint64
	want    expected
}

func scanReadelf(t *testing.T, lines *bufio.Scanner, check func(pc uint64, want expected)) {
	t.Helper()
	s := readelfScanner{t: t, check: check, cieRows: make(map[string]expected)}
	for lines.Scan() {
		line := registerName.ReplaceAllString(lines.Text(), "$1")
		if !s.head(line) {
			s.row(line)
		}
	}
	s.flush(s.end)
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// flush checks the pending row, which holds up to the next one.
func (s *readelfScanner) flush(next uint64) {
	if s.pending && next > s.pc {
		s.check(s.pc, s.want)
		if next-1 != s.pc {
			s.check(next-1, s.want)
		}
	}
	s.pending = false
}

// head reads the line that begins an entry. It returns false for other lines.
func (s *readelfScanner) head(line string) bool {
	if m := cieHead.FindStringSubmatch(line); m != nil {
		s.flush(s.end)
		s.inFDE, s.columns, s.cie = false, nil, m[1]
		return true
	}
	m := fdeHead.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	s.flush(s.end)
	s.pc, s.end = parseHex(s.t, m[3]), parseHex(s.t, m[4])
	s.inFDE, s.columns, s.pending = true, nil, s.end > s.pc
	var ok bool
	if s.want, ok = s.cieRows[m[2]]; !ok { // the CIE says nothing, all is in expressions
		s.want = expected{any: true, text: line}
	}
	return true
}

// row reads the names of the columns, or a row of them.
func (s *readelfScanner) row(line string) {
	fields := strings.Fields(line)
	if len(fields) < 2 || fields[1] == "ZERO" {
		return
	}
	if fields[0] == "LOC" {
		s.columns = fields[1:]
		s.pending = s.pending && !s.inFDE
		return
	}
	if s.columns == nil || len(fields) != len(s.columns)+1 {
		return
	}
	want := parseRow(s.t, s.columns, fields[1:], line)
	if !s.inFDE {
		s.cieRows[s.cie] = want
		return
	}
	pc := parseHex(s.t, fields[0])
	s.flush(pc)
	s.pc, s.want, s.pending = pc, want, true
}

func parseRow(t *testing.T, columns, cells []string, line string) expected {
	t.Helper()
	e := expected{rule: unwind.Rule{Kind: unwind.RuleStep}, text: line}
	for i, column := range columns {
		cell := cells[i]
		switch {
		case column == "CFA" && cell == "exp", (column == "ra" || column == "rbp" || column == "rsp") && (cell == "exp" || cell == "vexp"):
			e.any = true
		case column == "CFA":
			var reg string
			if n := strings.IndexAny(cell, "+-"); n > 0 {
				reg = cell[:n]
				e.rule.CFA = int32(decimal(t, cell[n:]))
			}
			n, ok := dwarfNumber[reg]
			if !ok {
				t.Fatalf("unknown CFA %q in %q", cell, line)
			}
			e.rule.Base = n
		case column == "ra" && cell == "u":
			e.rule = unwind.Rule{Kind: unwind.RuleEnd}
			return e
		case column == "ra" && cell != "c-8":
			link, err := strconv.ParseUint(strings.TrimPrefix(cell, "r"), 10, 8) // r5: in a register
			if err == nil && e.rule.Base == unwind.RegSP && !e.rule.SavesFP && e.rule.Kind == unwind.RuleStep {
				e.rule = unwind.Rule{Kind: unwind.RuleLinkRegister, Base: uint8(link), CFA: e.rule.CFA}
			} else {
				e.rule = unwind.Rule{Kind: unwind.RuleExact}
			}
			return e
		case column == "rbp" && strings.HasPrefix(cell, "c"):
			e.rule.SavesFP = true
			e.rule.FP = int16(decimal(t, cell[1:]))
		case column == "rbp" && cell != "u" && cell != "s":
			e.rule = unwind.Rule{Kind: unwind.RuleExact}
		}
	}
	return e
}

var dwarfNumber = map[string]uint8{"rax": 0, "rdx": 1, "rcx": 2, "rbx": 3, "rsi": 4, "rdi": 5, "rbp": 6, "rsp": 7,
	"r8": 8, "r9": 9, "r10": 10, "r11": 11, "r12": 12, "r13": 13, "r14": 14, "r15": 15}

func decimal(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// openImage opens an image and returns, too, where in the file addresses are.
func openImage(t testing.TB, path string) (*unwind.Image, func(vaddr uint64) (uint64, bool)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	image, err := unwind.ReadImage(f)
	if err != nil {
		t.Fatal(err)
	}
	headers, err := elf.NewFile(f)
	if err != nil {
		t.Fatal(err)
	}
	return image, func(vaddr uint64) (uint64, bool) {
		for _, p := range headers.Progs {
			if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && vaddr-p.Vaddr < p.Filesz {
				return vaddr - p.Vaddr + p.Off, true
			}
		}
		return 0, false
	}
}
