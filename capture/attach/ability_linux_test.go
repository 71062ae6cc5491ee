package attach

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/capture/host"
	"trapline/capture/probe"
	"trapline/internal/testenv"
)

// Each need of a kind has one row. The kinds that every supported machine has work.
func TestAbilities(t *testing.T) {
	testenv.Root(t)
	rows := make(map[string]host.Ability)
	for _, a := range Abilities() {
		if _, ok := rows[a.Name]; ok {
			t.Errorf("%s has two rows", a.Name)
		}
		if a.OK != (a.Reason == "") {
			t.Errorf("%+v", a)
		}
		rows[a.Name] = a
	}
	for _, k := range probe.Kinds() {
		for _, n := range k.Needs {
			if _, ok := rows[n.Name]; !ok {
				t.Errorf("%s has no row", n.Name)
			}
		}
	}
	for _, name := range []string{"tracepoint", "rawtracepoint", "cpu-clock"} {
		if !rows[name].OK {
			t.Errorf("%s: %s", name, rows[name].Reason)
		}
	}
}

// Reasons name what is missing, not an error number.
func TestExplainTrial(t *testing.T) {
	for _, c := range []struct {
		need           probe.Need
		err            error
		reason, remedy string
	}{
		{probe.Need{Remedy: "another"}, nil, "", ""},
		{probe.Need{Remedy: "another"}, unix.EINVAL, "invalid argument", "another"},
		{probe.Need{Since: "99.1", Remedy: "another"}, unix.EINVAL, "needs Linux 99.1", "another"},
		{probe.Need{Config: []string{"CONFIG_MADE_UP"}}, ebpf.ErrNotSupported, "the kernel was built without CONFIG_MADE_UP", ""},
		{probe.Need{Source: "made-up"}, unix.ENOENT, "this machine has no such counter; virtual machines often lack them", ""},
		{probe.Need{Source: "made-up", Config: []string{"CONFIG_MADE_UP"}}, unix.ENOENT, "the kernel was built without CONFIG_MADE_UP", ""},
		{probe.Need{}, errSilentBreakpoints, errSilentBreakpoints.Error(), withoutBreakpoints},
		{probe.Need{}, errors.Join(host.ErrNoTraceFS), "tracefs is not mounted", "mount -t tracefs tracefs /sys/kernel/tracing"},
	} {
		a := explainTrial(&c.need, c.err)
		if a.Reason != c.reason || c.err != nil && a.Remedy != c.remedy || a.OK != (c.err == nil) {
			t.Errorf("%v of %+v: %+v, want %q, %q", c.err, c.need, a, c.reason, c.remedy)
		}
	}
}
