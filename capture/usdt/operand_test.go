package usdt

import (
	"strings"
	"testing"
)

func TestUSDTArgument(t *testing.T) {
	reg := func(name string, size, shift int) Operand {
		return Operand{Kind: InRegister, Register: Register{name, size, shift}}
	}
	for _, test := range []struct {
		text string
		want Argument
		err  string // "" none
	}{
		{"8@%rax", Argument{8, false, reg("rax", 8, 0)}, ""},
		{"-4@%edi", Argument{4, true, reg("rdi", 4, 0)}, ""},
		{"-1@%ah", Argument{1, true, reg("rax", 1, 8)}, ""},
		{"2@%r11w", Argument{2, false, reg("r11", 2, 0)}, ""},
		{"1@%sil", Argument{1, false, reg("rsi", 1, 0)}, ""},
		{"4@%bx", Argument{2, false, reg("rbx", 2, 0)}, ""}, // the register holds no more
		{"%rdx", Argument{8, false, reg("rdx", 8, 0)}, ""},
		{"-4@$-17", Argument{4, true, Operand{Value: -17}}, ""},
		{"8@$0xffffffffffffffff", Argument{8, false, Operand{Value: -1}}, ""},
		{"8@(%rsp)", Argument{8, false, Operand{Kind: InMemory, Base: "rsp"}}, ""},
		{"-4@-20(%rbp)", Argument{4, true, Operand{Kind: InMemory, Base: "rbp", Value: -20}}, ""},
		{"8@8(%rax,%rcx,4)", Argument{8, false, Operand{Kind: InMemory, Base: "rax", Index: "rcx", Scale: 4, Value: 8}}, ""},
		{"8@(%rax,%r15)", Argument{8, false, Operand{Kind: InMemory, Base: "rax", Index: "r15", Scale: 1}}, ""},
		{"4@16(,%rbx,8)", Argument{4, false, Operand{Kind: InMemory, Index: "rbx", Scale: 8, Value: 16}}, ""},
		{"4@counter(%rip)", Argument{4, false, Operand{Kind: InMemory, Base: "rip", Symbol: "counter"}}, ""},
		{"4@table+12(%rip)", Argument{4, false, Operand{Kind: InMemory, Base: "rip", Symbol: "table", Value: 12}}, ""},
		{"4@x.0-4(%rip)", Argument{4, false, Operand{Kind: InMemory, Base: "rip", Symbol: "x.0", Value: -4}}, ""},
		{"4@6295620", Argument{4, false, Operand{Kind: InMemory, Value: 6295620}}, ""},

		{"8f@%xmm0", Argument{}, "floating-point"},
		{"-8@%xmm1", Argument{}, "vector register"},
		{"16@%rax", Argument{}, "size"},
		{"3@%rax", Argument{}, "size"},
		{"@%rax", Argument{}, "size"},
		{"8@%rzx", Argument{}, "cannot be read"},
		{"8@%fs:16", Argument{}, "thread-local"},
		{"8@(%eax)", Argument{}, "cannot be read"},
		{"8@(%rax,%rsp)", Argument{}, "cannot be read"},
		{"8@(%rax,%rbx,3)", Argument{}, "cannot be read"},
		{"8@(%rax,%rbx,8,1)", Argument{}, "cannot be read"},
		{"8@(%rax", Argument{}, "cannot be read"},
		{"8@()", Argument{}, "cannot be read"},
		{"8@4(%rip)", Argument{}, "cannot be read"},
		{"8@$x", Argument{}, "cannot be read"},
		{"8@", Argument{}, "cannot be read"},
	} {
		got, err := parseArgument(test.text)
		switch {
		case test.err == "" && (err != nil || got != test.want):
			t.Errorf("%s: got %+v, %v\nwant %+v", test.text, got, err, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: got %+v, error %v, want one with %q", test.text, got, err, test.err)
		}
	}
}
