package value

import (
	"fmt"

	"trapline/capture/layout"
	"trapline/format"
)

// fieldLocation returns the location of a tracepoint's field. Addresses passed to system
// calls point to user memory, all others to kernel memory.
func (k *Kernel) fieldLocation(f *layout.Field, systemCall bool) location {
	t := k.fieldType(f)
	if !t.scalar() {
		return location{typ: t, memory: true, space: layout.KernelMemory, fetch: layout.Fetch{Base: layout.FetchRecord}, add: int64(f.Offset)}
	}
	// A number is like a value in a register: the type it is shown as does not say how
	// much to read.
	number := layout.Fetch{Base: layout.FetchRecord, Steps: []layout.FetchStep{{Add: int32(f.Offset), Space: layout.KernelMemory, Size: uint8(f.Size)}}}
	number.Narrow(t.size, t.signed, false)
	at := location{typ: t, exact: true, space: layout.KernelMemory, pieces: []layout.Fetch{number}}
	if systemCall {
		at.space = layout.UserMemory
	}
	return at
}

// fieldType returns the type of a tracepoint's field.
func (k *Kernel) fieldType(f *layout.Field) *valueType {
	if f.Dynamic {
		return &valueType{kind: kindVoid, name: f.CType + "[] of variable length", field: f}
	}
	one := *f
	one.Count = 1
	count := int(f.Count)
	element := &valueType{kind: kindInteger, name: f.CType, size: int(f.Size), signed: f.Type == format.FieldInt, field: &one}
	switch f.Type {
	case format.FieldPointer:
		element = spelledType(k.Types, f.CType)
		element.field = &one
	case format.FieldBool:
		element.kind = kindBool
	case format.FieldChar:
		element.kind, element.signed = kindChar, true
	case format.FieldString:
		element, count = &valueType{kind: kindChar, name: "char", size: 1, signed: true}, int(f.Size)
	case format.FieldBytes:
		element, count = &valueType{kind: kindInteger, name: "u8", size: 1}, int(f.Size)
	}
	if count == 1 && f.Type != format.FieldString && f.Type != format.FieldBytes {
		return element
	}
	return &valueType{kind: kindArray, name: fmt.Sprintf("%s[%d]", f.CType, count), size: count * element.size, count: count,
		element: func() *valueType { return element }, field: f}
}
