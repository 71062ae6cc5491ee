package event

// An Arg is one argument that was asked for.
type Arg struct {
	Name  string // as given, else made from Value
	Value Expr
	Type  Type
}

// An Op says what an [Expr] is.
type Op uint8

const (
	OpArg          Op = iota // argument Index of the function, tracepoint or USDT probe, from 0
	OpReturn                 // what the function returned
	OpDuration               // of the call, in ns, at its return
	OpRegister               // register Name, as the architecture calls it, without %
	OpStack                  // word Index of the stack, from 0 at the stack pointer
	OpStackPointer           // address of word 0 of the stack
	OpComm                   // name of the current task
	OpConstant               // Offset
	OpName                   // parameter, local or global variable Name, by DWARF or BTF
	OpSymbol                 // memory at symbol Name plus Offset; at address Offset when Name is ""
	OpDeref                  // memory at Of plus Offset
	OpField                  // field Name of the structure Of, or of the one that Of points to
	OpIndex                  // element Index of the array Of, or of the one that Of points to
)

// An Expr is how a value is got at: a tree without branches, from the outermost step
// to where the value starts.
type Expr struct {
	Op     Op
	Name   string
	Index  int
	Offset int64 // bytes
	User   bool  // OpDeref: of user memory, whatever the event
	Arrow  bool  // OpField: spelled ->, not .
	Of     *Expr
}

// A TypeKind says how a value is shown and how much of it is read.
type TypeKind uint8

const (
	TypeDefault  TypeKind = iota // as BTF or DWARF has it, else a register's worth
	TypeUint                     // Size bytes, like the next three
	TypeInt                      //
	TypeHex                      //
	TypeBool                     //
	TypeChar                     // one byte
	TypeSymbol                   // address in kernel code
	TypeErrno                    // int: negative ones by name, -ENOENT
	TypeEnum                     // by the name of the enumerator
	TypeIPv4                     // 4 bytes, network order, like the next two
	TypeIPv6                     // 16 bytes
	TypePort                     // 2 bytes
	TypeSockaddr                 // address of struct sockaddr
	TypeString                   // address of a string that ends with 0
	TypeBytes                    // address of Length bytes
	TypeBits                     // Bits bits from bit BitOffset of Size bytes
	TypeStruct                   // address of a structure: its fields, one level deep
)

// A Type is the type that was asked for.
type Type struct {
	Kind      TypeKind
	Size      uint8  // bytes of one element
	Bits      uint8  // TypeBits
	BitOffset uint8  // TypeBits
	Count     uint16 // elements of an array; 0 no array
	Length    *Expr  // TypeBytes
	User      bool   // in user memory; not set where all is
}

// typeSpellings are the types that are a word. The kinds that none of them has are
// spelled by [Type.String].
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

// Leaf returns where the value of an expression starts.
func (e *Expr) Leaf() *Expr {
	for e.Of != nil {
		e = e.Of
	}
	return e
}
