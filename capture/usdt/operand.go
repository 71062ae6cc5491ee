package usdt

import (
	"fmt"
	"strconv"
	"strings"
)

// An Argument is an argument of a USDT probe at one place.
type Argument struct {
	Size   int // bytes: 1, 2, 4 or 8
	Signed bool
	Operand
}

// An OperandKind says where the value of an operand is.
type OperandKind uint8

const (
	Constant OperandKind = iota
	InRegister
	InMemory // at base + index*scale + value, or symbol + value
)

// An Operand is an x86-64 operand in AT&T syntax.
type Operand struct {
	Kind     OperandKind
	Register Register // InRegister
	Base     string   // InMemory: 64-bit register; "rip" with a symbol, "" for none
	Index    string   // InMemory: 64-bit register; "" for none
	Scale    int      // 1, 2, 4 or 8
	Symbol   string   // InMemory: symbol that Value is relative to; "" for none
	Value    int64    // constant, or displacement in bytes
}

// A Register is a 64-bit register or a part of one.
type Register struct {
	Name  string // rax, …, r15
	Size  int    // bytes
	Shift int    // bits: 8 for ah, bh, ch and dh
}

// MaxArguments is the maximum number of arguments in sys/sdt.h.
const MaxArguments = 12

// ParseArguments parses the arguments at one place: N@OPERAND, separated by spaces. An
// argument that cannot be parsed has its own error.
func ParseArguments(text string) ([]Argument, []error) {
	words := strings.Fields(text)
	if len(words) > MaxArguments {
		words = words[:MaxArguments]
	}
	args, errs := make([]Argument, len(words)), make([]error, len(words))
	for i, w := range words {
		args[i], errs[i] = parseArgument(w)
	}
	return args, errs
}

func parseArgument(text string) (a Argument, err error) {
	typ, op, ok := strings.Cut(text, "@")
	if !ok {
		typ, op = "8", text // sys/sdt.h omits the size if the compiler does not know it
	}
	digits, signed := strings.CutPrefix(typ, "-")
	if strings.HasSuffix(digits, "f") {
		return a, fmt.Errorf("%s is a floating-point number, which cannot be recorded", text)
	}
	switch digits {
	case "1", "2", "4", "8":
		a.Size, a.Signed = int(digits[0]-'0'), signed
	default:
		return a, fmt.Errorf("%s is of a size that cannot be recorded", text)
	}
	if a.Operand, err = parseOperand(op); err != nil {
		return a, err
	}
	if a.Kind == InRegister {
		a.Size = min(a.Size, a.Register.Size) // a narrow register holds no more than its size
	}
	return a, nil
}

func parseOperand(text string) (o Operand, err error) {
	bad := fmt.Errorf("operand %q cannot be read", text)
	if constant, ok := strings.CutPrefix(text, "$"); ok {
		o.Value, ok = parseConstant(constant)
		if !ok {
			return o, bad
		}
		return o, nil
	}
	if name, ok := strings.CutPrefix(text, "%"); ok {
		if strings.ContainsAny(name, ":") {
			return o, fmt.Errorf("operand %q is in another segment (thread-local), which cannot be read", text)
		}
		if o.Register, ok = registers[name]; !ok {
			if isVectorRegister(name) {
				return o, fmt.Errorf("operand %q is a floating-point or vector register, which cannot be read", text)
			}
			return o, bad
		}
		o.Kind = InRegister
		return o, nil
	}
	o.Kind = InMemory
	displacement, parts, inParentheses := strings.Cut(text, "(")
	var ok bool
	if o.Symbol, o.Value, ok = parseDisplacement(displacement); !ok {
		return o, bad
	}
	if !inParentheses {
		if displacement == "" {
			return o, bad
		}
		return o, nil
	}
	if parts, ok = strings.CutSuffix(parts, ")"); !ok {
		return o, bad
	}
	if !o.parseAddress(strings.Split(parts, ",")) {
		return o, bad
	}
	return o, nil
}

// parseAddress parses base, index and scale.
func (o *Operand) parseAddress(parts []string) bool {
	if len(parts) > 3 {
		return false
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	var ok bool
	if parts[0] == "%rip" {
		o.Base = "rip"
		return len(parts) == 1 && o.Symbol != ""
	}
	if parts[0] != "" {
		if o.Base, ok = addressRegister(parts[0]); !ok {
			return false
		}
	}
	if len(parts) == 1 {
		return o.Base != ""
	}
	if o.Index, ok = addressRegister(parts[1]); !ok || o.Index == "rsp" {
		return false
	}
	o.Scale = 1
	if len(parts) == 3 {
		switch parts[2] {
		case "1", "2", "4", "8":
			o.Scale = int(parts[2][0] - '0')
		default:
			return false
		}
	}
	return true
}

func addressRegister(text string) (name string, ok bool) {
	name, ok = strings.CutPrefix(text, "%")
	r, known := registers[name]
	return r.Name, ok && known && r.Size == 8
}

// parseDisplacement parses a number, a symbol, or SYMBOL+NUMBER.
func parseDisplacement(text string) (symbol string, value int64, ok bool) {
	if text == "" {
		return "", 0, true
	}
	if value, ok = parseConstant(text); ok {
		return "", value, true
	}
	symbol = text
	if i := strings.LastIndexAny(text, "+-"); i > 0 {
		if value, ok = parseConstant(text[i:]); !ok {
			return "", 0, false
		}
		symbol = text[:i]
	}
	for i := range len(symbol) {
		if !isSymbolByte(symbol[i]) {
			return "", 0, false
		}
	}
	return symbol, value, symbol[0] < '0' || symbol[0] > '9'
}

// isSymbolByte reports whether c may be part of a symbol name, including its version.
func isSymbolByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.$@", c) >= 0
}

// parseConstant parses a number like the assembler. 64-bit numbers may be unsigned.
func parseConstant(text string) (int64, bool) {
	if strings.ContainsRune(text, '_') {
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return n, true
	}
	n, err := strconv.ParseUint(text, 0, 64)
	return int64(n), err == nil
}

// registers holds the integer registers by all their names.
var registers = func() map[string]Register {
	m := make(map[string]Register)
	for _, letter := range []string{"a", "b", "c", "d"} {
		name := "r" + letter + "x"
		m[name] = Register{name, 8, 0}
		m["e"+letter+"x"] = Register{name, 4, 0}
		m[letter+"x"] = Register{name, 2, 0}
		m[letter+"l"] = Register{name, 1, 0}
		m[letter+"h"] = Register{name, 1, 8}
	}
	for _, short := range []string{"si", "di", "bp", "sp"} {
		name := "r" + short
		m[name] = Register{name, 8, 0}
		m["e"+short] = Register{name, 4, 0}
		m[short] = Register{name, 2, 0}
		m[short+"l"] = Register{name, 1, 0}
	}
	for i := 8; i <= 15; i++ {
		name := "r" + strconv.Itoa(i)
		m[name] = Register{name, 8, 0}
		m[name+"d"] = Register{name, 4, 0}
		m[name+"w"] = Register{name, 2, 0}
		m[name+"b"] = Register{name, 1, 0}
	}
	return m
}()

func isVectorRegister(name string) bool {
	for _, prefix := range []string{"xmm", "ymm", "zmm", "mm", "st"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
