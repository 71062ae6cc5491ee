package event

// An Arg is an argument that an event asks for.
type Arg struct {
	Name  string // as given, or derived from Value
	Value Expr
	Type  Type
}

// An Op is the kind of an [Expr].
type Op uint8

const (
	OpArg          Op = iota // argument Index of the function, tracepoint or USDT probe, from 0
	OpReturn                 // the function's result
	OpDuration               // duration of the call in ns, at its return
	OpRegister               // register Name, as the architecture calls it, without %
	OpStack                  // word Index of the stack, from 0 at the stack pointer
	OpStackPointer           // address of word 0 of the stack
	OpComm                   // the current task's name
	OpConstant               // Offset
	OpName                   // parameter, local or global variable Name, from DWARF or BTF
	OpSymbol                 // memory at symbol Name plus Offset, or at address Offset if Name is ""
	OpDeref                  // memory at Of plus Offset
	OpField                  // field Name of the structure Of, or of the one it points to
	OpIndex                  // element Index of the array Of, or of the one it points to
)

// An Expr says how to get at a value. It is a chain of steps, from the last step to the
// start of the value.
type Expr struct {
	Op     Op
	Name   string
	Index  int
	Offset int64 // bytes
	User   bool  // OpDeref: in user memory, for any kind of probe
	Arrow  bool  // OpField: written ->, not .
	Of     *Expr
}

// A TypeKind says how a value is shown and how many bytes are read.
type TypeKind uint8

const (
	TypeDefault  TypeKind = iota // the type in BTF or DWARF, or else a register's worth
	TypeUint                     // Size bytes, like the next three
	TypeInt                      //
	TypeHex                      //
	TypeBool                     //
	TypeChar                     // one byte
	TypeSymbol                   // address in kernel code
	TypeErrno                    // int: negative values are shown by name, as -ENOENT
	TypeEnum                     // shown by the name of the enumerator
	TypeIPv4                     // 4 bytes, network order, like the next two
	TypeIPv6                     // 16 bytes
	TypePort                     // 2 bytes
	TypeSockaddr                 // address of struct sockaddr
	TypeString                   // address of a NUL-terminated string
	TypeBytes                    // address of Length bytes
	TypeBits                     // Bits bits from bit BitOffset of Size bytes
	TypeStruct                   // address of a structure, whose fields are recorded, one level deep
)

// A Type is the type that an argument asks for.
type Type struct {
	Kind      TypeKind
	Size      uint8  // bytes of one element
	Bits      uint8  // TypeBits
	BitOffset uint8  // TypeBits
	Count     uint16 // elements of an array; 0 means no array
	Length    *Expr  // TypeBytes
	User      bool   // in user memory; not set for probes whose memory is all user memory
}

// typeSpellings are the types that are a single word. [Type.String] spells the other
// kinds.
var typeSpellings = []struct {
	name string
	Type
}{
	{"u8", Type{Kind: TypeUint, Size: 1}}, {"u16", Type{Kind: TypeUint, Size: 2}}, {"u32", Type{Kind: TypeUint, Size: 4}}, {"u64", Type{Kind: TypeUint, Size: 8}},
	{"s8", Type{Kind: TypeInt, Size: 1}}, {"s16", Type{Kind: TypeInt, Size: 2}}, {"s32", Type{Kind: TypeInt, Size: 4}}, {"s64", Type{Kind: TypeInt, Size: 8}},
	{"x8", Type{Kind: TypeHex, Size: 1}}, {"x16", Type{Kind: TypeHex, Size: 2}}, {"x32", Type{Kind: TypeHex, Size: 4}}, {"x64", Type{Kind: TypeHex, Size: 8}},
	{"bool", Type{Kind: TypeBool, Size: 1}},
	{"char", Type{Kind: TypeChar, Size: 1}},
	{"symbol", Type{Kind: TypeSymbol, Size: 8}},
	{"errno", Type{Kind: TypeErrno, Size: 4}},
	{"enum", Type{Kind: TypeEnum}},
	{"ipv4", Type{Kind: TypeIPv4, Size: 4}},
	{"ipv6", Type{Kind: TypeIPv6, Size: 16}},
	{"port", Type{Kind: TypePort, Size: 2}},
	{"sockaddr", Type{Kind: TypeSockaddr}},
	{"string", Type{Kind: TypeString}},
	{"ustring", Type{Kind: TypeString, User: true}},
	{"struct", Type{Kind: TypeStruct}},
}

// Leaf returns the start of the chain.
func (e *Expr) Leaf() *Expr {
	for e.Of != nil {
		e = e.Of
	}
	return e
}
