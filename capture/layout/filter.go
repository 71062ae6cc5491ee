package layout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trapline/format"
	"trapline/internal/expr"
)

// A Filter says which hits of a probe are recorded.
type Filter struct {
	Predicate *expr.Predicate
	Values    []FilterValue // indexed like the variables of the predicate's scope
}

// A FilterValue says where a predicate finds one of its values.
type FilterValue struct {
	Of    HitValue
	Field Field // OfField

	// MarkedAt is the record offset of a 32-bit word whose bit Mark is set if the field
	// could not be read. 0 means that the field is always readable.
	MarkedAt uint16
	Mark     uint8
}

// A HitValue is a value that every hit has.
type HitValue uint8

const (
	OfField HitValue = iota // none: the value is an argument
	OfPID
	OfTID
	OfUID
	OfCPU
	OfComm
)

// hitValues are the values of every hit, under the names that bpftrace and ftrace use.
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

// NewFilter returns a filter for hits with this record that requires all conditions, or
// nil if there are none. probe names the probe in errors, which wrap an [*expr.Error].
func (r *Record) NewFilter(probe string, conditions []*expr.Expr) (*Filter, error) {
	if len(conditions) == 0 {
		return nil, nil
	}
	scope, values := r.filterScope(probe)
	f := &Filter{Values: values}
	for _, c := range conditions {
		checked, err := c.Check(scope)
		if err != nil {
			return nil, fmt.Errorf("filter of %s: %w", probe, err)
		}
		f.Predicate = f.Predicate.And(checked)
	}
	return f, nil
}

// Unknown returns the names in conditions that hits with this record do not define.
func (r *Record) Unknown(conditions []*expr.Expr) []string {
	if len(conditions) == 0 {
		return nil
	}
	scope, _ := r.filterScope("")
	var names []string
	for _, c := range conditions {
		for _, name := range c.Unknown(scope) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// filterScope defines the names of all values of a hit and says where they come from.
func (r *Record) filterScope(probe string) (*expr.Scope, []FilterValue) {
	s := new(expr.Scope)
	var values []FilterValue
	own := make(map[string]bool)
	for _, v := range hitValues {
		own[v.name] = true
	}
	shared := make(map[string]bool)
	for i, field := range r.Fields {
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
		s.Add(expr.Var{Name: name, Type: t}, append(field.aliases(), "args."+field.Name)...)
		values = append(values, FilterValue{Field: field, MarkedAt: r.MarksAt, Mark: uint8(i)})
	}
	for _, v := range hitValues {
		name := v.name
		if shared[name] || slices.Contains(r.Others, name) {
			s.Refuse(name, fmt.Sprintf("%s is an argument of %s and also a property of the hit: write args.%s or hit.%s", name, probe, name, name))
			name = "hit." + name
		}
		s.Add(expr.Var{Name: name, Type: v.typ}, append(v.aliases, "hit."+v.name)...)
		values = append(values, FilterValue{Of: v.of})
	}
	return s, values
}

// aliases returns other names for the field: spellings of the argument it shows.
func (f *Field) aliases() []string {
	if f.Value == "" {
		return nil
	}
	names := []string{f.Value}
	digits, _ := strings.CutPrefix(f.Value, "arg")
	if n, err := strconv.Atoi(digits); err == nil && digits != f.Value {
		return append(names, "$arg"+strconv.Itoa(n+1))
	}
	if f.Value == "retval" {
		return append(names, "$retval")
	}
	return append(names, "args."+f.Value)
}

// filterType returns the field's type in expressions, or why it has none.
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

// String returns the predicate with the types of the values it uses.
func (f *Filter) String() string {
	var types []string
	for _, slot := range f.Predicate.Used() {
		v := f.Predicate.Vars()[slot]
		types = append(types, v.Name+":"+v.Type.String())
	}
	return f.Predicate.String() + " (" + strings.Join(types, " ") + ")"
}
