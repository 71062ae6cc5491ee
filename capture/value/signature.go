package value

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/layout"
)

// A Signature is the parameters and the result of a function in BTF.
type Signature struct {
	params []parameter
	result btf.Type // nil if the function returns nothing
	slots  int      // 8-byte slots of the context of a tracing program that the parameters take
}

type parameter struct {
	name string
	typ  btf.Type
	slot int // of the context
}

// newSignature returns the signature of a function type.
func newSignature(proto *btf.FuncProto) *Signature {
	s := new(Signature)
	for _, p := range proto.Params {
		if _, variadic := p.Type.(*btf.Void); variadic {
			break
		}
		s.params = append(s.params, parameter{p.Name, p.Type, s.slots})
		size, err := btf.Sizeof(p.Type)
		if err != nil || size < 1 {
			size = 8
		}
		// Structures of up to 16 bytes take two slots: get_ctx_arg_idx in kernel/bpf/btf.c.
		s.slots += (size + 7) / 8
	}
	if _, void := btf.UnderlyingType(proto.Return).(*btf.Void); !void {
		s.result = proto.Return
	}
	return s
}

// inContext returns the scope where the arguments are words of the context: at raw
// tracepoints, fentry and fexit. For fexit the result follows them.
func (s *Signature) inContext(ev *event.Event) *Scope {
	sc := &Scope{ev: ev, space: layout.KernelMemory, typed: true}
	for i := range s.params {
		p := &s.params[i]
		t := btfType(p.typ)
		words := make([]uint8, 0, 2)
		for w := p.slot; w < p.slot+max((t.size+7)/8, 1) && w <= maxContextWord && len(words) < 2; w++ {
			words = append(words, uint8(w))
		}
		param := param{name: p.name}
		if len(words) == 0 {
			param.err = fmt.Errorf("cannot be read: it follows %d slots of arguments", maxContextWord)
		} else {
			param.at = inRegister(t, layout.KernelMemory, words...)
		}
		sc.params = append(sc.params, param)
	}
	sc.count = len(sc.params)
	if ev.Syntax.AtReturn() {
		sc.result = func() (location, error) {
			switch {
			case s.result == nil:
				return location{}, errNoResult
			case s.slots > maxContextWord:
				return location{}, fmt.Errorf("cannot be read: it follows %d slots of arguments", maxContextWord)
			}
			return inRegister(resultType(s.result), layout.KernelMemory, uint8(s.slots)), nil
		}
	}
	return sc
}

var errNoResult = errors.New("has no value: the function returns nothing")

// resultType converts the result type of a kernel function. Signed numbers, which may be
// errors, get the names of errors.
func resultType(t btf.Type) *valueType {
	v := btfType(t)
	if v.kind == kindInteger && v.signed && v.size >= 4 {
		v.names = errnoNames
	}
	return v
}

// types returns the types of the parameters.
func (s *Signature) types() []*valueType {
	types := make([]*valueType, len(s.params))
	for i := range s.params {
		types[i] = btfType(s.params[i].typ)
	}
	return types
}

// Fields returns a function's parameters by name, for listings.
func (s *Signature) Fields(atReturn bool) []layout.Field {
	var fields []layout.Field
	params := make([]param, len(s.params))
	for i := range s.params {
		params[i].name = s.params[i].name
		fields = append(fields, shownField(paramName(params, i), btfType(s.params[i].typ)))
	}
	if atReturn && s.result != nil {
		fields = append(fields, shownField("retval", btfType(s.result)))
	}
	return fields
}

// shownField describes a value for listings.
func shownField(name string, t *valueType) layout.Field {
	f := layout.Field{Name: name, Type: t.fieldType(), Size: 8, Count: 1, CType: t.name}
	if t.scalar() {
		f.Size = uint16(t.size)
	}
	return f
}
