package export_test

import (
	"regexp"
	"strings"
	"testing"

	"trapline/analysis/export"
)

// These expressions are what readers of perf script text look for. Firefox Profiler
// takes the last number followed by a colon as the time. FlameGraph and speedscope
// take the first number after white space as the process.
var (
	lastTime  = regexp.MustCompile(`^(.*)\s+([\d.]+):`)
	firstTask = regexp.MustCompile(`^(\S.+?)\s+(\d+)/(\d+)\s+\[\d+\]\s+$`)
	lastEvent = regexp.MustCompile(`:\s*(\d+)*\s+(\S+):\s*$`)
	callLine  = regexp.MustCompile(`^\s*(\w+)\s*(.+) \((\S*)\)$`)
)

// Readers find the right task, time and calls in each hit, whatever its strings
// contain.
func TestPerfScriptGrammar(t *testing.T) {
	tasks := map[string]int{}
	calls := 0
	for line := range strings.Lines(string(convert(t, "perfscript", export.Request{}, testCapture(t)))) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '\t':
			m := callLine.FindStringSubmatch(line)
			if m == nil || strings.HasPrefix(m[2], "(") {
				t.Errorf("no reader takes the call %q", line)
			}
			calls++
		default:
			m := lastTime.FindStringSubmatch(line)
			if m == nil || !strings.HasPrefix(m[2], "5.0") {
				t.Errorf("the time is not found in %q: %q", line, m)
				continue
			}
			task := firstTask.FindStringSubmatch(m[1] + " ")
			if task == nil {
				t.Errorf("the task is not found in %q", line)
				continue
			}
			tasks[strings.TrimSpace(task[1])+" "+task[2]+"/"+task[3]]++
			if e := lastEvent.FindStringSubmatch(line); e != nil && e[2] != "app:count" {
				t.Errorf("%q is taken for the event of %q", e[2], line)
			}
		}
	}
	want := map[string]int{"server 100/100": 4, "V8 Worker_12 100/101": 3, "s 200/200": allocHits + countHits}
	for task, n := range want {
		if tasks[task] != n {
			t.Errorf("%d hits of %s, want %d (all: %v)", tasks[task], task, n, tasks)
		}
	}
	if want := 4*9 + 3*7 + allocHits*4; calls != want {
		t.Errorf("%d calls, want %d", calls, want)
	}
}
