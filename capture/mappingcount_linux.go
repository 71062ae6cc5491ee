package capture

import (
	"slices"

	"github.com/cilium/ebpf/btf"

	"trapline/bpf"
)

// mappingTracepoint is where Linux 6.1, and some versions after it, store a mapping.
const mappingTracepoint = "vma_store"

// mappingCounter attaches the program that counts the changes of address spaces.
func (p *programs) mappingCounter() (*attachment, error) {
	return p.attachTracing("counting changes of mappings", map[string]string{bpf.HooksProgOnMapping: mappingTracepoint})
}

// mappingsUncounted reports whether the kernel does not count the changes of address
// spaces (mm_lock_seq, of the locks of single mappings), but has a tracepoint at them.
func mappingsUncounted() bool {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return false
	}
	var mm *btf.Struct
	if spec.TypeByName("mm_struct", &mm) != nil || hasMember(mm.Members, "mm_lock_seq") {
		return false
	}
	_, err = spec.AnyTypeByName("btf_trace_" + mappingTracepoint)
	return err == nil
}

// hasMember looks into members without a name, too.
func hasMember(members []btf.Member, name string) bool {
	return slices.ContainsFunc(members, func(m btf.Member) bool {
		switch t := m.Type.(type) {
		case *btf.Struct:
			return m.Name == name || m.Name == "" && hasMember(t.Members, name)
		case *btf.Union:
			return m.Name == name || m.Name == "" && hasMember(t.Members, name)
		}
		return m.Name == name
	})
}
