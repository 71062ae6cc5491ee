package probe

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestSDTArgument(t *testing.T) {
	reg := func(name string, size, shift int) operand {
		return operand{kind: operandRegister, register: register{name, size, shift}}
	}
	for _, test := range []struct {
		text string
		want sdtArgument
		err  string // "" none
	}{
		{"8@%rax", sdtArgument{8, false, reg("rax", 8, 0)}, ""},
		{"-4@%edi", sdtArgument{4, true, reg("rdi", 4, 0)}, ""},
		{"-1@%ah", sdtArgument{1, true, reg("rax", 1, 8)}, ""},
		{"2@%r11w", sdtArgument{2, false, reg("r11", 2, 0)}, ""},
		{"1@%sil", sdtArgument{1, false, reg("rsi", 1, 0)}, ""},
		{"4@%bx", sdtArgument{2, false, reg("rbx", 2, 0)}, ""}, // no more of it is the argument's
		{"%rdx", sdtArgument{8, false, reg("rdx", 8, 0)}, ""},
		{"-4@$-17", sdtArgument{4, true, operand{value: -17}}, ""},
		{"8@$0xffffffffffffffff", sdtArgument{8, false, operand{value: -1}}, ""},
		{"8@(%rsp)", sdtArgument{8, false, operand{kind: operandMemory, base: "rsp"}}, ""},
		{"-4@-20(%rbp)", sdtArgument{4, true, operand{kind: operandMemory, base: "rbp", value: -20}}, ""},
		{"8@8(%rax,%rcx,4)", sdtArgument{8, false, operand{kind: operandMemory, base: "rax", index: "rcx", scale: 4, value: 8}}, ""},
		{"8@(%rax,%r15)", sdtArgument{8, false, operand{kind: operandMemory, base: "rax", index: "r15", scale: 1}}, ""},
		{"4@16(,%rbx,8)", sdtArgument{4, false, operand{kind: operandMemory, index: "rbx", scale: 8, value: 16}}, ""},
		{"4@counter(%rip)", sdtArgument{4, false, operand{kind: operandMemory, base: "rip", symbol: "counter"}}, ""},
		{"4@table+12(%rip)", sdtArgument{4, false, operand{kind: operandMemory, base: "rip", symbol: "table", value: 12}}, ""},
		{"4@x.0-4(%rip)", sdtArgument{4, false, operand{kind: operandMemory, base: "rip", symbol: "x.0", value: -4}}, ""},
		{"4@6295620", sdtArgument{4, false, operand{kind: operandMemory, value: 6295620}}, ""},

		{"8f@%xmm0", sdtArgument{}, "floating-point"},
		{"-8@%xmm1", sdtArgument{}, "vector register"},
		{"16@%rax", sdtArgument{}, "size"},
		{"3@%rax", sdtArgument{}, "size"},
		{"@%rax", sdtArgument{}, "size"},
		{"8@%rzx", sdtArgument{}, "cannot be read"},
		{"8@%fs:16", sdtArgument{}, "thread-local"},
		{"8@(%eax)", sdtArgument{}, "cannot be read"},
		{"8@(%rax,%rsp)", sdtArgument{}, "cannot be read"},
		{"8@(%rax,%rbx,3)", sdtArgument{}, "cannot be read"},
		{"8@(%rax,%rbx,8,1)", sdtArgument{}, "cannot be read"},
		{"8@(%rax", sdtArgument{}, "cannot be read"},
		{"8@()", sdtArgument{}, "cannot be read"},
		{"8@4(%rip)", sdtArgument{}, "cannot be read"},
		{"8@$x", sdtArgument{}, "cannot be read"},
		{"8@", sdtArgument{}, "cannot be read"},
	} {
		got, err := parseSDTArgument(test.text)
		switch {
		case test.err == "" && (err != nil || got != test.want):
			t.Errorf("%s: got %+v, %v\nwant %+v", test.text, got, err, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: got %+v, error %v, want one with %q", test.text, got, err, test.err)
		}
	}
}

// What is read of hostile operands stays within what a program can be asked for.
func FuzzSDTArguments(f *testing.F) {
	for _, seed := range []string{"8@%rax -4@-20(%rbp)", "1@%ah 4@table+12(%rip) 8@(%rax,%rcx,8)", "8f@%xmm0 -8@$-1", "8@%fs:0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args, errs := parseSDTArguments(text)
		if len(args) > maxSDTArguments || len(args) != len(errs) {
			t.Fatalf("%d arguments, %d errors", len(args), len(errs))
		}
		for i, a := range args {
			if errs[i] != nil {
				continue
			}
			fetch, err := a.fetch(0x1000, func(string) (uint64, bool) { return 0x2000, true })
			if err != nil {
				continue
			}
			if fetch.Word > maxContextWord || fetch.Index > maxContextWord || fetch.Scale > 3 || fetch.Left > 63 || fetch.Right > 63 {
				t.Fatalf("%q: %+v", text, fetch)
			}
		}
	})
}

// sdtNoteBytes writes a note as sys/sdt.h does.
func sdtNoteBytes(n sdtNote) []byte {
	pad := func(b []byte) []byte {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}
	var desc []byte
	for _, v := range []uint64{n.address, n.base, n.semaphore} {
		desc = binary.LittleEndian.AppendUint64(desc, v)
	}
	desc = append(desc, n.provider+"\x00"+n.name+"\x00"+n.arguments+"\x00"...)
	owner := sdtOwner + "\x00"
	var b []byte
	for _, v := range []uint32{uint32(len(owner)), uint32(len(desc)), sdtType} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(pad(append(b, owner...)), pad(desc)...)
}

func FuzzSDTNotes(f *testing.F) {
	want := sdtNote{provider: "p", name: "n", arguments: "8@%rax", address: 0x1234, base: 0x2000, semaphore: 0x3000}
	two := append(sdtNoteBytes(want), sdtNoteBytes(want)...)
	f.Add(two)
	f.Add(two[:len(two)-9])
	notes, err := parseSDTNotes(two, binary.LittleEndian, 8)
	if err != nil || len(notes) != 2 || notes[1] != want {
		f.Fatalf("got %+v, %v", notes, err)
	}
	if notes, err := parseSDTNotes(two[:len(two)-9], binary.LittleEndian, 8); err == nil || len(notes) != 1 {
		f.Fatalf("cut notes: got %+v, %v", notes, err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, size := range []int{4, 8} {
			notes, _ := parseSDTNotes(b, binary.LittleEndian, size)
			for _, n := range notes {
				if n.provider == "" || n.name == "" || !isSDTText([]byte(n.provider+n.name+n.arguments)) {
					t.Fatalf("%+v", n)
				}
			}
		}
	})
}
