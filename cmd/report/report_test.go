package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/analysis/analysistest"
	"trapline/cmd/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type output struct {
	code           int
	stdout, stderr string
}

// runReport runs the command with the given standard input.
func runReport(stdin []byte, args ...string) output {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), cli.Env{
		Name: "report", Args: args, Stdin: bytes.NewReader(stdin), Stdout: &stdout, Stderr: &stderr,
	})
	return output{code, stdout.String(), stderr.String()}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it); got:\n%s", path, got)
	}
}

func TestGolden(t *testing.T) {
	goldens(t, analysistest.Sample(), map[string]string{
		"no-children": "--no-children -n",
		"callee":      "-q --no-children -g callee -s symbol --probe sched_switch",
		"fractal":     "-q -g fractal,5 -s comm",
		"folded":      "-q -g folded,0,count --no-children",
		"flat":        "-q -g flat --no-children -s dso",
		"tasks":       "-q -g none -s pid,tid,cpu",
		"srcline":     "-q -g none --no-children -s srcline,probe",
		"args":        "-q -g none -s next_comm,sched_switch.next_prio,args[1]",
		"separator":   "-q -g none -t ; -s probe,symbol",
		"max-stack":   "-q --max-stack 2 -s symbol",
		"filters":     "-c server --cpu 0 -S do_syscall_64",
		"relative":    "-q -c worker --percentage relative -g none",
		"linkage":     "-q -g none --no-demangle -s symbol -d libc.so.6",
		"limit":       "-q -g none -s symbol --percent-limit 60",
		"events-flat": "--events -g none --probe sched:*",
		"keys-json":   "--json -s comm,next_prio -g caller",
	})
}

// Every report marks incomplete stacks.
func TestIncompleteStacks(t *testing.T) {
	goldens(t, analysistest.Incomplete(), map[string]string{
		"incomplete":        "-s comm -g caller,0 --no-children",
		"incomplete-callee": "-q -s symbol -g callee,0 --no-children",
		"incomplete-folded": "-q -s comm -g folded,0,count --no-children",
		"incomplete-events": "--events",
		"incomplete-json":   "--json -s comm -g none",
	})
}

// goldens runs reports of a capture, given as a map from golden file to arguments.
func goldens(t *testing.T, capture []byte, reports map[string]string) {
	for name, args := range reports {
		t.Run(name, func(t *testing.T) {
			out := runReport(capture, append([]string{"-i", "-"}, strings.Fields(args)...)...)
			if out.code != 0 {
				t.Errorf("exit code %d, %s", out.code, out.stderr)
			}
			for i, line := range strings.Split(out.stdout, "\n") {
				if strings.TrimRight(line, " \t") != line {
					t.Errorf("line %d ends in a space: %q", i+1, line)
				}
			}
			golden(t, name, out.stdout)
		})
	}
}
