package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trapline/format"
	"trapline/internal/expr"
)

// A Filter is what must hold of a probe's hits for them to be recorded.
type Filter struct {
	Predicate *expr.Predicate
	Values    []FilterValue // by their index in the predicate's scope
}

// A FilterValue is where a value that a predicate may use comes from.
type FilterValue struct {
	Of    HitValue
	Field Field // OfField

	// MarkedAt is the record offset of the field's mark as unreadable, bit Mark of
	// a 32-bit word; 0: it is always readable.
	MarkedAt uint16
	Mark     uint8
}

// A HitValue is what a hit itself says.
type HitValue uint8

const (
	OfField HitValue = iota // nothing: the value is an argument
	OfPID
	OfTID
	OfUID
	OfCPU
	OfComm
)

// hitValues are what every hit has, by the names that bpftrace and ftrace use.
var hitValues = []struct {
	of      HitValue
	name    string
	typ     expr.Type
	aliases []string
}{
	{OfPID, "pid", expr.S32, nil},
	{OfTID, "tid", expr.S32, []string{"common_pid"}},
	{OfUID, "uid", expr.U32, nil},
	{OfCPU, "cpu", expr.U32, []string{"CPU"}},
	{OfComm, "comm", expr.Text, []string{"COMM"}},
}

// SetFilter makes an event's predicate the probe's filter. Errors of the predicate
// are of type [*expr.Error] inside.
func (p *Probe) SetFilter(ev *Event) error {
	if ev.Predicate == "" {
		return nil
	}
	e, err := expr.Parse(ev.Predicate)
	if err != nil {
		return fmt.Errorf("filter of %s: %w", p.Name, err)
	}
	f := new(Filter)
	if f.Predicate, err = e.Check(p.filterScope(ev, f)); err != nil {
		return fmt.Errorf("filter of %s: %w", p.Name, err)
	}
	p.Filter = f
	return nil
}

// filterScope names the values that the probe's hits have, and notes where they are from.
func (p *Probe) filterScope(ev *Event, f *Filter) *expr.Scope {
	s := new(expr.Scope)
	own := make(map[string]bool)
	for _, v := range hitValues {
		own[v.name] = true
	}
	shared := make(map[string]bool)
	for i, field := range p.Fields {
		if field.Type.Mark() {
			continue
		}
		name := field.Name
		if own[name] {
			shared[name] = true
			name = "args." + name
		}
		t, why := field.filterType()
		if why != "" {
			why = fmt.Sprintf("%s %s, which filters cannot compare", field.Name, why)
			s.Refuse(name, why)
			s.Refuse("args."+field.Name, why)
			continue
		}
		s.Add(expr.Var{Name: name, Type: t}, append(ev.filterAliases(field.Name), "args."+field.Name)...)
		f.Values = append(f.Values, FilterValue{Field: field, MarkedAt: p.MarksAt, Mark: uint8(i)})
	}
	for _, v := range hitValues {
		name := v.name
		if shared[name] || slices.Contains(p.recordNames, name) {
			s.Refuse(name, fmt.Sprintf("%s is an argument of %s, and also the hit's own: write args.%s or hit.%s", name, p.Name, name, name))
			name = "hit." + name
		}
		s.Add(expr.Var{Name: name, Type: v.typ}, append(v.aliases, "hit."+v.name)...)
		f.Values = append(f.Values, FilterValue{Of: v.of})
	}
	return s
}

// filterType returns the type that expressions see a field as, or why they cannot.
func (f *Field) filterType() (t expr.Type, why string) {
	if f.Count > 1 {
		return t, "is an array"
	}
	switch f.Type {
	case format.FieldString:
		return expr.Text, ""
	case format.FieldInt, format.FieldChar:
		t.Signed = true
	case format.FieldUint, format.FieldHex, format.FieldPointer, format.FieldBool, format.FieldSymbol:
	default:
		return t, "is bytes"
	}
	switch f.Size {
	case 1, 2, 4, 8:
		t.Size = uint8(f.Size)
		return t, ""
	}
	return t, "is bytes"
}

// filterAliases returns the other names of the argument that a field shows: those of
// where it comes from.
func (ev *Event) filterAliases(field string) []string {
	for i := range ev.Args {
		if a := &ev.Args[i]; a.Name == field {
			switch a.Value.Op {
			case OpArg:
				return []string{a.Value.String(), "$arg" + strconv.Itoa(a.Value.Index+1)}
			case OpReturn:
				return []string{a.Value.String(), "$retval"}
			case OpName:
				return []string{a.Value.String(), "args." + a.Value.Name}
			}
			return []string{a.Value.String()}
		}
	}
	return nil
}

// withFilterArgs returns the event with the arguments that its predicate looks at and
// that its probes do not have, since filters look at what is recorded; nil if there
// are none. What cannot be an argument is left for the predicate's check to refuse.
func (ev *Event) withFilterArgs(p *Probe) *Event {
	e, err := expr.Parse(ev.Predicate)
	if err != nil || ev.Kind == format.ProbeTimed {
		return nil
	}
	scope := p.filterScope(ev, new(Filter))
	more := *ev
	more.Args = slices.Clone(ev.Args)
	if len(more.Args) == 0 {
		// Arguments that are recorded without being asked for stay.
		for _, f := range p.Fields {
			if value, err := argValue(f.Name); err == nil && !f.Type.Mark() {
				more.Args = append(more.Args, Arg{Name: f.Name, Value: *value})
			}
		}
	}
	before := len(more.Args)
	wholeRecord := ev.Kind == format.ProbeTracepoint && len(ev.Args) == 0
	for _, name := range e.Unknown(scope) {
		value, err := argValue(name)
		if err != nil || wholeRecord && value.Op != OpDuration {
			continue
		}
		more.Args = append(more.Args, Arg{Name: value.String(), Value: *value})
	}
	if len(more.Args) == before {
		return nil
	}
	return &more
}

// argValue reads the spelling of an argument's value.
func argValue(text string) (*Expr, error) {
	return (&parser{scanner: scanner{text: text}}).expr(0, text)
}

// resolveAndFilter resolves an event, with the arguments that its predicate needs.
func (r *Resolver) resolveAndFilter(ev *Event) ([]Probe, error) {
	if ev.Modifiers.MinDuration > 0 {
		slow := *ev
		slow.Require(fmt.Sprintf("duration >= %dns", ev.Modifiers.MinDuration.Nanoseconds()))
		ev = &slow
	}
	probes, err := r.resolveAndLayOut(ev)
	if err != nil || len(probes) == 0 || ev.Predicate == "" {
		return probes, err
	}
	if more := ev.withFilterArgs(&probes[0]); more != nil {
		ev = more
		if probes, err = r.resolveAndLayOut(ev); err != nil {
			return nil, err
		}
	}
	for i := range probes {
		if err := probes[i].SetFilter(ev); err != nil {
			return nil, err
		}
	}
	return probes, nil
}

// resolveAndLayOut resolves an event and gives the fields of its probes their places.
func (r *Resolver) resolveAndLayOut(ev *Event) ([]Probe, error) {
	probes, err := r.resolve(ev)
	if err != nil {
		return nil, err
	}
	for i := range probes {
		if len(probes[i].Fetch) == 0 {
			continue
		}
		probes[i].layOut()
		if err := probes[i].checkSlots(); err != nil {
			return nil, &InvalidError{ev.Text, err.Error()}
		}
	}
	return probes, nil
}

// String spells the predicate with the types of what it looks at.
func (f *Filter) String() string {
	var types []string
	for _, slot := range f.Predicate.Used() {
		v := f.Predicate.Vars()[slot]
		types = append(types, v.Name+":"+v.Type.String())
	}
	return f.Predicate.String() + " (" + strings.Join(types, " ") + ")"
}
