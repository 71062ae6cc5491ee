package probe

import (
	"errors"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/format"
	"trapline/internal/glob"
)

// A Listing is one thing that can be probed.
type Listing struct {
	Kind format.ProbeKind
	Name string // as -e takes it
	// Function is the function's name alone; "" none.
	Function string
	// Fields are the arguments, when asked for: those that are recorded of
	// tracepoints, the parameters in order of functions (arg0 is the first), with
	// retval behind them where there is one.
	Fields []Field
}

// A listPattern selects what is listed.
type listPattern struct {
	kind  format.ProbeKind // ProbeUnknown: all kinds
	text  string           // what follows the kind; * when nothing does
	match matcher          // of names without their kind; nil where text starts with a program
}

// parseListPattern reads "", a glob or ~/REGEXP/ over names, or either behind "KIND:".
// A word without colon and meta characters stands for all names that contain it.
func parseListPattern(text string) (*listPattern, error) {
	p := &listPattern{text: text}
	word, rest, colon := strings.Cut(text, ":")
	if kind, ok := kindNames[word]; ok && colon {
		p.kind, p.text = kind, rest
	}
	if p.text == "" {
		p.text = "*"
	}
	if p.inPrograms() {
		return p, nil
	}
	pattern := p.text
	if !colon && !glob.HasMeta(pattern) && !strings.HasPrefix(pattern, "~/") {
		pattern = "*" + pattern + "*"
	}
	var err error
	if p.match, err = listMatcher(pattern); err != nil {
		return nil, &SyntaxError{Text: text, Reason: err.Error()}
	}
	return p, nil
}

// listMatcher returns the matcher of a glob or ~/REGEXP/.
func listMatcher(pattern string) (matcher, error) {
	if inside, ok := strings.CutPrefix(pattern, "~/"); ok {
		return newMatcher(MatchRegexp, strings.TrimSuffix(inside, "/"))
	}
	return newMatcher(MatchGlob, pattern)
}

// inPrograms reports whether the pattern names a program first.
func (p *listPattern) inPrograms() bool {
	return (&Event{Kind: p.kind}).inUserSpace()
}

func (p *listPattern) wants(k format.ProbeKind) bool {
	return p.kind == k || p.kind == format.ProbeUnknown
}

// List calls yield with what can be probed and matches a pattern, until it returns
// false: timed events, tracepoints, raw tracepoints, kprobes and fentry, each sorted
// by name, and USDT probes and functions of what the process has mapped. Return probes
// are listed when the pattern asks for their kind; USDT probes and functions of a
// program, for usdt:BINARY:GLOB and uprobe:BINARY:GLOB. What this machine does not support is left
// out, unless the pattern asks for nothing else: then the error says why. What may
// not be read is an error after all else was listed. verbose fills Listing.Fields.
func (r *Resolver) List(pattern string, verbose bool, yield func(Listing) bool) error {
	p, err := parseListPattern(pattern)
	if err != nil {
		return err
	}
	lists := []struct {
		kinds []format.ProbeKind
		list  func(*listPattern, format.ProbeKind, bool, func(Listing) bool) error
	}{
		{[]format.ProbeKind{format.ProbeTimed}, r.listTimed},
		{[]format.ProbeKind{format.ProbeTracepoint}, r.listTracepoints},
		{[]format.ProbeKind{format.ProbeRawTracepoint}, r.listRawTracepoints},
		{[]format.ProbeKind{format.ProbeKprobe, format.ProbeKretprobe}, r.listKprobes},
		{[]format.ProbeKind{format.ProbeFentry, format.ProbeFexit}, r.listFentry},
		{[]format.ProbeKind{format.ProbeUSDT}, r.listPrograms},
		{[]format.ProbeKind{format.ProbeUprobe, format.ProbeUretprobe}, r.listPrograms},
	}
	var first error
	stopped := false
	count := func(l Listing) bool {
		stopped = !yield(l)
		return !stopped
	}
	for _, l := range lists {
		kind := l.kinds[0]
		if !p.wants(kind) {
			if len(l.kinds) < 2 || p.kind != l.kinds[1] {
				continue
			}
			kind = l.kinds[1]
		}
		if err := l.list(p, kind, verbose, count); err != nil {
			var unsupported *UnsupportedError
			if p.kind != format.ProbeUnknown {
				return err
			}
			if first == nil && !errors.As(err, &unsupported) {
				first = err
			}
		}
		if stopped {
			return nil
		}
	}
	return first
}

func (r *Resolver) listTimed(p *listPattern, kind format.ProbeKind, _ bool, yield func(Listing) bool) error {
	hardware := r.haveHardwareCounters()
	var names []string
	for _, t := range timedEvents {
		if (hardware || t.typ != perfTypeHardware) && p.match(t.name) {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if !yield(Listing{Kind: kind, Name: name}) {
			break
		}
	}
	return nil
}

var errStop = errors.New("stop")

func (r *Resolver) listTracepoints(p *listPattern, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	all := glob.MustParse("*")
	err := r.eachTracepoint(all, all, func(system, name string) error {
		l := Listing{Kind: kind, Name: system + ":" + name}
		if !p.match(l.Name) {
			return nil
		}
		if verbose {
			t, err := r.tracepoint(system, name)
			if err != nil {
				return err
			}
			l.Fields = t.Fields
		}
		if !yield(l) {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func (r *Resolver) listRawTracepoints(p *listPattern, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	if r.opt.BTF == nil {
		return &UnsupportedError{Feature: "raw tracepoints", Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"}
	}
	for _, name := range r.btfNames().rawTracepoints {
		if !p.match(name) {
			continue
		}
		l := Listing{Kind: kind, Name: kind.String() + ":" + name}
		if verbose {
			if s := r.rawTracepoint(name); s != nil {
				l.Fields = s.fields(false)
			}
		}
		if !yield(l) {
			break
		}
	}
	return nil
}

// btfNames are the names that BTF knows, sorted.
type btfNames struct {
	rawTracepoints []string
	functions      []string
}

func (r *Resolver) readBTFNames() *btfNames {
	n := new(btfNames)
	r.eachBTFType(func(t btf.Type) {
		if f, ok := t.(*btf.Func); ok {
			n.functions = append(n.functions, f.Name)
		} else if name, ok := rawTracepointName(t); ok {
			n.rawTracepoints = append(n.rawTracepoints, name)
		}
	})
	for _, list := range []*[]string{&n.rawTracepoints, &n.functions} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return n
}
