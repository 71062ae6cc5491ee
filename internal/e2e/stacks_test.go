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

	"trapline/internal/testenv"
)

// The tracepoint of the system call that the programs of testdata/targets/stacks
// make where they want their stack taken, and the arguments with which they
// announce a case and its end (see case.h).
const (
	trap    = "syscalls:sys_enter_getpgid"
	caseEnd = 0x40000000 - 1
)

// maxFrames is how many frames of a stack are recorded.
const maxFrames = 127

// A stackCase is a case of the program stacks: code that it runs, and the stacks
// that are seen while it does.
type stackCase struct {
	name   string
	stacks []stackPattern
	seen   []int // hits with exactly that stack
}

func (c *stackCase) String() string {
	lines := make([]string, len(c.stacks))
	for i, p := range c.stacks {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n\t")
}

// stackCases parses what the program says of its cases.
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
			p := parseStack(t, stack).limit(maxFrames)
			for _, token := range p {
				own[token.words[0]] = true
			}
			c.stacks = append(c.stacks, p)
		}
		c.seen = make([]int, len(c.stacks))
		cases[number] = c
	}
	return cases, own
}

// stackCheck compares the hits of a recording with what the program says.
type stackCheck struct {
	own      map[string]bool // functions whose callers are known exactly
	stepping []stackPattern
	plain    int // hits where the program made the system call
	stepped  int // hits from the handler of single steps
	entry    int // hits of uprobes
	wrong    int
	reported map[string]bool
}

// stack returns the calls without those that were inlined: they are no frames.
func frames(h *hit) []call {
	return slices.DeleteFunc(slices.Clone(h.User), func(c call) bool { return c.Inlined })
}

func (s *stackCheck) hit(t testing.TB, c *stackCase, h *hit) {
	t.Helper()
	stack := frames(h)
	ok := false
	if len(stack) > 2 && stack[0].Function == "on_step" {
		s.stepped++
		// Two frames of the handler, then what was interrupted. That may be a function of a
		// library or a stub of the linker's: from the first known function on, the stack must be right.
		rest := stack[2:]
		for len(rest) > 0 && !s.own[baseName(rest[0].Function)] {
			rest = rest[1:]
		}
		ends := func(p stackPattern) bool { return p.endsWith(rest) }
		ok = parseStack(t, "__restore_rt|@libc.so.6")[0].matches(stack[1]) &&
			(slices.ContainsFunc(c.stacks, ends) || slices.ContainsFunc(s.stepping, ends))
	} else if h.Probe == trap {
		s.plain++
		for i, p := range c.stacks {
			if p.matches(stack) {
				ok = true
				c.seen[i]++
			}
		}
	} else {
		s.entry++
		ok = slices.ContainsFunc(c.stacks, func(p stackPattern) bool { return p.endsWith(stack) })
	}
	if ok {
		return
	}
	s.wrong++
	// Each wrong stack once, and not all of them.
	if key := c.name + h.Probe + written(stack); !s.reported[key] && len(s.reported) < 20 {
		s.reported[key] = true
		t.Errorf("%s, %s: the stack is\n\t%s\nwant, or the outer part of\n\t%s", c.name, h.Probe, written(stack), c)
	}
}

// recordStacks records the program stacks of a build and returns its hits in order
// of time and what it said.
func recordStacks(t testing.TB, program string, args ...string) ([]hit, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trapline.data")
	r := run(t, exec.Command(command(t, "record"), slices.Concat([]string{"-o", path, "-e", trap}, args, []string{"--", program})...))
	if r.code != 0 {
		t.Fatalf("record: exit code %d\n%s", r.code, r.stderr)
	}
	all := hits(t, path)
	checkWhole(t, path, len(all))
	slices.SortStableFunc(all, func(a, b hit) int { return int(int64(a.Time - b.Time)) })
	return all, r.stdout
}

// checkCases compares each hit with its case, and demands that each stack was seen, but
// not of the cases that are excepted.
func checkCases(t testing.TB, all []hit, stdout, tail string, except ...string) {
	t.Helper()
	cases, own := stackCases(t, stdout, tail)
	s := &stackCheck{own: own, reported: map[string]bool{}, stepping: []stackPattern{parseStack(t, "step_on main "+tail), parseStack(t, "step_off main "+tail)}}
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
		if current != nil && !slices.Contains(except, current.name) {
			s.hit(t, current, h)
		}
	}
	for _, c := range cases {
		for i, n := range c.seen {
			if n == 0 && !slices.Contains(except, c.name) {
				t.Errorf("%s: no hit has the stack\n\t%s", c.name, c.stacks[i])
			}
		}
	}
	if s.wrong > 0 {
		t.Errorf("%d of %d stacks are wrong", s.wrong, s.plain+s.stepped+s.entry)
	}
	t.Logf("%d stacks of %d cases: %d at system calls, %d at single steps, %d at uprobes", s.plain+s.stepped+s.entry, len(cases), s.plain, s.stepped, s.entry)
}

// What frame pointers cannot show: who was interrupted by a signal, a function that has
// not saved its caller's frame pointer yet, and code of others that has none.
var beyondFramePointers = []string{
	"signaled", "signaled_alternate", "signaled_twice", "signaled_at_entry", "shrunk_early", "sorts", "binds",
	"jit_frame_pointer", "calls_huge_frame", "threads", "depth_126", "depth_127", "depth_128", "depth_200",
}

// Frame pointers show the whole chain up to main, where all of it has them.
func TestStacksByFramePointers(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, build := range []string{"gcc-O0-fp", "clang-O2-fp"} {
		t.Run(build, func(t *testing.T) {
			all, stdout := recordStacks(t, stacksProgram(t, build), "--call-graph", "fp")
			all = where(all, func(h *hit) bool { return h.User[0].Function != "on_step" })
			for i := range all {
				if n := slices.IndexFunc(all[i].User, func(c call) bool { return c.Function == "main" }); n >= 0 {
					all[i].User = all[i].User[:n+1]
				}
			}
			checkCases(t, all, stdout, "", beyondFramePointers...)
		})
	}
}

func stacksProgram(t testing.TB, build string) string {
	t.Helper()
	return filepath.Join(testenv.Target(t, "stacks-"+build), "stacks")
}
