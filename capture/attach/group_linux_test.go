package attach

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/format"
)

// randomProbes returns probes that may share programs.
func randomProbes(r *rand.Rand) []probe.Probe {
	kinds := []format.ProbeKind{format.ProbeTracepoint, format.ProbeRawTracepoint, format.ProbeKprobe, format.ProbeKretprobe,
		format.ProbeFentry, format.ProbeUprobe, format.ProbeUretprobe, format.ProbeUSDT, format.ProbeTimed}
	probes := make([]probe.Probe, 1+r.IntN(30))
	for i := range probes {
		p := &probes[i]
		*p = probe.Probe{Kind: kinds[r.IntN(len(kinds))], Event: fmt.Sprint("event ", r.IntN(2)), Record: layout.Record{RecordSize: 8},
			Path: fmt.Sprint("/bin/", r.IntN(2)), Function: fmt.Sprint("f", r.IntN(4)), Depth: r.IntN(2)}
		if r.IntN(3) == 0 {
			for range 1 + r.IntN(3) {
				p.Sites = append(p.Sites, probe.Site{Function: p.Function, Offset: uint64(r.IntN(8))})
			}
		}
	}
	return probes
}

// Every site is in exactly one group. The kernel can tell a group's sites apart, and they
// differ in nothing that their program is loaded with.
func TestGroupsHoldEverySiteOnce(t *testing.T) {
	shared := 0
	for seed := range uint64(500) {
		probes := randomProbes(rand.New(rand.NewPCG(seed, 1)))
		got, want := make(map[string]int), make(map[string]int)
		for i := range probes {
			for _, s := range probes[i].AllSites() {
				want[fmt.Sprint(i, s)]++
			}
		}
		for _, g := range groupProbes(probes) {
			places := make(map[hookPlace]bool)
			for _, s := range g.sites {
				got[fmt.Sprint(s.index, s.Site)]++
				if s.probe != &probes[s.index] {
					t.Fatalf("seed %d: a site of probe %d says that it is of another", seed, s.index)
				}
				if a, b := groupKey(g.probe, &g.sites[0].Site), groupKey(s.probe, &s.Site); a != b {
					t.Fatalf("seed %d: %q and %q share a program", seed, a, b)
				}
				place := hookPlace{s.probe.Group, s.Function, s.Offset, s.Address}
				if places[place] {
					t.Fatalf("seed %d: two sites of a group are at %+v", seed, place)
				}
				places[place] = true
			}
			if g.index != g.sites[0].index || g.many != (g.sites[len(g.sites)-1].index != g.index) {
				t.Fatalf("seed %d: group of probe %d (many: %t) begins with probe %d", seed, g.index, g.many, g.sites[0].index)
			}
			if len(g.sites) > 1 {
				shared++
			}
			if len(g.backends) == 0 {
				t.Fatalf("seed %d: nothing attaches %v", seed, g.probe.Kind)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: sites %v, want %v", seed, got, want)
		}
	}
	if shared < 100 {
		t.Errorf("only %d groups of several sites: the probes are too different", shared)
	}
}

// Programs that name their hook are not shared.
func TestProgramsThatNameTheirHook(t *testing.T) {
	for _, kind := range []format.ProbeKind{format.ProbeRawTracepoint, format.ProbeFentry, format.ProbeFexit} {
		p := probe.Probe{Kind: kind, Event: "e", Function: "f"}
		q := p
		q.Function = "g"
		if n := len(groupProbes([]probe.Probe{p, q})); n != 2 {
			t.Errorf("%v: %d programs, want 2", kind, n)
		}
	}
}

// Entries are at the entry of the probed returns, one for all return instructions of a
// function.
func TestEntries(t *testing.T) {
	p := probe.Probe{Kind: format.ProbeUretprobe, Event: "e", Path: "/bin/true", AtReturns: true, Entry: 0x10, Record: layout.Record{DurationAt: 8},
		Sites: []probe.Site{{Function: "f", Offset: 0x20}, {Function: "f", Offset: 0x30}}}
	g := groupProbes([]probe.Probe{p})[0]
	e := g.entries()
	if e == nil || len(e.sites) != 1 || e.sites[0].Offset != 0x10 || e.probe.Kind != format.ProbeUprobe {
		t.Fatalf("entries of %d sites: %+v", len(g.sites), e)
	}
	if !e.entry || e.program != bpf.HooksProgOnCallRegisters || e.atReturn() {
		t.Errorf("entry %t by %s, at the return %t", e.entry, e.program, e.atReturn())
	}
	if g.atReturn() || g.poppedAtReturn() != 0 {
		t.Error("a return instruction is taken for a return")
	}
	p.DurationAt = 0
	if groupProbes([]probe.Probe{p})[0].entries() != nil {
		t.Error("a probe that measures nothing has entries")
	}
}

// A return probe sees the stack without the return address, if it sees registers at all.
func TestPoppedAtReturn(t *testing.T) {
	for kind, popped := range map[format.ProbeKind]bool{format.ProbeKretprobe: true, format.ProbeUretprobe: true,
		format.ProbeKprobe: false, format.ProbeUprobe: false, format.ProbeFexit: false} {
		g := &group{probe: &probe.Probe{Kind: kind}}
		if got := g.poppedAtReturn() > 0; got != (popped && runtime.GOARCH == "amd64") {
			t.Errorf("%v: %t, want %t", kind, got, popped)
		}
	}
}

func TestExclusive(t *testing.T) {
	timed, tracepoint, uprobe := probe.Probe{Kind: format.ProbeTimed}, probe.Probe{Kind: format.ProbeTracepoint}, probe.Probe{Kind: format.ProbeUprobe}
	if !Exclusive([]probe.Probe{timed, tracepoint}) || Exclusive([]probe.Probe{timed, uprobe}) {
		t.Error("timed events and tracepoints exclude each other, uprobes do not")
	}
}

// Events that take long to attach are rejected, with the number of functions.
func TestCheckSlow(t *testing.T) {
	many := func(kind format.ProbeKind, n int) []probe.Probe {
		probes := make([]probe.Probe, n)
		for i := range probes {
			probes[i] = probe.Probe{Kind: kind, Event: "event", Function: fmt.Sprint("f", i)}
		}
		return probes
	}
	var unsupported *event.UnsupportedError
	if err := checkSlow(groupProbes(many(format.ProbeFentry, manyPrograms))); err != nil {
		t.Error(err)
	}
	if err := checkSlow(groupProbes(many(format.ProbeFentry, manyPrograms+1))); !errors.As(err, &unsupported) {
		t.Errorf("%d programs: %v", manyPrograms+1, err)
	}
	groups := groupProbes(many(format.ProbeKprobe, manyLinks+1))
	groups[0].backends = []probe.Backend{probe.KprobeEvent}
	if err := checkSlow(groups); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), fmt.Sprint(manyLinks+1)) {
		t.Errorf("%d links: %v", manyLinks+1, err)
	}
	groups[0].backends = []probe.Backend{probe.KprobeMulti}
	if err := checkSlow(groups); err != nil {
		t.Errorf("one link: %v", err)
	}
}

// Every kind uses backends that can be attached, and every need one that can be tried.
func TestBackendsAreComplete(t *testing.T) {
	for _, k := range probe.Kinds() {
		if len(k.Backends) == 0 {
			t.Errorf("%s has no backend", k.Name())
		}
		for _, b := range k.Backends {
			if backends[b].attach == nil {
				t.Errorf("%s: nothing attaches by %s", k.Name(), b)
			}
		}
		for _, n := range k.Needs {
			if _, ok := trials[n.Backend]; !ok {
				t.Errorf("%s: no trial of %s", n.Name, n.Backend)
			}
		}
	}
}
