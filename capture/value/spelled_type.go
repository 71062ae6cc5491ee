package value

import (
	"strings"

	"github.com/cilium/ebpf/btf"
)

// spelledType returns a kernel type by its spelling in C, such as const struct sockaddr
// *. A type that BTF does not have becomes void.
func spelledType(types *btf.Spec, name string) *valueType {
	bare := unqualified(name)
	if to, ok := strings.CutSuffix(bare, "*"); ok {
		return &valueType{kind: kindPointer, name: name, size: 8, element: func() *valueType { return spelledType(types, to) }}
	}
	if t := typeNamed(types, bare); t != nil {
		return btfType(t)
	}
	return &valueType{kind: kindVoid, name: bare}
}

// unqualified returns a type without its qualifiers.
func unqualified(name string) string {
	for {
		before := name
		name = strings.TrimSpace(name)
		for _, q := range []string{"const", "volatile", "restrict", "__user"} {
			name = strings.TrimPrefix(name, q+" ")
			for _, space := range []string{" ", "*"} {
				if rest, ok := strings.CutSuffix(name, space+q); ok {
					name = rest + space
				}
			}
		}
		if name == before {
			return name
		}
	}
}

// typeNamed returns a kernel type by name, or nil if there is none or more than one.
func typeNamed(spec *btf.Spec, name string) btf.Type {
	if spec == nil {
		return nil
	}
	if tag, ok := strings.CutPrefix(name, "struct "); ok {
		var t *btf.Struct
		if spec.TypeByName(tag, &t) != nil {
			return nil
		}
		return t
	}
	if tag, ok := strings.CutPrefix(name, "union "); ok {
		var t *btf.Union
		if spec.TypeByName(tag, &t) != nil {
			return nil
		}
		return t
	}
	types, err := spec.AnyTypesByName(name)
	if err != nil {
		return nil
	}
	for _, t := range types {
		switch t.(type) {
		case *btf.Int, *btf.Typedef:
			return t
		}
	}
	return nil
}
