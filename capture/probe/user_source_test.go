package probe_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
)

// marked returns the lines of a source file that are marked by /* line:NAME */.
func marked(t *testing.T, source string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/src", source))
	if err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]int)
	for i, line := range strings.Split(string(text), "\n") {
		if _, name, ok := strings.Cut(line, "line:"); ok {
			name, _, _ = strings.Cut(name, " ")
			lines[name] = i + 1
		}
	}
	return lines
}

func mustResolve(t *testing.T, event string) probe.Probe {
	t.Helper()
	probes, err := resolve(t, user(t, 0), event)
	if err != nil || len(probes) != 1 {
		t.Fatalf("%s: %+v, %v", event, probes, err)
	}
	return probes[0]
}

// A line is probed where its code begins, in functions and in inlined copies.
func TestLines(t *testing.T) {
	lines := marked(t, "places.c")
	for _, optimize := range []string{"-O0", "-O2"} {
		program := compile(t, "gcc", "places", "-g", optimize, "places.c")
		for _, c := range []struct {
			event     string
			functions string
		}{
			{fmt.Sprintf("u:%s@places.c:%d", program, lines["two"]), "two"},
			{fmt.Sprintf("u:%s@places.c:%d", program, lines["twice"]), "one two"},
			{fmt.Sprintf("u:%s@src/places.c:%d", program, lines["two"]), "two"},
			{fmt.Sprintf("u:%s:two:2", program), ""},
		} {
			probes, err := resolve(t, user(t, 0), c.event)
			if c.functions == "" { // bpftrace has no such spelling
				continue
			}
			if err != nil || len(probes) != 1 {
				t.Errorf("%s %s: %+v, %v", optimize, c.event, probes, err)
				continue
			}
			var functions []string
			for _, s := range probes[0].AllSites() {
				functions = append(functions, s.Function)
			}
			if got := strings.Join(functions, " "); got != c.functions {
				t.Errorf("%s %s: in %s, want %s", optimize, c.event, got, c.functions)
			}
		}
		relative, err := probe.Parse(event.Context{Binary: program}, "two:2")
		if err != nil {
			t.Fatal(err)
		}
		probes, err := user(t, 0).Resolve(relative[0])
		absolute := mustResolve(t, fmt.Sprintf("u:%s@places.c:%d", program, lines["two"]))
		if err != nil || probes[0].Offset != absolute.Offset || probes[0].Name != absolute.Name {
			t.Errorf("two:2 is %+v, %v; want %+v", probes, err, absolute)
		}
	}
}

func TestLinesThatCannotBeProbed(t *testing.T) {
	lines := marked(t, "places.c")
	program := compile(t, "gcc", "places", "-g", "-O2", "places.c")
	plain := compile(t, "gcc", "plain", "-O2", "places.c")
	for text, want := range map[string]string{
		fmt.Sprintf("u:%s@places.c:%d", program, lines["two"]-3):      "has no code (nearest: ",
		fmt.Sprintf("u:%s@plaices.c:3", program):                      "no code of a file plaices.c in " + program + " (nearest: places.c)",
		fmt.Sprintf("u:%s@places.c:%d", plain, lines["two"]):          "has no debug information, and no debug file is installed; build it with -g",
		fmt.Sprintf("ur:%s@places.c:%d", program, lines["two"]):       "",
		fmt.Sprintf("u:%s@places.c:%d x=arg0", program, lines["two"]): "arg0 is in its register only at the function's entry",
		"u:" + program + ":twice":                                     fmt.Sprintf("twice is inlined everywhere: at places.c:%d in one, at places.c:%d in two; --inlined sets the probe at 2 places", lines["one"], lines["two"]+1),
		"u:" + plain + ":twice":                                       "no such function in " + plain,
	} {
		events, err := probe.Parse(event.Context{}, text)
		if err == nil {
			_, err = user(t, 0).Resolve(events[0])
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

// With Inlined, inlined copies of a function are probed, too.
func TestInlinedFunctions(t *testing.T) {
	user(t, 0) // for what it needs
	program := compile(t, "gcc", "places", "-g", "-O2", "places.c")
	r := probe.NewResolver(probe.Options{Inlined: true})
	probes, err := resolve(t, r, "u:"+program+":twice")
	if err != nil || len(probes) != 1 || len(probes[0].Sites) != 2 {
		t.Fatalf("%+v, %v", probes, err)
	}
	for i, function := range []string{"one", "two"} {
		at := mustResolve(t, "u:"+program+":"+function)
		if s := probes[0].Sites[i]; s.Function != function || s.Offset < at.Offset || s.Offset > at.Offset+64 {
			t.Errorf("place %d is %+v; %s is at %#x", i, s, function, at.Offset)
		}
	}
	if _, err := resolve(t, r, "ur:"+program+":twice"); err == nil || !strings.Contains(err.Error(), "inlined functions do not return") {
		t.Errorf("a return probe: %v", err)
	}
}
