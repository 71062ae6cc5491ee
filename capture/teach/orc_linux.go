package teach

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/unwind"
	"trapline/internal/kallsyms"
)

// maxORC limits the entries of a table. A typical kernel has 500,000.
const maxORC = 8 << 20

// ReadORC reads the unwind tables of the running kernel and its modules, about 5 MB. It
// fails on kernels built with frame pointers, before Linux 5.14, under
// lockdown=confidentiality, or with hidden addresses. Kernel stacks then come from
// bpf_get_stack alone.
func ReadORC(symbols *kallsyms.Symbols) (*unwind.ORC, error) {
	addresses, ok := symbols.Section("orc_unwind_ip")
	entries, ok2 := symbols.Section("orc_unwind")
	if !ok || !ok2 {
		return nil, errors.New("the kernel has no ORC tables (CONFIG_UNWINDER_ORC), or /proc/kallsyms does not say where (CONFIG_KALLSYMS_ALL)")
	}
	types, err := readORCTypes()
	if err != nil {
		return nil, err
	}
	if addresses.Stop-addresses.Start > 4*maxORC || entries.Stop-entries.Start > 6*maxORC {
		return nil, fmt.Errorf("the kernel's ORC tables have more than %d entries", maxORC)
	}
	memory, err := openKernelMemory()
	if err != nil {
		return nil, err
	}
	defer memory.close()
	orc := unwind.NewORC(types.layout)
	ip, err := memory.read(addresses.Start, addresses.Stop-addresses.Start)
	if err != nil {
		return nil, err
	}
	b, err := memory.read(entries.Start, entries.Stop-entries.Start)
	if err != nil {
		return nil, err
	}
	if err := orc.Add(ip, addresses.Start, b); err != nil {
		return nil, err
	}
	for _, module := range loadedModules() {
		// The module may be unloaded at any time.
		if ip, address, b, err := types.readModule(memory, module); err == nil && len(ip) > 0 {
			orc.Add(ip, address, b) // the code of a module with a damaged table has no rules
		}
	}
	return orc, nil
}

// loadedModules returns the address of the struct module of each loaded module.
func loadedModules() []uint64 {
	paths, _ := filepath.Glob("/sys/module/*/sections/.gnu.linkonce.this_module")
	var modules []uint64
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if address, err := strconv.ParseUint(strings.TrimSpace(string(b)), 0, 64); err == nil && address != 0 {
			modules = append(modules, address)
		}
	}
	return modules
}

// orcTypes describes the kernel's unwind tables, from its BTF.
type orcTypes struct {
	layout unwind.ORCLayout
	// Offsets in bytes: of the member arch in struct module and, in struct
	// mod_arch_specific, of the number of entries and the pointers to both tables. size
	// is that of struct mod_arch_specific; 0 means that modules have no tables.
	arch, size                uint32
	count, addresses, entries uint32
}

func readORCTypes() (orcTypes, error) {
	var t orcTypes
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return t, fmt.Errorf("read the kernel's type information for its ORC tables: %w", err)
	}
	var entry *btf.Struct
	if err := spec.TypeByName("orc_entry", &entry); err != nil {
		return t, fmt.Errorf("the kernel's type information has no ORC tables (CONFIG_UNWINDER_ORC): %w", err)
	}
	kind, _ := member(entry, "type")
	_, signal := member(entry, "signal")
	_, end := member(entry, "end")
	switch {
	case entry.Size == 6 && kind.BitfieldSize == 3 && signal && !end:
		t.layout = unwind.ORCWithSignal
	case entry.Size == 6 && kind.BitfieldSize == 2 && signal && end:
		t.layout = unwind.ORCWithSignalAndEnd
	case entry.Size == 6 && kind.BitfieldSize == 2 && end:
		t.layout = unwind.ORCWithEnd
	default:
		return t, errors.New("the kernel's ORC tables have an unknown layout (struct orc_entry)")
	}
	var module *btf.Struct
	if err := spec.TypeByName("module", &module); err != nil {
		return t, nil
	}
	arch, ok := member(module, "arch")
	specific, ok2 := btf.UnderlyingType(arch.Type).(*btf.Struct)
	if !ok || !ok2 {
		return t, nil
	}
	count, ok1 := member(specific, "num_orcs")
	addresses, ok2 := member(specific, "orc_unwind_ip")
	entries, ok3 := member(specific, "orc_unwind")
	if ok1 && ok2 && ok3 {
		t.arch, t.size = arch.Offset.Bytes(), specific.Size
		t.count, t.addresses, t.entries = count.Offset.Bytes(), addresses.Offset.Bytes(), entries.Offset.Bytes()
	}
	return t, nil
}

func member(s *btf.Struct, name string) (btf.Member, bool) {
	for _, m := range s.Members {
		if m.Name == name {
			return m, true
		}
	}
	return btf.Member{}, false
}

// readModule reads the tables of a module. address is that of the first table.
func (t *orcTypes) readModule(memory *kernelMemory, module uint64) (ip []byte, address uint64, entries []byte, err error) {
	if t.size == 0 {
		return nil, 0, nil, nil
	}
	arch, err := memory.read(module+uint64(t.arch), uint64(t.size))
	if err != nil {
		return nil, 0, nil, err
	}
	count := uint64(binary.LittleEndian.Uint32(arch[t.count:]))
	address = binary.LittleEndian.Uint64(arch[t.addresses:])
	if count > maxORC {
		return nil, 0, nil, fmt.Errorf("module with %d ORC entries", count)
	}
	if ip, err = memory.read(address, 4*count); err != nil {
		return nil, 0, nil, err
	}
	entries, err = memory.read(binary.LittleEndian.Uint64(arch[t.entries:]), 6*count)
	return ip, address, entries, err
}
