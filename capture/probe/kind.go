package probe

import (
	"cmp"
	"fmt"
	"slices"

	"trapline/capture/event"
	"trapline/format"
	"trapline/internal/cost"
)

// A Kind describes everything that differs between one kind of probe and another. Each
// kind registers its own, from its own file.
type Kind struct {
	event.Syntax

	What      string // what is probed
	Stability string // whether it stays the same in later versions

	// Program is the BPF program that runs on a hit, a name from package bpf.
	Program string
	// EntryProgram records when calls begin, so that hits at returns know their duration.
	// "" means that the kind cannot measure calls.
	EntryProgram string
	// AttachTo means that the hook is chosen when the program is loaded, so every probe
	// needs its own program.
	AttachTo bool
	// Exclusive means that the kernel runs at most one program of such kinds at a time on
	// a CPU.
	Exclusive bool
	// HookFrames is the maximum number of stack frames between the hook and the program.
	// Stacks of bpf_get_stack start with them.
	HookFrames int
	// Sampled means that the kernel itself samples hits, by period or frequency.
	Sampled bool

	// Backends are the ways to attach a probe, the preferred one first.
	Backends []Backend
	// Sharing returns a key of a site. One program may serve sites with the same key, if
	// their events and options are the same, too. nil means that a program serves only
	// one site.
	Sharing func(p *Probe, s *Site) string
	// Entry turns a probe at returns into one at the entry of the same calls. nil means
	// that only its kind changes, to ReturnOf.
	Entry func(p *Probe)
	// Instead is a kind that probes the same functions in another way, suggested when
	// this kind is unavailable. ProbeUnknown means that there is none.
	Instead format.ProbeKind
	// Needs are the requirements of the kind. Each is a row of record --info.
	Needs []Need

	// Resolve returns the probes of an event. [Resolver.Resolve] lays out their records.
	Resolve func(r *Resolver, ev *event.Event) ([]Probe, error)
	// List calls yield for each event of the kind that the selection matches, in sorted
	// order, until yield returns false. nil means that the kind cannot be listed.
	List func(r *Resolver, k *Kind, s *Selection, yield func(Listing) bool) error
	// ListRank orders the kinds in a listing. 0 lists the kind only on request.
	ListRank int
}

// A Need says what is required to attach a kind of probe in one way, besides CAP_BPF and
// CAP_PERFMON.
type Need struct {
	Name     string // in record --info
	Backend  Backend
	Counter  Counter  // CounterEvent: the event to try
	Config   []string // required kernel options
	Source   string   // perf event source that comes with it; "" means none
	Since    string   // first kernel version; "" means all supported versions
	SysAdmin bool     // CAP_SYS_ADMIN is required, too
	Remedy   string   // what works instead; "" means nothing
}

// A Counter identifies a perf event: type and config of perf_event_attr.
type Counter struct {
	Type   uint32
	Config uint64
}

// kinds are the registered kinds.
var kinds = make(map[format.ProbeKind]*Kind)

// Register registers a kind. It panics if the number or a spelling is already registered.
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

// KindOf returns a registered kind, or nil.
func KindOf(k format.ProbeKind) *Kind { return kinds[k] }

// Kinds returns all registered kinds, ordered by number.
func Kinds() []*Kind {
	all := make([]*Kind, 0, len(kinds))
	for _, k := range kinds {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *Kind) int { return cmp.Compare(a.Kind, b.Kind) })
	return all
}

// grammar returns the grammar of all registered kinds.
func grammar() event.Grammar {
	var g event.Grammar
	for _, k := range Kinds() {
		g = append(g, &k.Syntax)
	}
	return g
}

// Parse parses one -e value in a context; see [event.Grammar.Parse].
func Parse(c event.Context, text string) ([]event.Event, error) { return grammar().Parse(c, text) }

// ParseFile parses a probe file; see [event.Grammar.ParseFile].
func ParseFile(name string, text []byte) ([]event.Event, error) {
	return grammar().ParseFile(name, text)
}

// String describes the kind in one line, to help choose between kinds.
func (k *Kind) String() string {
	s := k.What + "; " + k.Stability
	if ns, ok := cost.Of(k.Kind); ok {
		s += fmt.Sprintf("; a hit costs about %d ns, stacks not counted", ns)
	}
	return s
}

// AtEntry returns the probe at the entry of the calls whose return the probe hits.
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
