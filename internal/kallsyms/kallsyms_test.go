package kallsyms_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"trapline/internal/kallsyms"
	"trapline/internal/testenv"
)

// Modules come after the core, whatever their addresses. Some symbols are not code.
const sample = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81000000 T _stext
ffffffff81000100 t __pfx_vfs_read
ffffffff81000110 T vfs_read
ffffffff81000110 t vfs_read_local_alias
ffffffff81000110 W weak_vfs_read_that_is_long
ffffffff81000200 t dup
ffffffff81000300 t dup
ffffffff81000410 T last_of_core
ffffffff82000000 D jiffies
ffffffff82000100 R __start_orc_unwind
ffffffff82000160 R __stop_orc_unwind
ffffffff82000160 R __stop_without_start
ffffffffc0a02000 t ext4_read	[ext4]
ffffffffc0a01010 t ext4_open	[ext4]
ffffffffc0a01000 t init_of_ext4	[ext4]
ffffffffc0a03000 d ext4_data	[ext4]
ffffffffc0b00000 t bpf_prog_6deef7357e7b4530_sd_fw_ingress	[bpf]
ffffffffc0b00080 t bpf_trampoline_6442520481	[bpf]
`

func TestKallsyms(t *testing.T) {
	k, err := kallsyms.Read(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	none := kallsyms.Address{}
	ingress := "bpf_prog_6deef7357e7b4530_sd_fw_ingress"
	for addr, want := range map[uint64]kallsyms.Address{
		0:                  none,
		0x401000:           none,
		0xffffffff80ffffff: none,
		0xffffffff81000000: {Symbol: "_stext"},
		0xffffffff81000115: {Offset: 0x115, Symbol: "vfs_read", SymbolOffset: 5},
		0xffffffff81000301: {Offset: 0x301, Symbol: "dup", SymbolOffset: 1},
		0xffffffff81001fff: {Offset: 0x1fff, Symbol: "last_of_core", SymbolOffset: 0x1bef},
		0xffffffff81002000: none,
		0xffffffff82000000: none,
		0xffffffffc0a00fff: none,
		0xffffffffc0a01000: {Image: kallsyms.Module, Name: "ext4", Symbol: "init_of_ext4"},
		0xffffffffc0a01018: {Image: kallsyms.Module, Name: "ext4", Offset: 0x18, Symbol: "ext4_open", SymbolOffset: 8},
		0xffffffffc0a02001: {Image: kallsyms.Module, Name: "ext4", Offset: 0x1001, Symbol: "ext4_read", SymbolOffset: 1},
		0xffffffffc0b0007f: {Image: kallsyms.BPF, Name: ingress, Offset: 0x7f, Symbol: ingress, SymbolOffset: 0x7f},
		0xffffffffc0b00081: {Image: kallsyms.BPF, Name: "bpf_trampoline_6442520481", Offset: 1,
			Symbol: "bpf_trampoline_6442520481", SymbolOffset: 1},
		^uint64(0): none,
	} {
		got, ok := k.Resolve(addr)
		if got != want || ok != (want != none) {
			t.Errorf("%#x is %+v, %v, want %+v", addr, got, ok, want)
		}
	}
	for name, want := range map[string][]uint64{
		"vfs_read": {0xffffffff81000110}, "dup": {0xffffffff81000200, 0xffffffff81000300}, "jiffies": {0xffffffff82000000}, "ext4_data": {0xffffffffc0a03000}, "nothing": nil,
	} {
		if got := k.Addresses(name); !slices.Equal(got, want) {
			t.Errorf("%s is at %#x, want %#x", name, got, want)
		}
	}
	if s, ok := k.Section("orc_unwind"); !ok || s != (kallsyms.Section{Start: 0xffffffff82000100, Stop: 0xffffffff82000160}) {
		t.Errorf("section orc_unwind is %+v, %v", s, ok)
	}
	for _, name := range []string{"without_start", "nothing"} {
		if s, ok := k.Section(name); ok {
			t.Errorf("section %s is %+v", name, s)
		}
	}
	var modules []string
	k.Functions(func(name, module string, _ uint64) bool {
		if strings.HasPrefix(name, "ext4") || strings.HasPrefix(name, "last") {
			modules = append(modules, module+":"+name)
		}
		if strings.HasPrefix(name, "bpf_") || name == "jiffies" {
			t.Errorf("%s is listed as a function of the kernel", name)
		}
		return true
	})
	if want := []string{":last_of_core", "ext4:ext4_open", "ext4:ext4_read"}; !slices.Equal(modules, want) {
		t.Errorf("functions are %q, want %q", modules, want)
	}
}

func TestKallsymsRefused(t *testing.T) {
	hidden := "0000000000000000 T _text\n0000000000000000 t ext4_open\t[ext4]\n"
	if _, err := kallsyms.Read(strings.NewReader(hidden)); !errors.Is(err, kallsyms.ErrHidden) {
		t.Errorf("hidden addresses: %v", err)
	}
	for _, text := range []string{"hello\n", "ffffffff81000000 T \n", "ffffffff81000000T x\n", "fffffffff81000000 T x\n"} {
		if _, err := kallsyms.Read(strings.NewReader("ffffffff81000000 T _text\n" + text)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestThisKernel reads /proc/kallsyms of this kernel, as far as this user may see it.
func TestThisKernel(t *testing.T) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		testenv.Unsupported(t, "/proc/kallsyms")
	}
	defer f.Close()
	k, err := kallsyms.Read(f)
	if errors.Is(err, kallsyms.ErrHidden) {
		testenv.Missing(t, "the right to see the kernel's symbols")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vfs_read", "vfs_write"} {
		addrs := k.Addresses(name)
		if len(addrs) != 1 {
			t.Fatalf("%s has %d addresses", name, len(addrs))
		}
		a, ok := k.Resolve(addrs[0] + 4)
		if !ok || a.Image != kallsyms.Core || a.Symbol != name || a.SymbolOffset != 4 {
			t.Errorf("%s+4 is %+v", name, a)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sample), uint64(0xffffffff81000115))
	f.Add([]byte("0000000000000001 t a\t[b]\n"), uint64(1))
	f.Fuzz(func(t *testing.T, text []byte, addr uint64) {
		k, err := kallsyms.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		if a, ok := k.Resolve(addr); ok && (a.Symbol == "" || a.SymbolOffset > a.Offset) {
			t.Errorf("%#x is %+v", addr, a)
		}
		k.Functions(func(name, _ string, addr uint64) bool {
			if a, ok := k.Resolve(addr); ok && a.SymbolOffset != 0 {
				t.Errorf("%s at %#x is %+v", name, addr, a)
			}
			return len(k.Addresses(name)) > 0
		})
	})
}
