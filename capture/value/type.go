package value

import (
	"trapline/capture/layout"
	"trapline/format"
)

// A valueType describes a type of BTF or DWARF, as far as reading and showing values
// needs it. Types may refer to each other in cycles, so their parts are computed on
// demand.
type valueType struct {
	kind      typeKind
	name      string // as the language spells it
	size      int    // bytes
	signed    bool
	bigEndian bool

	element func() *valueType // target of a pointer; element of an array or slice
	count   int               // elements of an array
	members func() []member   // of a structure or union; nil for other types
	names   func() string     // of an enumeration, as in format.Field.Names

	field *layout.Field // of a tracepoint's field: how the whole record shows it
}

// A member is a field of a structure.
type member struct {
	name string // "" for an anonymous structure, whose members belong to the outer one
	bit  int    // start in bits
	bits int    // size of a bitfield; 0 means none
	typ  func() *valueType
}

type typeKind uint8

const (
	kindVoid typeKind = iota
	kindInteger
	kindBool
	kindChar
	kindEnum
	kindFloat
	kindPointer
	kindArray
	kindStruct
	kindIPv4     // address in network order
	kindIPv6     // address in network order
	kindSockaddr // struct sockaddr or the structure of an address family
	kindGoString
	kindGoSlice
)

// scalar reports whether values are numbers of up to 8 bytes.
func (t *valueType) scalar() bool {
	switch t.kind {
	case kindInteger, kindBool, kindChar, kindEnum, kindPointer:
		return t.size == 1 || t.size == 2 || t.size == 4 || t.size == 8
	}
	return false
}

// fieldType returns the format's type for numbers of the type.
func (t *valueType) fieldType() format.FieldType {
	switch t.kind {
	case kindPointer:
		return format.FieldPointer
	case kindBool:
		return format.FieldBool
	case kindChar:
		return format.FieldChar
	case kindInteger, kindEnum:
		if t.signed {
			return format.FieldInt
		}
		return format.FieldUint
	}
	return format.FieldHex
}

// find returns a member by name, looking into anonymous structures. Its bit counts from
// the start of t.
func (t *valueType) find(name string, depth int) (member, bool) {
	if t.members == nil || depth > maxTypeDepth {
		return member{}, false
	}
	for _, m := range t.members() {
		if m.name == name {
			return m, true
		}
		if m.name != "" {
			continue
		}
		if inner, ok := m.typ().find(name, depth+1); ok {
			inner.bit += m.bit
			return inner, true
		}
	}
	return member{}, false
}

// memberNames returns the names that find accepts.
func (t *valueType) memberNames(depth int) []string {
	if t.members == nil || depth > maxTypeDepth {
		return nil
	}
	var names []string
	for _, m := range t.members() {
		if m.name != "" {
			names = append(names, m.name)
		} else {
			names = append(names, m.typ().memberNames(depth+1)...)
		}
	}
	return names
}

// maxTypeDepth bounds the nesting of types in a file.
const maxTypeDepth = 16

// named applies the known meaning of type names: the kernel's big-endian integers
// (include/uapi/linux/types.h) and network addresses.
func (t *valueType) named(name string) *valueType {
	switch name {
	case "__be16", "__be32", "__be64", "in_port_t":
		t.bigEndian = true
	case "in_addr", "struct in_addr", "in_addr_t":
		t.kind = kindIPv4
	case "in6_addr", "struct in6_addr":
		t.kind = kindIPv6
	case "sockaddr", "sockaddr_in", "sockaddr_in6", "sockaddr_storage", "__kernel_sockaddr_storage":
		t.kind = kindSockaddr
	case "bool", "_Bool":
		t.kind = kindBool
	}
	return t
}

// isText reports whether a tracepoint's field is text itself, not the address of text.
func (t *valueType) isText() bool { return t.field != nil && t.field.Type == format.FieldString }

// isVariable reports whether a tracepoint's field has a variable place in the record.
func (t *valueType) isVariable() bool { return t.field != nil && t.field.Dynamic }
