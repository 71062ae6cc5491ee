package main

import (
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/cmd/internal/cli"
)

func TestList(t *testing.T) {
	var b strings.Builder
	for _, c := range []struct {
		args    string
		verbose bool
	}{
		{"sched:*", false}, {"sched:*", true}, {"alloc", false}, {"kprobe:*", true}, {"page-faults", true},
	} {
		b.WriteString("# " + c.args + "\n")
		if err := printList(&b, fakeResolver(t), listPatterns([]string{c.args}, event.Context{}), c.verbose); err != nil {
			t.Errorf("%s: %v", c.args, err)
		}
	}
	compareGolden(t, "list.golden", withoutKinds(b.String()))

	err := printList(&b, fakeResolver(t), []string{"nosuch:*"}, false)
	if err == nil || err.Error() != "-l nosuch:*: no event matches" || exitCode(err) != cli.ExitProbe {
		t.Errorf("no match: %v, code %d", err, exitCode(err))
	}
}

func TestListPatterns(t *testing.T) {
	for args, want := range map[string]string{
		"-l":                      "*",
		"-l sched:*":              "sched:*",
		"-l -x libssl SSL_*":      "usdt:libssl:SSL_* uprobe:libssl:SSL_*",
		"-l -m ext4 ext4_sync*":   "ext4:ext4_sync*",
		"-l -x a -x b -m 8M main": "usdt:b:main uprobe:b:main",
	} {
		p := parseArgs(t, args)
		if got := strings.Join(listPatterns(p.operands, p.events.context), " "); got != want {
			t.Errorf("record %s lists %s, want %s", args, got, want)
		}
	}
}
