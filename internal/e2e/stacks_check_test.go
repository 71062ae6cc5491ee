//go:build linux

package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The programs of testdata/targets/stacks make this system call where their stack is to
// be recorded. Arguments from caseEnd on announce a case or its end: see case.h.
const (
	trap    = "syscalls:sys_enter_getpgid"
	caseEnd = 0x40000000 - 1
)

// maxFrames is the maximum number of frames of a recorded stack.
const maxFrames = 127

// A stackCase is a case of the program stacks: a piece of code, with the stacks that can
// be observed while it runs.
type stackCase struct {
	name   string
	stacks []stackPattern
	seen   []int // hits with exactly this stack
}

func (c *stackCase) String() string {
	lines := make([]string, len(c.stacks))
	for i, p := range c.stacks {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n\t")
}

// stackCases parses the program's description of its cases. It also returns the names of
// all functions in their stacks.
func stackCases(t testing.TB, stdout, tail string) (map[int]*stackCase, map[string]bool) {
	t.Helper()
	line := regexp.MustCompile(`^(\d+) (\w+): (.*)$`)
	cases, own := map[int]*stackCase{}, map[string]bool{"main": true, "run": true, "step_on": true, "step_off": true}
	for text := range strings.Lines(stdout) {
		m := line.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			t.Fatalf("the program printed %q", text)
		}
		number, _ := strconv.Atoi(m[1])
		c := &stackCase{name: m[2]}
		for stack := range strings.SplitSeq(m[3], ";") {
			if strings.HasSuffix(stack, " main") {
				stack += " " + tail
			}
			p := parseStack(t, stack)
			for _, token := range p {
				own[token.words[0]] = true
			}
			c.stacks = append(c.stacks, p)
		}
		c.seen = make([]int, len(c.stacks))
		cases[number] = c
	}
	if len(cases) == 0 {
		t.Fatal("the program has printed no cases")
	}
	return cases, own
}

// A stackCheck compares the hits of a recording with the program's description.
type stackCheck struct {
	own       map[string]bool // functions whose callers are known exactly
	foreign   bool            // see stackTest
	elsewhere []string
	always    []stackPattern // stacks that are accepted in every case
	plain     int            // hits at system calls
	stepped   int            // hits in the single-step handler
	probes    int            // hits of other probes
	wrong     int
	unknown   int // single steps in libraries with a stack that is marked truncated
	reported  map[string]bool
}

// frames returns the calls that have a frame, that is, those that are not inlined.
func frames(h *hit) []call {
	return slices.DeleteFunc(slices.Clone(h.User), func(c call) bool { return c.Inlined })
}

func (s *stackCheck) hit(t testing.TB, c *stackCase, h *hit) {
	t.Helper()
	stack := frames(h)
	ok, outer := false, stack
	for i, p := range c.stacks {
		if p.matches(stack) {
			ok = true
			c.seen[i]++
		}
	}
	switch {
	case len(stack) > 2 && stack[0].Function == "on_step":
		s.stepped++
		// Two frames of the handler, then the interrupted code, possibly in a library or a
		// stub of the linker. From the first known function on, the stack must be correct.
		if parseStack(t, "__restore_rt|@libc.so.6|@stacks")[0].matches(stack[1]) {
			outer = stack[2:]
			for len(outer) > 0 && !s.own[baseName(outer[0].Function)] {
				outer = outer[1:]
			}
		}
	case h.Probe == trap:
		s.plain++
		outer = nil
	default:
		s.probes++
	}
	ends := func(p stackPattern) bool { return len(outer) > 0 && p.endsWith(outer) }
	if ok || slices.ContainsFunc(c.stacks, ends) || slices.ContainsFunc(s.always, ends) {
		return
	}
	if n := len(stack) - 1; n > 0 && stack[n].Truncated {
		switch {
		case s.foreign && n > 2 && len(outer) == 0:
			s.unknown++
			return
		case slices.Contains(s.elsewhere, c.name) && stack[n].Function == "[truncated: stack memory not readable]":
			return
		}
	}
	s.wrong++
	// Reports each wrong stack once, and at most 8.
	if key := c.name + h.Probe + written(stack); !s.reported[key] && len(s.reported) < 8 {
		s.reported[key] = true
		t.Errorf("%s, %s: the stack is\n\t%s\nwant, or the outer part of\n\t%s", c.name, h.Probe, written(stack), c)
	}
}

// recordStacks records a program that describes its stacks. It returns the hits in order
// of time and the description. Nearly every hit is at a new address, the worst case for
// learned rules: the buffer has room for the stacks that are sent raw.
func recordStacks(t testing.TB, program string, args ...string) ([]hit, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trapline.data")
	r := run(t, exec.Command(command(t, "record"), slices.Concat([]string{"-o", path, "-m", "64M", "-e", trap}, args, []string{"--", program})...))
	if r.code != 0 {
		t.Fatalf("record: exit code %d\n%s", r.code, r.stderr)
	}
	all := hits(t, path)
	checkWhole(t, path, len(all))
	slices.SortStableFunc(all, func(a, b hit) int { return int(int64(a.Time - b.Time)) })
	return all, r.stdout
}

// A stackTest says how to check the hits of a recording.
type stackTest struct {
	tail   string   // callers of main
	except []string // cases that are not checked
	always []string // stacks that are accepted in every case
	// foreign: the program contains library code with missing or wrong unwind information.
	foreign bool
	// elsewhere: cases whose stack continues in other memory. A raw copy may lack that part
	// and is marked truncated; but the complete stack must be observed, too.
	elsewhere []string
}

// check compares each hit with its case and fails if a described stack was not observed.
func (st stackTest) check(t testing.TB, all []hit, stdout string) {
	t.Helper()
	cases, own := stackCases(t, stdout, st.tail)
	s := &stackCheck{own: own, foreign: st.foreign, elsewhere: st.elsewhere, reported: map[string]bool{}}
	for _, stack := range append(st.always, "step_on main "+st.tail, "step_off main "+st.tail) {
		s.always = append(s.always, parseStack(t, stack))
	}
	var current *stackCase
	for i := range all {
		h := &all[i]
		if h.Probe == trap {
			switch pid := h.number(t, "pid"); {
			case pid == caseEnd:
				current = nil
				continue
			case pid > caseEnd:
				current = cases[int(pid-caseEnd-1)]
				continue
			}
		}
		if current != nil && !slices.Contains(st.except, current.name) {
			s.hit(t, current, h)
		}
	}
	for _, c := range cases {
		for i, n := range c.seen {
			if n == 0 && s.wrong == 0 && !slices.Contains(st.except, c.name) {
				t.Errorf("%s: no hit has the stack\n\t%s", c.name, c.stacks[i])
			}
		}
	}
	if s.wrong > 0 {
		t.Errorf("%d of %d stacks are wrong", s.wrong, s.plain+s.stepped+s.probes)
	}
	if s.unknown*50 > s.stepped {
		t.Errorf("%d of %d stacks at single steps are truncated in library code", s.unknown, s.stepped)
	}
	t.Logf("%d stacks of %d cases: %d at system calls, %d at single steps, %d at other probes", s.plain+s.stepped+s.probes, len(cases), s.plain, s.stepped, s.probes)
}
