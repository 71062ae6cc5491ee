package probe

import (
	"os"
	"strconv"

	"github.com/cilium/ebpf/btf"

	"trapline/format"
)

// A signature is a function's parameters and result as BTF has them.
type signature struct {
	params []parameter
	result btf.Type // nil: returns nothing
	slots  int      // 8-byte slots of a tracing program's context that the parameters take
}

type parameter struct {
	name string
	typ  btf.Type
	slot int // of the context
}

func newSignature(proto *btf.FuncProto) *signature {
	s := new(signature)
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

// btfField says how a value of a type is decoded from an 8-byte slot. Structures have
// no type of their own: their first bytes are shown.
func btfField(name string, t btf.Type) Field {
	f := Field{Name: name, Type: format.FieldHex, Size: 8, Count: 1}
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Pointer:
		f.Type = format.FieldPointer
	case *btf.Int:
		switch t.Size {
		case 1, 2, 4, 8:
			f.Size = uint16(t.Size)
		}
		switch {
		case t.Encoding&btf.Bool != 0:
			f.Type = format.FieldBool
		case t.Encoding&btf.Signed != 0:
			f.Type = format.FieldInt
		default:
			f.Type = format.FieldUint
		}
	case *btf.Enum:
		f.Type = format.FieldUint
		if t.Signed {
			f.Type = format.FieldInt
		}
		if t.Size == 4 || t.Size == 8 || t.Size == 1 || t.Size == 2 {
			f.Size = uint16(t.Size)
		}
	}
	return f
}

// fields lists a function's parameters by name, for people to read.
func (s *signature) fields(atReturn bool) []Field {
	var fields []Field
	for i, p := range s.params {
		fields = append(fields, btfField(p.displayName(i), p.typ))
	}
	if atReturn && s.result != nil {
		fields = append(fields, btfField("retval", s.result))
	}
	return fields
}

func (p *parameter) displayName(i int) string {
	if p.name == "" {
		return "arg" + strconv.Itoa(i)
	}
	return p.name
}

// functionSignature finds a kernel function's types; nil when BTF does not have it.
func (r *Resolver) functionSignature(module, name string) *signature {
	spec := r.btf(module)
	if spec == nil {
		return nil
	}
	var f *btf.Func
	if err := spec.TypeByName(name, &f); err != nil {
		return nil
	}
	if proto, ok := f.Type.(*btf.FuncProto); ok {
		return newSignature(proto)
	}
	return nil
}

// btf returns the types of the kernel or of a module, nil when there are none.
func (r *Resolver) btf(module string) *btf.Spec {
	if module == "" || r.opt.BTF == nil {
		return r.opt.BTF
	}
	if spec, known := r.modules[module]; known {
		return spec
	}
	r.modules[module] = nil
	f, err := os.Open(r.path("/sys/kernel/btf/" + module)) // 5.11
	if err != nil {
		return nil
	}
	defer f.Close()
	if spec, err := btf.LoadSplitSpecFromReader(f, r.opt.BTF); err == nil {
		r.modules[module] = spec
	}
	return r.modules[module]
}
