package probe_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/internal/kallsyms"
	"trapline/internal/testenv"
)

const kernelSymbols = `ffffffff81000000 T _text
ffffffff81000100 T vfs_read
ffffffff81000100 T alias_of_it
ffffffff81000200 T vfs_write
ffffffff81000280 t helper
ffffffff81000300 t helper
ffffffff81000340 t pair_sum
ffffffff81000340 t undescribed
ffffffff81000380 T nmi_enter
ffffffff810003c0 T shared
ffffffff81000400 T notrace_fn
ffffffff82000000 D jiffies
ffffffff82000040 d twice
ffffffff82000080 d twice
ffffffffc0000000 t ext4_sync_file	[ext4]
ffffffffc0000040 t shared	[ext4]
`

// kernelTypes builds the BTF of a kernel with
//
//	long vfs_read(void *file, char *buf, unsigned long count, bool sync)
//	void pair_sum(struct { long, long } p, int n)
//	unsigned notrace_fn(void)
//
// and a tracepoint demo(void *p, int n).
func kernelTypes(t *testing.T) *btf.Spec {
	t.Helper()
	long := &btf.Int{Name: "long", Size: 8, Encoding: btf.Signed}
	ulong := &btf.Int{Name: "unsigned long", Size: 8}
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	boolean := &btf.Typedef{Name: "bool", Type: &btf.Int{Name: "_Bool", Size: 1, Encoding: btf.Bool}}
	pointer := &btf.Pointer{Target: &btf.Void{}}
	pair := &btf.Struct{Name: "pair", Size: 16, Members: []btf.Member{{Name: "a", Type: long}, {Name: "b", Type: long, Offset: 64}}}
	function := func(name string, result btf.Type, params ...btf.FuncParam) *btf.Func {
		return &btf.Func{Name: name, Type: &btf.FuncProto{Return: result, Params: params}, Linkage: btf.GlobalFunc}
	}
	builder, err := btf.NewBuilder([]btf.Type{
		function("vfs_read", long, btf.FuncParam{Name: "file", Type: pointer}, btf.FuncParam{Name: "buf", Type: pointer},
			btf.FuncParam{Name: "count", Type: ulong}, btf.FuncParam{Name: "sync", Type: boolean}),
		function("pair_sum", &btf.Void{}, btf.FuncParam{Name: "p", Type: pair}, btf.FuncParam{Name: "n", Type: integer}),
		function("alias_of_it", long),
		function("notrace_fn", &btf.Int{Name: "unsigned int", Size: 4}),
		function("__traceiter_demo", integer, btf.FuncParam{Name: "__data", Type: pointer}, btf.FuncParam{Name: "p", Type: pointer}, btf.FuncParam{Name: "n", Type: integer}),
		&btf.Typedef{Name: "btf_trace_demo", Type: &btf.Pointer{Target: &btf.FuncProto{Return: &btf.Void{},
			Params: []btf.FuncParam{{Type: pointer}, {Type: pointer}, {Type: integer}}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// kernel returns options for a machine with or without kprobes.
func kernel(t *testing.T, kprobes bool) probe.Options {
	t.Helper()
	symbols, err := kallsyms.Read(strings.NewReader(kernelSymbols))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sys/bus/event_source/devices/software", "")
	if kprobes {
		write("sys/bus/event_source/devices/kprobe", "")
		write("sys/kernel/debug/kprobes/blacklist", "0xffffffff81000380-0xffffffff810003c0\tnmi_enter\n")
	}
	write("tracing/available_filter_functions", "vfs_read\nvfs_write\nhelper\npair_sum\next4_sync_file [ext4]\n")
	return probe.Options{Symbols: symbols, BTF: kernelTypes(t), Root: root, TraceFS: filepath.Join(root, "tracing")}
}

// Symbols in arguments come from the list that was read once: it is not in Root.
func TestKernelSymbols(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		testenv.Missing(t, "an x86-64 machine")
	}
	opt := kernel(t, true)
	for text, want := range map[string]string{
		"k:vfs_read @jiffies:u64": "",
		"k:vfs_read @vfs_write":   "",
		"k:vfs_read @twice":       "is the name of several symbols",
		"k:vfs_read @nothing":     "is not a symbol of the kernel",
	} {
		events, err := probe.Parse(event.Context{}, text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = probe.NewResolver(opt).Resolve(events[0])
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	opt.Symbols = nil
	events, err := probe.Parse(event.Context{}, "k:vfs_read @jiffies:u64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := probe.NewResolver(opt).Resolve(events[0]); err == nil || !strings.Contains(err.Error(), "hidden") {
		t.Errorf("without symbols: error %v", err)
	}
}

func TestKernelProbes(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		testenv.Unsupported(t, "an x86-64 machine")
	}
	r := probe.NewResolver(kernel(t, true))
	var b strings.Builder
	for _, text := range []string{
		"k:vfs_read+0x10 arg0",
		"k:vfs_read arg0 arg1:ustring n=arg2 sync=arg3",
		"k:vfs_write arg0 arg5:u32",
		"k:pair_sum arg0",
		"kr:vfs_read retval",
		"kr:vfs_write retval",
		"k:ext4:ext4_sync_file",
		"k:0xffffffff81000204 arg0",
		"k:0xffffffffc0000000",
		"k:ext4_sync_file",
		"k:ext4:shared",
		"k:vmlinux:shared",
		"f:undescribed", "f:vfs_read arg3 path=arg1:string",
		"fr:vfs_read arg2 retval",
		"f:pair_sum arg0 arg1",
		"fr:vfs_read at=arg0:symbol",
		"rt:demo",
		"rt:d*o",
		"task-clock",
		"profile:hz:49",
	} {
		probes, err := resolve(t, r, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		b.WriteString("# " + text + "\n" + describeAll(probes))
	}
	compareGolden(t, filepath.Join("testdata", "kernel.golden"), b.String())
}

func TestKernelErrors(t *testing.T) {
	with, without := kernel(t, true), kernel(t, false)
	bare := without
	bare.BTF = nil
	plain := with
	plain.BTF = nil
	var missing *event.NotFoundError
	var invalid *event.InvalidError
	var unsupported *event.UnsupportedError
	for _, test := range []struct {
		opt  probe.Options
		text string
		kind any // for errors.As
		want string
	}{
		{with, "k:vfs_raed", &missing, "k:vfs_raed: no such function in the kernel (nearest: vfs_read)"},
		{with, "k:ext4:vfs_read", &missing, "k:ext4:vfs_read: no such function in module ext4 (nearest: vfs_read)"},
		{with, "k:ext4:ext4_sync_fiel", &missing, "k:ext4:ext4_sync_fiel: no such function in the kernel (nearest: ext4_sync_file)"},
		{with, "k:xfs:x", &missing, "k:xfs:x: module xfs is not loaded"},
		{with, "k:helper", &invalid, "k:helper: several functions have this name, and the kernel cannot tell them apart"},
		{with, "k:0x1000", &missing, "k:0x1000: no function of the kernel is at this address"},
		{with, "k:shared", &invalid, "k:shared: several functions have this name: write MODULE:FUNCTION, with one of ext4, vmlinux"},
		{with, "k:vfs_read+0x100", &invalid, "k:vfs_read+0x100: offset 0x100 is outside the function, which ends before +0x100"},
		{with, "k:vfs_read arg6", &invalid, "k:vfs_read arg6: arg6 does not exist: there are 4 arguments"},
		{with, "k:nmi_enter", &unsupported, "k:nmi_enter: the kernel forbids kprobes in nmi_enter (/sys/kernel/debug/kprobes/blacklist); probe one of its callers"},
		{with, "f:notrace_fn", &unsupported, "f:notrace_fn: the function cannot be traced (notrace); use kprobe:notrace_fn"},
		{with, "fr:vfs_write", &unsupported, "fr:vfs_write: BTF does not describe this function; use kretprobe:vfs_write"},
		{with, "f:vfs_read arg4", &invalid, "f:vfs_read arg4: arg4 does not exist: there are 4 arguments"},
		{with, "fr:pair_sum retval", &invalid, "fr:pair_sum retval: retval has no value: the function returns nothing"},
		{with, "rt:x*", &missing, "rt:x*: no raw tracepoint matches"},
		{with, "rt:dmo", &missing, "rt:dmo: no such raw tracepoint (nearest: demo)"},
		{with, "k:vfs_read " + strings.Repeat("%=arg0 ", 17), &invalid, "at most 16 arguments can be recorded"},
		{without, "kr:vfs_read", &unsupported, "kr:vfs_read: kprobes not available: this kernel was built without CONFIG_KPROBES; use fexit:vfs_read or a tracepoint (record -l lists them)"},
		{without, "u:libc:malloc", &unsupported, "u:libc:malloc: uprobes not available: this kernel was built without CONFIG_UPROBE_EVENTS; use a tracepoint (record -l lists them)"},
		{without, "cycles", &unsupported, "cycles: hardware counters not available: this machine has none, which is common in virtual machines; use cpu-clock"},
		{bare, "k:vfs_read", &unsupported, "k:vfs_read: kprobes not available: this kernel was built without CONFIG_KPROBES; use a tracepoint (record -l lists them)"},
		{bare, "f:vfs_read", &unsupported, "f:vfs_read: fentry not available: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); use a tracepoint (record -l lists them)"},
		{plain, "f:vfs_read", &unsupported, "f:vfs_read: fentry not available: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); use kprobe:vfs_read"},
		{plain, "rt:demo", &unsupported, "rt:demo: raw tracepoints not available: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF), which describes their arguments; use a tracepoint, SYSTEM:demo"},
	} {
		text := test.text
		for i := 0; strings.Contains(text, "%"); i++ {
			text = strings.Replace(text, "%", "a"+string(rune('a'+i)), 1)
		}
		_, err := resolve(t, probe.NewResolver(test.opt), text)
		if err == nil || !errors.As(err, test.kind) || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: got %T %v\nwant %s", text, err, err, test.want)
		}
	}
}

func TestListKernel(t *testing.T) {
	opt := kernel(t, true)
	r := probe.NewResolver(opt)
	for _, test := range []struct{ pattern, want string }{
		{"k:vfs_*", "kprobe:vfs_read kprobe:vfs_write"},
		{"k:ext4:*", "kprobe:ext4:ext4_sync_file kprobe:ext4:shared"},
		{"kretprobe:vfs_r*", "kretprobe:vfs_read"},
		{"k:nmi_enter", ""},
		{"f:*", "fentry:alias_of_it fentry:pair_sum fentry:vfs_read"}, // ftrace lists one name of each
		{"rt:", "rawtracepoint:demo"},
		{"k:~/^vfs_(re|wr)/", "kprobe:vfs_read kprobe:vfs_write"},
		{"read", "kprobe:vfs_read fentry:vfs_read"},
		{"{cs,*faults}", "alignment-faults emulation-faults major-faults minor-faults page-faults"},
	} {
		var got []string
		err := r.List(test.pattern, false, func(l probe.Listing) bool {
			got = append(got, l.Name)
			return true
		})
		// This kernel's tracepoints cannot be read.
		if err != nil && !errors.Is(err, os.ErrNotExist) || strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %q, %v; want %s", test.pattern, got, err, test.want)
		}
	}
	err := r.List("fexit:vfs_read", true, func(l probe.Listing) bool {
		var names []string
		for _, f := range l.Fields {
			names = append(names, f.Name+" "+typeNames[f.Type])
		}
		if got := strings.Join(names, ", "); got != "file pointer, buf pointer, count uint, sync bool, retval int" {
			t.Errorf("%s: got %s", l.Name, got)
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
	n := 0
	if err := r.List("k:", false, func(probe.Listing) bool { n++; return n < 2 }); err != nil || n != 2 {
		t.Errorf("stopping early: %d names, %v", n, err)
	}
	err = probe.NewResolver(kernel(t, false)).List("k:", false, func(l probe.Listing) bool { t.Error(l); return true })
	var unsupported *event.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Errorf("kprobes on a kernel without: got %v", err)
	}
}

// A kernel with all its modules has about 200,000 functions.
func BenchmarkListKernel(b *testing.B) {
	var text strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&text, "%016x t function_%d\n", uint64(0xffffffff81000000)+uint64(i)*64, i)
	}
	symbols, err := kallsyms.Read(strings.NewReader(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		r := probe.NewResolver(probe.Options{Symbols: symbols, Root: "/nonexistent"})
		if err := r.List("k:", true, func(probe.Listing) bool { n++; return true }); err != nil || n != 200_000 {
			b.Fatal(n, err)
		}
	}
}
