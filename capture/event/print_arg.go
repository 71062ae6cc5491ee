package event

import (
	"strconv"
	"strings"
)

// String returns the canonical spelling.
func (e *Expr) String() string {
	switch e.Op {
	case OpArg:
		return "arg" + strconv.Itoa(e.Index)
	case OpReturn:
		return "retval"
	case OpDuration:
		return "duration"
	case OpRegister:
		return "%" + e.Name
	case OpStack:
		return "$stack" + strconv.Itoa(e.Index)
	case OpStackPointer:
		return "$stack"
	case OpComm:
		return "$comm"
	case OpConstant:
		return strconv.FormatInt(e.Offset, 10)
	case OpName:
		if reservedName(e.Name) {
			return "args." + e.Name
		}
		return e.Name
	case OpSymbol:
		if e.Name == "" {
			return "@0x" + strconv.FormatUint(uint64(e.Offset), 16)
		}
		s := "@" + e.Name
		if e.Offset != 0 {
			s += signed(e.Offset)
		}
		return s
	case OpDeref:
		s := signed(e.Offset)
		if e.User {
			s = s[:1] + "u" + s[1:]
		}
		return s + "(" + e.Of.String() + ")"
	case OpField:
		if e.Arrow {
			return e.Of.String() + "->" + e.Name
		}
		return e.Of.String() + "." + e.Name
	case OpIndex:
		return e.Of.String() + "[" + strconv.Itoa(e.Index) + "]"
	}
	return "op " + strconv.Itoa(int(e.Op))
}

func signed(n int64) string {
	if n < 0 {
		return strconv.FormatInt(n, 10)
	}
	return "+" + strconv.FormatInt(n, 10)
}

// reservedName reports whether a bare word does not name a variable.
func reservedName(s string) bool {
	switch s {
	case "retval", "duration", "arg", "args":
		return true
	}
	digits, ok := strings.CutPrefix(s, "arg")
	return ok && isNumber(digits)
}

// defaultName returns the name of an argument that is given none: the last word of its
// spelling or, if there is no word, memN, where N is its position among the arguments.
func (e *Expr) defaultName(place int) string {
	switch e.Op {
	case OpComm:
		return "comm"
	case OpStack:
		return "stack" + strconv.Itoa(e.Index)
	case OpStackPointer:
		return "stack"
	case OpName, OpRegister, OpField:
		return e.Name
	case OpSymbol:
		if isIdentifier(e.Name) {
			return e.Name
		}
	case OpIndex:
		return e.Of.defaultName(place)
	case OpArg, OpReturn, OpDuration:
		return e.String()
	}
	return "mem" + strconv.Itoa(place)
}

// String returns the canonical spelling, "" for the default type.
func (t *Type) String() string {
	s := ""
	switch t.Kind {
	case TypeDefault:
	case TypeBits:
		s = "b" + strconv.Itoa(int(t.Bits)) + "@" + strconv.Itoa(int(t.BitOffset)) + "/" + strconv.Itoa(8*int(t.Size))
	case TypeBytes:
		s = "bytes:" + t.Length.String()
	case TypeString:
		s = "string"
	default:
		for _, known := range typeSpellings {
			if known.Kind == t.Kind && known.Size == t.Size {
				s = known.name
			}
		}
	}
	if t.Count > 0 {
		s += "[" + strconv.Itoa(int(t.Count)) + "]"
	}
	if !t.User {
		return s
	}
	if t.Kind == TypeString {
		return "u" + s
	}
	return s + "@user"
}
