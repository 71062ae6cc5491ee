package probe

import (
	"cmp"
	"fmt"
	"slices"

	"trapline/capture/event"
	"trapline/format"
	"trapline/internal/cost"
)

// A Kind is all that differs from one kind of probe to another. Each kind has one, in
// a file of its own, which registers it.
type Kind struct {
	event.Syntax

	What      string // what is probed
	Stability string // whether it will be there tomorrow, with the same meaning

	// Program is the BPF program that runs at a hit: a name of package bpf.
	Program string
	// EntryProgram notes when calls begin, for durations at their return; "" for kinds
	// that do not measure calls.
	EntryProgram string
	// AttachTo: the program names its hook when it is loaded. Each probe then needs a
	// program of its own.
	AttachTo bool
	// Exclusive: the kernel runs at most one program of such kinds at a time on a CPU.
	Exclusive bool
	// HookFrames is how many frames lie between hook and program at most. Stacks of
	// bpf_get_stack begin with them.
	HookFrames int
	// Sampled: the kernel itself takes one hit in so many, or so many a second.
	Sampled bool

	// Backends are the ways to attach probes, the preferred one first.
	Backends []Backend
	// Sharing returns what sites must have in common to be served by one program,
	// besides the event and its options; nil: a program serves one site only.
	Sharing func(p *Probe, s *Site) string
	// Entry changes a probe at a return into one at the entry of the same calls.
	// nil: the same probe, of the kind ReturnOf.
	Entry func(p *Probe)
	// Instead is the kind that hits at the same places by other means, to be offered
	// where this one cannot be used; ProbeUnknown: none.
	Instead format.ProbeKind
	// Needs are what the kernel and the user must provide, one row of record --info each.
	Needs []Need

	// Resolve returns the probes of an event. It need not lay out their records.
	Resolve func(r *Resolver, ev *event.Event) ([]Probe, error)
	// List calls yield with the kind's events that match, sorted, until it returns
	// false; nil: they cannot be listed.
	List func(r *Resolver, k *Kind, s *Selection, yield func(Listing) bool) error
	// ListRank orders listings of all kinds; 0: only listed when asked for by kind.
	ListRank int
}

// A Need is what one way to attach a kind of probe takes. CAP_BPF and CAP_PERFMON
// always belong to it.
type Need struct {
	Name     string // as record --info calls it
	Backend  Backend
	Counter  Counter  // CounterEvent: which
	Config   []string // options that the kernel must be built with
	Source   string   // perf event source that comes with it; "" none
	Since    string   // first kernel version; "" older than all supported ones
	SysAdmin bool     // CAP_SYS_ADMIN is needed too
	Remedy   string   // what works instead; "" nothing
}

// A Counter is the type and number of a perf event: perf_event_attr.type and config.
type Counter struct {
	Type   uint32
	Config uint64
}

// kinds holds the registered kinds.
var kinds = make(map[format.ProbeKind]*Kind)

// Register makes a kind known. It panics when its number or one of its spellings is
// taken.
func Register(k *Kind) {
	if kinds[k.Kind] != nil {
		panic("probe: kind " + k.Name() + " is registered twice")
	}
	for _, s := range k.Spellings {
		if grammar().Spelled(s) != nil {
			panic("probe: " + s + " is the spelling of two kinds")
		}
	}
	kinds[k.Kind] = k
}

// KindOf returns a kind; nil for a number that no kind has.
func KindOf(k format.ProbeKind) *Kind { return kinds[k] }

// Kinds returns all kinds, by number.
func Kinds() []*Kind {
	all := make([]*Kind, 0, len(kinds))
	for _, k := range kinds {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *Kind) int { return cmp.Compare(a.Kind, b.Kind) })
	return all
}

// grammar has the syntax of all kinds.
func grammar() event.Grammar {
	var g event.Grammar
	for _, k := range Kinds() {
		g = append(g, &k.Syntax)
	}
	return g
}

// Parse reads one -e value, where the context says; see [event.Grammar.Parse].
func Parse(c event.Context, text string) ([]event.Event, error) { return grammar().Parse(c, text) }

// ParseFile reads a probe file; see [event.Grammar.ParseFile].
func ParseFile(name string, text []byte) ([]event.Event, error) {
	return grammar().ParseFile(name, text)
}

// String returns what to know of the kind before choosing it, in one line.
func (k *Kind) String() string {
	s := k.What + "; " + k.Stability
	if ns, ok := cost.Of(k.Kind); ok {
		s += fmt.Sprintf("; a hit costs about %d ns, stacks not counted", ns)
	}
	return s
}

// AtEntry returns the probe at the entry of the calls that the probe hits at the
// return of.
func (p *Probe) AtEntry() *Probe {
	at := *p
	at.Filter, at.AtReturns = nil, false
	k := KindOf(p.Kind)
	if k.Entry != nil {
		k.Entry(&at)
	} else if k.AtReturn() {
		at.Kind = k.ReturnOf
	}
	return &at
}
