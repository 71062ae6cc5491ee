package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"trapline/cmd/internal/cli"
)

// huge exceeds 64 bits.
const huge = "99999999999999999999"

// values are the values of a flag that are accepted, and those that are refused, with a
// part of the reason.
type values struct {
	good []string
	bad  map[string]string
}

// number returns the values of a flag with a number from 1.
func number(most string, good ...string) values {
	reason := "must be a number from 1 to " + most
	return values{append(good, "1", most), map[string]string{"": reason, "0": reason, "-1": reason, huge: reason, "x": reason, "1.5": reason, "0x10": reason}}
}

// flagValues has an entry for each flag that takes a value. Each lists at least an empty,
// a zero, a negative, a huge and a non-numeric value.
var flagValues = map[string]values{
	// The grammar of events has its own tests.
	"event":  {[]string{"page-faults", "kprobe:x"}, map[string]string{"": "event", "0": "event", "-1": "event", huge: "event", "x:": "event"}},
	"probes": {nil, map[string]string{"": "must not be empty", "0": "no such file", "-1": "no such file", huge: "no such file", "x": "no such file"}},
	"filter": {nil, map[string]string{"": "must follow", "0": "must follow", "-1": "must follow", huge: "must follow", "x": "must follow"}},
	"exec":   {[]string{"0", "-1", huge, "x"}, map[string]string{"": "must not be empty"}},
	"module": {[]string{"0", "-1", huge, "x"}, map[string]string{"": "must not be empty"}},

	"max-probes": number("2147483647"),
	"freq":       number("4294967295", "99"),
	"pid":        {[]string{"1", "12,34", "4194304"}, map[string]string{"": "must not be empty", "0": "process 0 does not exist: use -a", "1,0": "process 0", "4294967295": "does not exist", "-1": "is not a number from 0 to 4294967295", huge: "is not a number from", "x": "is not a number", "1,": `"" is not a number`}},
	"tid":        {[]string{"1", "12,34", "4194304"}, map[string]string{"": "must not be empty", "0": "thread 0 does not exist: use -a", "4294967295": "does not exist", "-1": "is not a number from 0 to 4294967295", huge: "is not a number from", "x": "is not a number", ",1": `"" is not a number`}},
	"uid":        {[]string{"0", "root", "root,7"}, map[string]string{"": "must not be empty", "-1": "no such user", huge: "no such user", "nosuchuser": "no such user", "0,": "no such user"}},
	"cpu":        {[]string{"0", "0-0"}, map[string]string{"": "must not be empty", "-1": "neither a CPU nor a range", huge: "neither a CPU nor a range", "x": "neither a CPU nor a range", "1023": "CPU 1023 is not online; online: 0", "0,1024": "not one of 0 to 1023", "0,": "neither a CPU"}},
	"comm":       {[]string{"0", "-1", "x"}, map[string]string{"": "empty", huge: "15 characters", "x,": "empty", "[": "task name"}},
	"exclude":    {[]string{"0", "-1", "x"}, map[string]string{"": "empty", huge: "15 characters", "x,": "empty", "[": "task name"}},
	"cgroup":     {nil, map[string]string{"": "a path is empty: use /", "0": "", "-1": "", huge: "", "x": "", "/,": "", "x,,y": ""}},
	"container":  {nil, map[string]string{"": "a name is empty", "0": "", "-1": "", huge: "", "x": "", "x,": "a name is empty"}},

	"count":       number("4294967295", "10"),
	"min-latency": {[]string{"5ms", "1ns", "0.5"}, map[string]string{"": "duration", "0": "must be longer than 0", "0ms": "must be longer than 0", "-1": "duration", "-1s": "negative", huge: "duration", "x": "duration"}},
	"max-rate":    number("1000000000"),

	"call-graph":    {[]string{"dwarf", "dwarf,8192", "fp", "none"}, map[string]string{"": "must not be empty", "0": "must be dwarf, fp or none", "-1": "must be dwarf", huge: "must be dwarf", "x": "must be dwarf", "dwarf,": "number of bytes", "dwarf,-1": "number of bytes", "dwarf,x": "number of bytes", "fp,8": "only dwarf"}},
	"verify-stacks": number("2147483647"),
	"max-stack":     number("127"),

	"output":          {[]string{"0", "-1", huge, "x", "-"}, map[string]string{"": "must not be empty"}},
	"compress":        {[]string{"0", "1", "3", "4", "22"}, map[string]string{"": "must be a number from 0 to 22", "-1": "must be a number from 0 to 22", "23": "must be", huge: "must be", "x": "must be"}},
	"time-resolution": {[]string{"1ns", "65us"}, map[string]string{"": "duration", "0": "must be 1ns to 65", "-1": "duration", "66us": "must be 1ns to 65", huge: "duration", "x": "duration"}},

	"duration": {[]string{"10", "0.5s", "1m30s", "100000h"}, map[string]string{"": "duration", "0": "must be longer than 0", "-1": "duration", "-5s": "negative", huge: "duration", "x": "duration"}},
	"max-hits": number("9223372036854775807"),
	"delay":    {[]string{"0", "250", "2s", "2147483647"}, map[string]string{"": "must not be empty", "-1": "must be a number of milliseconds from 0 to 2147483647, or a time", "-1s": "milliseconds", "2147483648": "milliseconds", "0.5": "milliseconds", huge: "milliseconds", "x": "milliseconds"}},
	"ready-fd": {[]string{"0", "2"}, map[string]string{"": "must be a number from 0 to 2147483647", "-1": "must be a number from 0", huge: "must be a number from 0", "1000000": "not open", "x": "must be a number"}},
	"buffer":   {[]string{"1", "8M", "512", "x"}, map[string]string{"": "size", "0": "above 0", "0K": "above 0", "-1": "size", "1G1": "size", "2G": "at most 1024 MiB", huge: "too large"}},
}

// accept parses a command line and checks it like run, without resolving or attaching
// anything.
func accept(args []string) (stderr string, code int) {
	var b strings.Builder
	env := cli.Env{Name: "record", Args: args, Stdout: io.Discard, Stderr: &b}
	line, done, code := parse(env)
	if done {
		return b.String(), code
	}
	opt, err := line.options()
	if err == nil {
		_, err = line.run.openReady()
	}
	if err == nil {
		err = checkCPUs(&opt.Scope)
	} else {
		err = usage(err)
	}
	if err == nil && line.events.named == "" {
		_, err = line.events.parse(func() string { return "page-faults" })
	}
	if err != nil {
		return "record: " + err.Error() + "\n", exitCode(err)
	}
	return "", cli.ExitOK
}

// Each value either works or is a usage error that names the flag and the value.
func TestFlagValues(t *testing.T) {
	parseArgs(t, "").flags.VisitAll(func(f *pflag.Flag) {
		name := cli.FlagName(f)
		switch f.Value.Type() {
		case "bool", "count":
			stderr, code := accept([]string{"--" + f.Name + "=x"})
			if code != cli.ExitUsage || !strings.HasPrefix(stderr, "record: "+name+" x: ") {
				t.Errorf("--%s=x: code %d, %s", f.Name, code, stderr)
			}
			return
		}
		v, ok := flagValues[f.Name]
		if !ok {
			t.Errorf("no values for --%s", f.Name)
		}
		for _, value := range []string{"", "0", "-1", huge} {
			if _, bad := v.bad[value]; !bad && !slices.Contains(v.good, value) {
				t.Errorf("--%s=%s: not in the table", f.Name, value)
			}
		}
		for _, value := range v.good {
			if stderr, code := accept([]string{"--" + f.Name + "=" + value}); code != cli.ExitOK {
				t.Errorf("--%s=%s: code %d, %s", f.Name, value, code, stderr)
			}
		}
		for value, reason := range v.bad {
			stderr, code := accept([]string{"--" + f.Name + "=" + value})
			wantCode, prefix := cli.ExitUsage, name+" "
			switch {
			case f.Name == "event":
				prefix = "" // errors quote the event
			case f.Name == "probes" && value != "":
				wantCode, prefix = cli.ExitProbe, "open "+value // a missing file is no usage error
			case f.Name == "comm" || f.Name == "exclude":
				prefix = name + ": " // errors quote the pattern
			}
			if code != wantCode || !strings.HasPrefix(stderr, "record: "+prefix) || !strings.Contains(stderr, reason) {
				t.Errorf("--%s=%s: code %d, %s; want code %d and %q", f.Name, value, code, stderr, wantCode, reason)
			}
			if !strings.Contains(value, ",") && !strings.Contains(strings.ReplaceAll(stderr, "µ", "u"), value) {
				t.Errorf("--%s=%s: %s does not quote the value", f.Name, value, stderr)
			}
		}
	})
}

// The last value of a repeated flag counts. Lists grow.
func TestRepeatedFlags(t *testing.T) {
	p := parseArgs(t, "-c 3 -c 5 -z0 -z2 -o a -o b -p 5,7 -p 6 -t 9 -t 8 -u 0 -u 1 -C 0 -C 0-0 --comm a --comm b,c --duration 1s --duration 2s -M 1 -M 2 -m 1M -m 2M --call-graph none --call-graph fp")
	got := []any{p.limits.every, p.opt.Level, p.output.name, p.run.duration, p.opt.MaxHits, p.opt.RingBytes, p.opt.FramePointers, targetOf(p), p.opt.Scope.Comms}
	want := "[5 2 b 2s 2 2097152 true process 5,6,7, thread 8,9, user 0,1, task name a or b or c, CPU 0 [a b c]]"
	if text := fmt.Sprint(got); text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}
