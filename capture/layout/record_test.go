package layout_test

import (
	"errors"
	"strings"
	"testing"

	"trapline/bpf"
	"trapline/capture/layout"
	"trapline/format"
	"trapline/internal/expr"
)

func number(name string) layout.Value {
	return layout.Value{Fetch: layout.Fetch{Word: 1}, Field: layout.Field{Name: name, Type: format.FieldInt, Size: 8, Count: 1, Value: "arg1"}}
}

func text(name string) layout.Value {
	return layout.Value{Fetch: layout.Fetch{As: layout.FetchString, Space: layout.UserMemory, Max: 64},
		Field: layout.Field{Name: name, Type: format.FieldString, Size: 4, Count: 1}}
}

func record(t *testing.T, values ...layout.Value) *layout.Record {
	t.Helper()
	r := &layout.Record{RecordSize: layout.CommonSize}
	if err := r.Add(values); err != nil {
		t.Fatal(err)
	}
	if err := r.LayOut(r.Fetch); err != nil {
		t.Fatal(err)
	}
	return r
}

// Slots of 8 bytes follow the common fields. Marks follow the slots if a fetch can fail.
func TestLayOut(t *testing.T) {
	r := record(t, number("n"))
	if len(r.Fields) != 1 || r.Fields[0].Offset != 8 || r.RecordSize != 16 || r.MarksAt != 0 {
		t.Errorf("a register: %+v", r)
	}
	hidden := layout.Value{Fetch: layout.Fetch{Hidden: true}}
	bytes := layout.Value{Fetch: layout.Fetch{As: layout.FetchBytes, Space: layout.KernelMemory, Max: 32},
		Field: layout.Field{Name: "b", Type: format.FieldBytes, Size: 4}}
	block := layout.Value{Fetch: layout.Fetch{As: layout.FetchBlock, Space: layout.KernelMemory, Max: 20},
		Field: layout.Field{Name: "a", Type: format.FieldString, Size: 20}}
	r = record(t, number("n"), hidden, bytes, block)
	if len(r.Fields) != 5 || r.Fields[1].Offset != 24 || !r.Fields[1].Dynamic || r.Fetch[2].LengthOf != 2 || r.Fields[1].Count != 1 {
		t.Errorf("bytes: %+v", r)
	}
	if r.Fields[2].Offset != 32 || r.Fields[2].Dynamic || r.MarksAt != 56 || r.RecordSize != 64 ||
		r.Fields[3].Type != format.FieldUnread || r.Fields[3].Offset != 56 || r.Fields[4].Type != format.FieldCut || r.Fields[4].Offset != 60 {
		t.Errorf("a block and marks: %+v", r)
	}
}

func TestLayOutLimits(t *testing.T) {
	large := layout.Value{Fetch: layout.Fetch{As: layout.FetchBlock, Max: bpf.MaxRecord}, Field: layout.Field{Name: "x"}}
	r := new(layout.Record)
	if err := r.Add([]layout.Value{large}); err != nil {
		t.Fatal(err)
	}
	if err := r.LayOut(r.Fetch); err == nil || !strings.Contains(err.Error(), "there is room for") {
		t.Errorf("a record that is too large: error %v", err)
	}
	r = new(layout.Record)
	for range bpf.MaxFetches {
		if err := r.Add([]layout.Value{number("n")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Add([]layout.Value{number("n")}); err == nil {
		t.Errorf("%d values were accepted", bpf.MaxFetches+1)
	}
	deep := number("deep")
	deep.Fetch.Steps = make([]layout.FetchStep, bpf.MaxSteps+1)
	if err := new(layout.Record).Add([]layout.Value{deep}); err == nil || !strings.Contains(err.Error(), "memory accesses") {
		t.Errorf("too many steps: error %v", err)
	}
}

// At another site, fields correspond by name. A field that is missing or has another size
// is unreadable.
func TestFetchedLike(t *testing.T) {
	r := record(t, number("n"), text("s"), number("gone"))
	moved := number("n")
	moved.Fetch.Word = 7
	shorter := text("s")
	shorter.Fetch.Max = 8
	there := record(t, shorter, moved)
	got := r.FetchedLike(there)
	if len(got) != 3 || got[0].Word != 7 || got[1].Base != layout.FetchConstant || got[2].Base != layout.FetchConstant {
		t.Errorf("got %+v", got)
	}
}

// Conditions name fields by their names or arguments, and properties of the hit by the
// names that are left.
func TestFilter(t *testing.T) {
	r := record(t, number("size"), number("pid"), text("path"))
	for condition, want := range map[string]string{
		"size > 3":                 "size > 3 (size:s64)",
		"$arg2 > 3 && arg1 < 9":    "size > 3 && size < 9 (size:s64)",
		"args.pid == 7":            "args.pid == 7 (args.pid:s64)",
		"hit.pid == 7 || cpu == 1": "hit.pid == 7 || cpu == 1 (hit.pid:s32 cpu:u32)",
		`path == "/x"`:             `path == "/x" (path:string)`,
	} {
		f, err := r.NewFilter("p", parse(t, condition))
		if err != nil {
			t.Errorf("%s: %v", condition, err)
		} else if f.String() != want {
			t.Errorf("%s: got %s, want %s", condition, f, want)
		}
	}
	var wrong *expr.Error
	if _, err := r.NewFilter("p", parse(t, "pid == 7")); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "filter of p: pid is an argument of p and also a property of the hit") {
		t.Errorf("an ambiguous name: error %v", err)
	}
	if f, err := r.NewFilter("p", nil); f != nil || err != nil {
		t.Errorf("no conditions: %v, %v", f, err)
	}
	f, err := r.NewFilter("p", parse(t, "size > 3", "size < 9 || cpu == 1"))
	if err != nil || f.Predicate.String() != "size > 3 && (size < 9 || cpu == 1)" {
		t.Errorf("two conditions: %v, %v", f, err)
	}
	if got := r.Unknown(parse(t, "size > 3 && count > 1", "count < 2 || $arg5 == 0")); strings.Join(got, " ") != "count $arg5" {
		t.Errorf("unknown names: %q", got)
	}
}

func parse(t *testing.T, conditions ...string) []*expr.Expr {
	t.Helper()
	var all []*expr.Expr
	for _, c := range conditions {
		e, err := expr.Parse(c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
