package value

import (
	"trapline/capture/layout"
	"trapline/format"
)

// A valueType is what matters of a type to read and show its values, whether BTF or
// DWARF describes it. Types refer to each other in circles, so what a type is made
// of is asked for when it is needed.
type valueType struct {
	kind      typeKind
	name      string // as the language spells it
	size      int    // bytes
	signed    bool
	bigEndian bool

	element func() *valueType // pointer: what it points to; array and slice: what they hold
	count   int               // elements of an array
	members func() []member   // of a structure or union
	names   func() string     // of an enumeration: as format.Field.Names

	field *layout.Field // of a tracepoint's field: how its whole record has it
}

// A member is one field of a structure.
type member struct {
	name string // "" for an anonymous structure, whose members are the outer one's
	bit  int    // where it begins, in bits
	bits int    // of a bitfield; 0: it is none
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
	kindSockaddr // struct sockaddr and those of its families
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

// fieldType is how the format calls numbers of the type.
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

// find looks a member up, through anonymous structures. Its bit counts from the
// start of t.
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

// memberNames lists what find finds.
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

// maxTypeDepth bounds how deeply types that a file describes are followed.
const maxTypeDepth = 16

// named gives types what their names are known to mean: the kernel's big-endian
// integers (include/uapi/linux/types.h), and addresses.
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

// isText reports whether a tracepoint's field is text by itself, no address of one.
func (t *valueType) isText() bool { return t.field != nil && t.field.Type == format.FieldString }

// isVariable reports whether a tracepoint's field lies wherever a word of the record says.
func (t *valueType) isVariable() bool { return t.field != nil && t.field.Dynamic }
