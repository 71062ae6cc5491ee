package value_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/capture/value"
	"trapline/format"
	"trapline/internal/testenv"
)

// kernelTypes builds the BTF of a kernel with
//
//	struct disk { int id; unsigned flags : 3, state : 5; };
//	struct request { struct disk *disk; char name[16]; __be16 port; };
//	struct pair { long a, b; };
//	struct task_struct { long state; char comm[16]; };
//	int submit(struct request *rq, unsigned n, struct pair p)
func kernelTypes(t *testing.T) *btf.Spec {
	t.Helper()
	char := &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	unsigned := &btf.Int{Name: "unsigned int", Size: 4}
	long := &btf.Int{Name: "long", Size: 8, Encoding: btf.Signed}
	be16 := &btf.Typedef{Name: "__be16", Type: &btf.Int{Name: "unsigned short", Size: 2}}
	text := &btf.Array{Index: integer, Type: char, Nelems: 16}
	disk := &btf.Struct{Name: "disk", Size: 8, Members: []btf.Member{{Name: "id", Type: integer},
		{Name: "flags", Type: unsigned, Offset: 32, BitfieldSize: 3}, {Name: "state", Type: unsigned, Offset: 35, BitfieldSize: 5}}}
	request := &btf.Struct{Name: "request", Size: 32, Members: []btf.Member{{Name: "disk", Type: &btf.Pointer{Target: disk}},
		{Name: "name", Type: text, Offset: 64}, {Name: "port", Type: be16, Offset: 192}}}
	pair := &btf.Struct{Name: "pair", Size: 16, Members: []btf.Member{{Name: "a", Type: long}, {Name: "b", Type: long, Offset: 64}}}
	submit := &btf.Func{Name: "submit", Linkage: btf.GlobalFunc, Type: &btf.FuncProto{Return: integer, Params: []btf.FuncParam{
		{Name: "rq", Type: &btf.Pointer{Target: request}}, {Name: "n", Type: unsigned}, {Name: "p", Type: pair}}}}
	task := &btf.Struct{Name: "task_struct", Size: 24, Members: []btf.Member{{Name: "state", Type: long}, {Name: "comm", Type: text, Offset: 64}}}
	builder, err := btf.NewBuilder([]btf.Type{submit, task}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// scope returns the scope of an event at the function submit, and the kernel.
func scope(t *testing.T, text string) *value.Scope {
	t.Helper()
	events, err := probe.Parse(event.Context{}, text)
	if err != nil {
		t.Fatal(err)
	}
	ev := &events[0]
	k := &value.Kernel{Types: kernelTypes(t), Symbol: func(name string) (uint64, error) {
		if name == "jiffies" {
			return 0xffffffff82000000, nil
		}
		return 0, errors.New("is not a symbol of the kernel")
	}}
	if ev.Syntax.Registers {
		return k.AtKprobe(ev, "")
	}
	return k.AtTracing(ev, k.Function("", "submit"), "submit")
}

var fieldTypes = map[format.FieldType]string{format.FieldUint: "u", format.FieldInt: "s", format.FieldHex: "x",
	format.FieldPointer: "p", format.FieldString: "string", format.FieldBytes: "bytes", format.FieldChar: "c"}

// describe writes a record's values: NAME:TYPE = FETCH.
func describe(r *layout.Record) string {
	var values []string
	field := 0
	for i := range r.Fetch {
		if r.Fetch[i].Hidden {
			values = append(values, r.Fetch[i].String())
			continue
		}
		f := r.Fields[field]
		values = append(values, fmt.Sprintf("%s:%s%d = %s", f.Name, fieldTypes[f.Type], f.Size, &r.Fetch[i]))
		field++
	}
	return strings.Join(values, "; ")
}

// TestKernelArguments checks what is fetched at a kernel function. The context of a
// tracing program holds the arguments: the pointer is word 0, the structure words 2 and
// 3, and fexit has the result next. The context of a kprobe is struct pt_regs, where rdi,
// rsi and rsp are the words 14, 13 and 19.
func TestKernelArguments(t *testing.T) {
	for text, want := range map[string]string{
		"f:submit":                          "rq:p8 = ctx[0]; n:u4 = ctx[1] << 32 >> 32; p.a:s8 = ctx[2]; p.b:s8 = ctx[3]",
		"f:submit rq->disk->id":             "id:s4 = k4(k8(ctx[0])) << 32 >> 32",
		"f:submit rq->disk->state":          "state:u4 = k4(k8(ctx[0])+4) << 56 >> 59",
		"f:submit rq->port":                 "port:u2 = k2(ctx[0]+24) swapped >> 48",
		"f:submit rq->name":                 "name:string4 = k-text(ctx[0]+8) up to 16",
		"f:submit arg0:bytes:n [str=64]":    "ctx[1] << 32 >> 32; arg0:bytes4 = k-bytes(ctx[0]) as many as value 0 up to 64",
		"f:submit @jiffies:u32 comm=$comm":  "jiffies:u4 = k4(+0xffffffff82000000); comm:string4 = k-text(task+8) up to 16",
		"fr:submit retval":                  "retval:s4 = ctx[4] << 32 >> 32",
		"k:submit arg1 %di:string $stack2":  "arg1:u4 = ctx[13] << 32 >> 32; di:string4 = k-text(ctx[14]) up to 256; stack2:x8 = k8(ctx[19]+16)",
		"k:submit +8(+u16(%si)):x16":        "mem1:x2 = u2(u8(ctx[13]+16)+8)",
		"kr:submit retval:errno":            "retval:s8 = ctx[10] << 32 >> 32",
		"f:submit /rq->disk->id == 3/ n":    "n:u4 = ctx[1] << 32 >> 32; rq->disk->id:s4 = k4(k8(ctx[0])) << 32 >> 32",
		"f:submit /n > 1 && pid != comm/ n": "n:u4 = ctx[1] << 32 >> 32",
	} {
		if strings.HasPrefix(text, "k") && runtime.GOARCH != "amd64" {
			continue // other machines have other registers
		}
		var r layout.Record
		err := scope(t, text).Fetch(&r)
		if got := describe(&r); err != nil || got != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", text, err, got, want)
		}
	}
}

func TestKernelArgumentErrors(t *testing.T) {
	for text, want := range map[string]string{
		"f:submit arg3":          "arg3 does not exist: there are 3 arguments",
		"f:submit rq->disc":      "struct request has no field disc (it has disk)",
		"f:submit n->x":          "n is unsigned int, which has no fields",
		"f:submit rq->name[16]":  "rq->name char[16] has no element 16",
		"f:submit q":             "q is not an argument here: there are rq, n, p",
		"f:submit @nothing":      "@nothing is not a symbol of the kernel",
		"f:submit rq:string[2]":  "arrays of string[2] cannot be recorded",
		"f:submit n:enum":        "n is not of an enumeration",
		"k:submit %foo":          "%foo is not a register",
		"f:submit rq->disk:enum": "rq->disk is not of an enumeration",
	} {
		var invalid *event.InvalidError
		err := scope(t, text).Fetch(new(layout.Record))
		if !errors.As(err, &invalid) || invalid.Event != text || !strings.Contains(invalid.Reason, want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

// A variant that nothing is known about returns its result where every function does.
func TestElsewhere(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		testenv.Missing(t, "an x86-64 machine")
	}
	for text, want := range map[string]string{"k:submit arg0": "u8(+0x0)", "kr:submit retval": "ctx[10]"} {
		var r layout.Record
		if err := scope(t, text).Fetch(&r); err != nil {
			t.Fatal(err)
		}
		at := value.Elsewhere(&r, strings.HasPrefix(text, "kr"))
		if got := at[0].String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
