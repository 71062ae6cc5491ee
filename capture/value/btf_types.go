package value

import (
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// btfType converts a BTF type.
func btfType(t btf.Type) *valueType {
	v := &valueType{name: btfName(t)}
	names := []string(nil) // of typedefs, from the outside in
	for {
		switch inner := t.(type) {
		case *btf.Typedef:
			names = append(names, inner.Name)
			t = inner.Type
			continue
		case *btf.Const:
			t = inner.Type
			continue
		case *btf.Volatile:
			t = inner.Type
			continue
		case *btf.Restrict:
			t = inner.Type
			continue
		case *btf.TypeTag:
			t = inner.Type
			continue
		}
		break
	}
	switch t := t.(type) {
	case *btf.Int:
		v.kind, v.size, v.signed = kindInteger, int(t.Size), t.Encoding&btf.Signed != 0
		switch {
		case t.Encoding&btf.Bool != 0:
			v.kind = kindBool
		case t.Name == "char":
			v.kind, v.signed = kindChar, true
		}
	case *btf.Enum:
		v.kind, v.size, v.signed = kindEnum, int(t.Size), t.Signed
		v.names = func() string { return btfEnumNames(t) }
	case *btf.Float:
		v.kind, v.size = kindFloat, int(t.Size)
	case *btf.Pointer:
		v.kind, v.size = kindPointer, 8
		v.element = func() *valueType { return btfType(t.Target) }
	case *btf.Array:
		v.kind, v.count = kindArray, int(t.Nelems)
		v.element = func() *valueType { return btfType(t.Type) }
		v.size = btfSize(t)
	case *btf.Struct:
		v.kind, v.size = kindStruct, int(t.Size)
		v.members = func() []member { return btfMembers(t.Members) }
		names = append(names, t.Name)
	case *btf.Union:
		v.kind, v.size = kindStruct, int(t.Size)
		v.members = func() []member { return btfMembers(t.Members) }
	}
	for _, name := range names {
		v.named(name)
	}
	return v
}

func btfSize(t btf.Type) int {
	n, err := btf.Sizeof(t)
	if err != nil {
		return 0
	}
	return n
}

func btfMembers(all []btf.Member) []member {
	members := make([]member, 0, len(all))
	for _, m := range all {
		members = append(members, member{name: m.Name, bit: int(m.Offset), bits: int(m.BitfieldSize),
			typ: func() *valueType { return btfType(m.Type) }})
	}
	return members
}

func btfEnumNames(t *btf.Enum) string {
	var b strings.Builder
	for _, v := range t.Values {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if t.Signed {
			n := int64(v.Value)
			if t.Size == 4 {
				n = int64(int32(v.Value))
			}
			b.WriteString(strconv.FormatInt(n, 10))
		} else {
			b.WriteString(strconv.FormatUint(v.Value, 10))
		}
		b.WriteString("=" + v.Name)
	}
	return b.String()
}

// btfName spells a type in C.
func btfName(t btf.Type) string {
	for range maxTypeDepth {
		switch inner := t.(type) {
		case *btf.Void:
			return "void"
		case *btf.Pointer:
			if _, ok := inner.Target.(*btf.FuncProto); ok {
				return "void (*)()"
			}
			name := btfName(inner.Target)
			if strings.HasSuffix(name, "*") {
				return name + "*"
			}
			return name + " *"
		case *btf.Const:
			return "const " + btfName(inner.Type)
		case *btf.Volatile:
			t = inner.Type
		case *btf.Restrict:
			t = inner.Type
		case *btf.TypeTag:
			t = inner.Type
		case *btf.Array:
			return btfName(inner.Type) + "[" + strconv.Itoa(int(inner.Nelems)) + "]"
		case *btf.Struct:
			return "struct " + orAnonymous(inner.Name)
		case *btf.Union:
			return "union " + orAnonymous(inner.Name)
		case *btf.Enum:
			return "enum " + orAnonymous(inner.Name)
		default:
			return orAnonymous(t.TypeName())
		}
	}
	return "…"
}

func orAnonymous(name string) string {
	if name == "" {
		return "{…}"
	}
	return name
}
