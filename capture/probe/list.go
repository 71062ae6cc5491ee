package probe

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/format"
	"trapline/internal/symbol"
)

// A Listing is one thing that can be probed.
type Listing struct {
	Kind format.ProbeKind
	Name string // as -e takes it
	// Fields are the arguments, when asked for: those that are recorded of
	// tracepoints, the parameters in order of functions (arg0 is the first), with
	// retval behind them where there is one.
	Fields []Field
}

// A listPattern selects what is listed.
type listPattern struct {
	kind format.ProbeKind // ProbeUnknown: all kinds
	glob *glob            // over the name without its kind
	text string           // of the glob
}

// parseListPattern reads "", a glob over names, or either behind "KIND:". A word
// without colon and meta characters stands for all names that contain it.
func parseListPattern(text string) (*listPattern, error) {
	p := &listPattern{text: text}
	word, rest, colon := strings.Cut(text, ":")
	if kind, ok := kindNames[word]; ok && colon {
		p.kind, p.text = kind, rest
	}
	if p.text == "" {
		p.text = "*"
	}
	pattern := p.text
	if !colon && !hasMeta(pattern) {
		pattern = "*" + pattern + "*"
	}
	var err error
	if p.kind != format.ProbeUprobe && p.kind != format.ProbeUretprobe {
		p.glob, err = newGlob(pattern)
	}
	if err != nil {
		return nil, &SyntaxError{Text: text, Reason: err.Error()}
	}
	return p, nil
}

func (p *listPattern) wants(k format.ProbeKind) bool {
	return p.kind == k || p.kind == format.ProbeUnknown
}

// List calls yield with what can be probed and matches a pattern, until it returns
// false: timed events, tracepoints, raw tracepoints, kprobes and fentry, each sorted
// by name. Return probes are listed when the pattern asks for their kind; functions
// of programs for uprobe:BINARY:GLOB. What this machine does not support is left
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
		{[]format.ProbeKind{format.ProbeUprobe, format.ProbeUretprobe}, r.listUprobes},
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
		if (hardware || t.typ != perfTypeHardware) && p.glob.match(t.name) {
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
	all, err := newGlob("*")
	if err != nil {
		return err
	}
	err = r.eachTracepoint(all, all, func(system, name string) error {
		l := Listing{Kind: kind, Name: system + ":" + name}
		if !p.glob.match(l.Name) {
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
		if !p.glob.match(name) {
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

// A listedFunction is a kernel function by the name that events give it.
type listedFunction struct {
	module, name string
}

func (f listedFunction) String() string {
	if f.module == "" {
		return f.name
	}
	return f.module + ":" + f.name
}

// matchFunctions returns the kernel's functions that a pattern matches, with or
// without their module, and keep accepts; sorted.
func (r *Resolver) matchFunctions(p *listPattern, keep func(f listedFunction) bool) []listedFunction {
	k := r.functions()
	if k == nil {
		return nil
	}
	var found []listedFunction
	for name, functions := range k.byName {
		bare := p.glob.match(name)
		for _, kf := range functions {
			f := listedFunction{kf.module, name}
			if (bare || f.module != "" && p.glob.match(f.String())) && keep(f) {
				found = append(found, f)
			}
		}
	}
	slices.SortFunc(found, func(a, b listedFunction) int {
		return cmp.Or(cmp.Compare(a.module, b.module), cmp.Compare(a.name, b.name))
	})
	return slices.Compact(found)
}

func (r *Resolver) listKprobes(p *listPattern, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	if !r.havePMU("kprobe") {
		return &UnsupportedError{Feature: "kprobes", Reason: "this kernel was built without CONFIG_KPROBES"}
	}
	blacklist := r.blacklist()
	functions := r.matchFunctions(p, func(f listedFunction) bool { return !blacklist[f.name] })
	return r.listFunctions(functions, kind, verbose, yield)
}

func (r *Resolver) listFentry(p *listPattern, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	if r.opt.BTF == nil {
		return &UnsupportedError{Feature: kind.String(), Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"}
	}
	known := r.btfNames().functions
	traceable := r.traceable()
	functions := r.matchFunctions(p, func(f listedFunction) bool {
		if traceable != nil && !traceable[f.name] {
			return false
		}
		if f.module != "" { // its BTF is read when it is asked for
			return r.btf(f.module) != nil
		}
		_, ok := slices.BinarySearch(known, f.name)
		return ok
	})
	return r.listFunctions(functions, kind, verbose, yield)
}

func (r *Resolver) listFunctions(functions []listedFunction, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	ev := Event{Kind: kind}
	for _, f := range functions {
		l := Listing{Kind: kind, Name: kind.String() + ":" + f.String()}
		if verbose {
			if s := r.functionSignature(f.module, f.name); s != nil {
				l.Fields = s.fields(ev.atReturn())
			}
		}
		if !yield(l) {
			break
		}
	}
	return nil
}

// listUprobes lists the functions of one program or library: BINARY:GLOB.
func (r *Resolver) listUprobes(p *listPattern, kind format.ProbeKind, _ bool, yield func(Listing) bool) error {
	if p.kind == format.ProbeUnknown {
		return nil // every program there is
	}
	ev := Event{Kind: kind, Text: kind.String() + ":" + p.text}
	name, pattern, _ := strings.Cut(p.text, ":")
	if end := quotedEnd(p.text); end > 0 {
		name, _ = unquote(p.text[:end])
		pattern = strings.TrimPrefix(p.text[end:], ":")
	}
	if name == "" || name == "*" {
		return &InvalidError{ev.Text, "give a program or library: " + kind.String() + ":BINARY:GLOB"}
	}
	if pattern == "" {
		pattern = "*"
	}
	g, err := newGlob(pattern)
	if err != nil {
		return &SyntaxError{Text: ev.Text, Pos: strings.Index(ev.Text, pattern), Reason: err.Error()}
	}
	ev.Binary = name
	b, err := r.binary(&ev)
	if err != nil {
		return err
	}
	functions, err := b.functions()
	if err != nil {
		return err
	}
	var names []string
	for i := range functions {
		f := functions[i].Name
		if b.indirect[functions[i].Address] || strings.HasSuffix(f, "@plt") {
			continue
		}
		if mangled(f) {
			f = symbol.Demangle(f)
		}
		if g.match(f) {
			names = append(names, f)
		}
	}
	slices.Sort(names)
	for _, f := range slices.Compact(names) {
		l := Listing{Kind: kind, Name: kind.String() + ":" + quote(path.Base(b.path.shown), false) + ":" + quote(f, true)}
		if strings.Contains(name, "/") {
			l.Name = kind.String() + ":" + quote(name, false) + ":" + quote(f, true)
		}
		if !yield(l) {
			break
		}
	}
	return nil
}
