package value

import (
	"debug/dwarf"
	"strconv"
	"strings"
)

// dwarfType converts a DWARF type. Go's strings and slices are recognized by how its
// compiler describes them.
func dwarfType(t dwarf.Type, language dwarfLanguage) *valueType {
	if t == nil {
		return &valueType{kind: kindVoid, name: "void"}
	}
	v := &valueType{name: dwarfName(t), size: int(min(max(t.Size(), 0), maxTypeSize))}
	var names []string // of typedefs, from the outside in
	for range maxTypeDepth {
		if q, ok := t.(*dwarf.QualType); ok {
			t = q.Type
		} else if d, ok := t.(*dwarf.TypedefType); ok {
			names = append(names, d.Name)
			t = d.Type
		} else {
			break
		}
	}
	of := func(t dwarf.Type) func() *valueType {
		return func() *valueType { return dwarfType(t, language) }
	}
	switch t := t.(type) {
	case *dwarf.CharType: // includes int8_t
		v.kind, v.signed = kindInteger, true
		if t.Name == "char" {
			v.kind = kindChar
		}
	case *dwarf.UcharType:
		v.kind = kindInteger
		if t.Name == "char" { // where char is unsigned
			v.kind = kindChar
		}
	case *dwarf.IntType:
		v.kind, v.signed = kindInteger, true
	case *dwarf.UintType:
		v.kind = kindInteger
	case *dwarf.AddrType:
		v.kind, v.element = kindPointer, of(nil)
	case *dwarf.BoolType:
		v.kind = kindBool
	case *dwarf.FloatType, *dwarf.ComplexType:
		v.kind = kindFloat
	case *dwarf.EnumType:
		v.kind, v.signed = kindEnum, true
		v.names = func() string { return dwarfEnumNames(t) }
	case *dwarf.PtrType:
		v.kind, v.size, v.element = kindPointer, 8, of(t.Type)
	case *dwarf.ArrayType:
		v.kind, v.count, v.element = kindArray, int(min(max(t.Count, 0), maxTypeSize)), of(t.Type)
	case *dwarf.StructType:
		v.kind = kindStruct
		v.members = func() []member { return dwarfMembers(t, language) }
		names = append(names, t.StructName)
		if language == languageGo {
			v.goStructure(t, of)
		}
	}
	for _, name := range names {
		v.named(name)
	}
	return v
}

// maxTypeSize bounds the sizes and counts in a file.
const maxTypeSize = 1 << 30

// dwarfLanguage is the language of a unit, as far as it affects types.
type dwarfLanguage int

const (
	languageGo        dwarfLanguage = 0x16   // DW_LANG_Go
	languageAssembler dwarfLanguage = 0x8001 // DW_LANG_Mips_Assembler, used for all machines
)

// goStructure recognizes strings and slices, which Go's compiler describes as structures.
func (v *valueType) goStructure(t *dwarf.StructType, of func(dwarf.Type) func() *valueType) {
	switch {
	case t.StructName == "string" && len(t.Field) == 2:
		v.kind = kindGoString
	case strings.HasPrefix(t.StructName, "[]") && len(t.Field) == 3:
		v.kind = kindGoSlice
		if array, ok := t.Field[0].Type.(*dwarf.PtrType); ok {
			v.element = of(array.Type)
		} else {
			v.kind = kindStruct
		}
	}
}

func dwarfMembers(t *dwarf.StructType, language dwarfLanguage) []member {
	members := make([]member, 0, len(t.Field))
	for _, f := range t.Field {
		m := member{name: f.Name, bit: int(8 * f.ByteOffset), typ: func() *valueType { return dwarfType(f.Type, language) }}
		if f.BitSize > 0 {
			m.bits = int(f.BitSize)
			switch {
			case f.DataBitOffset > 0:
				m.bit = int(f.DataBitOffset)
			case f.BitOffset > 0 || f.ByteSize > 0: // DWARF 3: counted from the most significant bit
				size := f.ByteSize
				if size == 0 {
					size = f.Type.Size()
				}
				m.bit += int(8*size - f.BitOffset - f.BitSize)
			}
		}
		members = append(members, m)
	}
	return members
}

func dwarfEnumNames(t *dwarf.EnumType) string {
	var b strings.Builder
	for i, v := range t.Val {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatInt(v.Val, 10) + "=" + v.Name)
	}
	return b.String()
}

// dwarfName spells a type in C or C++.
func dwarfName(t dwarf.Type) string {
	for range maxTypeDepth {
		switch inner := t.(type) {
		case nil:
			return "void"
		case *dwarf.PtrType:
			if _, ok := inner.Type.(*dwarf.FuncType); ok {
				return "void (*)()"
			}
			name := dwarfName(inner.Type)
			if strings.HasSuffix(name, "*") {
				return name + "*"
			}
			return name + " *"
		case *dwarf.QualType:
			if inner.Qual == "const" {
				return "const " + dwarfName(inner.Type)
			}
			t = inner.Type
		case *dwarf.StructType:
			return inner.Kind + " " + orAnonymous(inner.StructName)
		case *dwarf.EnumType:
			return "enum " + orAnonymous(inner.EnumName)
		case *dwarf.ArrayType:
			return dwarfName(inner.Type) + "[" + strconv.FormatInt(inner.Count, 10) + "]"
		default:
			return orAnonymous(t.Common().Name)
		}
	}
	return "…"
}
