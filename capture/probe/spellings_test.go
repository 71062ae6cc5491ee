package probe_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/internal/testenv"
)

const spellingsFile = "../../docs/events.md"

// A spelling is a row of the tables in docs/events.md.
type spelling struct {
	context        event.Context
	event          string
	means          string // canonical spelling, or why it is refused
	perf, bpftrace string // whether these tools accept it
	line           int
}

// spellings parses the rows of the tables.
func spellings(t *testing.T) (lines []string, rows []spelling) {
	t.Helper()
	text, err := os.ReadFile(spellingsFile)
	if err != nil {
		t.Fatal(err)
	}
	lines = strings.Split(string(text), "\n")
	in := false
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "| event |"):
			in = true
		case !strings.HasPrefix(line, "|"):
			in = false
		case in && !strings.HasPrefix(line, "|---"):
			cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
			if len(cells) != 6 {
				t.Fatalf("line %d: %d cells", i+1, len(cells)-2)
			}
			for j := range cells {
				cells[j] = strings.ReplaceAll(strings.TrimSpace(cells[j]), "\x00", "|")
			}
			s := spelling{event: strings.Trim(cells[1], "`"), means: cells[2], perf: cells[3], bpftrace: cells[4], line: i}
			if option, event, ok := strings.Cut(s.event, " -e "); ok {
				name := strings.TrimSpace(option[2:])
				if s.event = event; option[1] == 'x' {
					s.context.Binary = name
				} else {
					s.context.Module = name
				}
			}
			rows = append(rows, s)
		}
	}
	if len(rows) < 100 {
		t.Fatalf("only %d spellings", len(rows))
	}
	return lines, rows
}

func (s *spelling) row() string {
	event := s.event
	switch {
	case s.context.Binary != "":
		event = "-x " + s.context.Binary + " -e " + event
	case s.context.Module != "":
		event = "-m " + s.context.Module + " -e " + event
	}
	return strings.Join([]string{"", " `" + escape(event) + "` ", " " + escape(s.means) + " ", " " + s.perf + " ", " " + s.bpftrace + " ", ""}, "|")
}

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// compare checks a column of the tables, or rewrites it with -update.
func compare(t *testing.T, column func(*spelling) *string, find func(*spelling) string) {
	t.Helper()
	lines, rows := spellings(t)
	for i := range rows {
		s := &rows[i]
		got := find(s)
		if want := column(s); *update {
			*want = got
			lines[s.line] = s.row()
		} else if got != *want {
			t.Errorf("%s: got %s, the table has %s", s.event, got, *want)
		}
	}
	if *update {
		if err := os.WriteFile(spellingsFile, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpellings checks the meanings in docs/events.md.
func TestSpellings(t *testing.T) {
	compare(t, func(s *spelling) *string { return &s.means }, func(s *spelling) string {
		events, err := probe.Parse(s.context, s.event)
		var syntax *event.SyntaxError
		if errors.As(err, &syntax) {
			return "*refused:* " + syntax.Reason
		}
		var means []string
		for _, e := range events {
			means = append(means, "`"+e.String()+"`")
		}
		return strings.Join(means, ", ")
	})
}

// TestSpellingsOfBPFtrace checks the column of bpftrace, if its version is the documented
// one.
func TestSpellingsOfBPFtrace(t *testing.T) {
	tool := version(t, "bpftrace", "v0.17.")
	compare(t, func(s *spelling) *string { return &s.bpftrace }, func(s *spelling) string {
		if s.context != (event.Context{}) {
			return ""
		}
		out, _ := exec.Command(tool, "-d", "-e", s.event+" { }").CombinedOutput()
		for _, refusal := range []string{"syntax error", "Invalid probe type", "probe type requires", "ERROR: stoull", "Offset should be", "Invalid "} {
			if bytes.Contains(out, []byte(refusal)) {
				return "no"
			}
		}
		if bytes.Contains(out, []byte("AST after: parser")) {
			return "yes"
		}
		return "no"
	})
}

// madeByPerf matches names that perf probe gives to its events.
var madeByPerf = regexp.MustCompile(`^(probe(_\w+)?|%?sdt_\w+):\w+$`)

func TestSpellingsOfPerf(t *testing.T) {
	tool := version(t, "perf", "version 6.1.")
	dir := filepath.Dir(compile(t, "gcc", "prog", append(programSources, "-g")...))
	compare(t, func(s *spelling) *string { return &s.perf }, func(s *spelling) string {
		cmd := exec.Command(tool, "stat", "-e", s.event, "true")
		switch {
		case s.context.Module != "" || strings.HasPrefix(s.context.Binary, "/"):
			return "" // depends on the machine
		case s.context.Binary != "":
			cmd = exec.Command(tool, "probe", "-x", s.context.Binary, "-D", s.event)
		}
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			return "yes"
		case bytes.Contains(out, []byte("unknown tracepoint")) && madeByPerf.MatchString(s.event):
			return "made"
		case bytes.Contains(out, []byte("not supported")):
			return "yes" // the parser accepts it; this machine lacks the counter
		}
		return "no"
	})
}

// version finds a tool. It skips the test if the version differs.
func version(t *testing.T, tool, want string) string {
	t.Helper()
	testenv.Root(t)
	testenv.Host(t)
	path := testenv.Tool(t, tool)
	out, err := exec.Command(path, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --version: %v\n%s", tool, err, out)
	}
	if !strings.Contains(string(out), want) {
		testenv.Unsupported(t, tool+" "+want)
	}
	return path
}
