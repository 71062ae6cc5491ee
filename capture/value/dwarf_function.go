package value

import (
	"debug/dwarf"
	"errors"
	"fmt"

	"trapline/internal/symbol"
)

// A dwarfFunction is what debug information says about a function at one of its
// addresses.
type dwarfFunction struct {
	unit      *dwarfUnit
	entry     uint64 // address of the first instruction
	variables []dwarfVariable
	result    *valueType // nil if the function returns nothing
	base      []byte     // DW_AT_frame_base
	producer  string
}

// A dwarfVariable is a parameter or a local variable.
type dwarfVariable struct {
	name       string
	typ        *valueType
	parameter  bool
	result     bool   // Go: a result, named or not
	expression []byte // location at the address; empty if there is none
	whole      bool   // the location is the same in the whole function
}

// maxVariables is the maximum number of variables read of a function.
const maxVariables = 512

// findDwarfFunction returns the function that contains an address, or nil.
func findDwarfFunction(d *symbol.DebugData, pc uint64) (f *dwarfFunction, err error) {
	// debug/dwarf may panic on damaged files.
	defer func() {
		if e := recover(); e != nil {
			f, err = nil, fmt.Errorf("damaged debug information: %v", e)
		}
	}()
	r := d.Reader()
	cu, err := r.SeekPC(pc)
	if err != nil {
		if errors.Is(err, dwarf.ErrUnknownPC) {
			return nil, nil
		}
		return nil, err
	}
	unit := newDwarfUnit(d, cu, d.Version(cu.Offset) >= 5)
	depth := 0
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return nil, err
		}
		if e.Tag == 0 {
			if depth--; depth < 0 {
				return nil, nil
			}
			continue
		}
		if e.Tag == dwarf.TagSubprogram && covers(d, e, pc) {
			f := &dwarfFunction{unit: unit}
			f.producer, _ = cu.Val(dwarf.AttrProducer).(string)
			return f, f.read(d, r, e, pc)
		}
		switch {
		case !e.Children:
		case e.Tag == dwarf.TagNamespace || e.Tag == dwarf.TagModule:
			depth++ // it may contain functions
		default:
			r.SkipChildren()
		}
	}
}

// covers reports whether the code of an entry contains an address.
func covers(d *symbol.DebugData, e *dwarf.Entry, pc uint64) bool {
	if e.Val(dwarf.AttrLowpc) == nil && e.Val(dwarf.AttrRanges) == nil {
		return false
	}
	ranges, err := d.Ranges(e)
	if err != nil {
		return false
	}
	for _, r := range ranges {
		if pc >= r[0] && pc < r[1] {
			return true
		}
	}
	return false
}

// read reads a subprogram's entry and its variables.
func (f *dwarfFunction) read(d *symbol.DebugData, r *dwarf.Reader, e *dwarf.Entry, pc uint64) error {
	ranges, err := d.Ranges(e)
	if err != nil {
		return err
	}
	f.entry = ranges[0][0]
	if low, ok := e.Val(dwarf.AttrLowpc).(uint64); ok {
		f.entry = low
	}
	f.base, _ = e.Val(dwarf.AttrFrameBase).([]byte)
	if t, ok := f.attribute(d, e, dwarf.AttrType).(dwarf.Offset); ok {
		f.result = f.typeAt(d, t)
	}
	if !e.Children {
		return nil
	}
	for depth := 0; ; {
		e, err := r.Next()
		if err != nil || e == nil {
			return err
		}
		if e.Tag == 0 {
			if depth--; depth < 0 {
				return nil
			}
			continue
		}
		switch e.Tag {
		case dwarf.TagFormalParameter, dwarf.TagVariable:
			if len(f.variables) < maxVariables {
				f.variable(d, e, pc)
			}
		case dwarf.TagLexDwarfBlock:
			if e.Children && covers(d, e, pc) {
				depth++ // its variables are in scope
				continue
			}
		}
		if e.Children {
			r.SkipChildren()
		}
	}
}

func (f *dwarfFunction) variable(d *symbol.DebugData, e *dwarf.Entry, pc uint64) {
	v := dwarfVariable{parameter: e.Tag == dwarf.TagFormalParameter}
	v.name, _ = f.attribute(d, e, dwarf.AttrName).(string)
	t, ok := f.attribute(d, e, dwarf.AttrType).(dwarf.Offset)
	if !ok {
		return
	}
	v.typ = f.typeAt(d, t)
	if f.unit.language == languageGo {
		v.result, _ = e.Val(dwarf.AttrVarParam).(bool)
	}
	v.expression, v.whole = f.unit.location(e, pc)
	f.variables = append(f.variables, v)
}

// attribute returns an attribute of an entry or of its abstract origin.
func (f *dwarfFunction) attribute(d *symbol.DebugData, e *dwarf.Entry, a dwarf.Attr) any {
	for range maxTypeDepth {
		if v := e.Val(a); v != nil {
			return v
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			if origin, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset); !ok {
				return nil
			}
		}
		r := d.Reader()
		r.Seek(origin)
		next, err := r.Next()
		if err != nil || next == nil {
			return nil
		}
		e = next
	}
	return nil
}

// typeAt returns the type at an offset. C++ references become pointers.
func (f *dwarfFunction) typeAt(d *symbol.DebugData, at dwarf.Offset) *valueType {
	r := d.Reader()
	r.Seek(at)
	if e, err := r.Next(); err == nil && e != nil && (e.Tag == dwarf.TagReferenceType || e.Tag == dwarf.TagRvalueReferenceType) {
		v := &valueType{kind: kindPointer, name: "&", size: 8, element: func() *valueType { return &valueType{kind: kindVoid} }}
		if to, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok {
			target := f.typeAt(d, to)
			v.name = target.name + " &"
			v.element = func() *valueType { return target }
		}
		return v
	}
	t, err := d.Type(at)
	if err != nil {
		return &valueType{kind: kindVoid, name: "void"}
	}
	return dwarfType(t, f.unit.language)
}
