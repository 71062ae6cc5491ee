package value

import (
	"strings"
	"testing"
)

func TestUSDTArgument(t *testing.T) {
	reg := func(name string, size, shift int) operand {
		return operand{kind: operandRegister, register: register{name, size, shift}}
	}
	for _, test := range []struct {
		text string
		want usdtArgument
		err  string // "" none
	}{
		{"8@%rax", usdtArgument{8, false, reg("rax", 8, 0)}, ""},
		{"-4@%edi", usdtArgument{4, true, reg("rdi", 4, 0)}, ""},
		{"-1@%ah", usdtArgument{1, true, reg("rax", 1, 8)}, ""},
		{"2@%r11w", usdtArgument{2, false, reg("r11", 2, 0)}, ""},
		{"1@%sil", usdtArgument{1, false, reg("rsi", 1, 0)}, ""},
		{"4@%bx", usdtArgument{2, false, reg("rbx", 2, 0)}, ""}, // no more of it is the argument's
		{"%rdx", usdtArgument{8, false, reg("rdx", 8, 0)}, ""},
		{"-4@$-17", usdtArgument{4, true, operand{value: -17}}, ""},
		{"8@$0xffffffffffffffff", usdtArgument{8, false, operand{value: -1}}, ""},
		{"8@(%rsp)", usdtArgument{8, false, operand{kind: operandMemory, base: "rsp"}}, ""},
		{"-4@-20(%rbp)", usdtArgument{4, true, operand{kind: operandMemory, base: "rbp", value: -20}}, ""},
		{"8@8(%rax,%rcx,4)", usdtArgument{8, false, operand{kind: operandMemory, base: "rax", index: "rcx", scale: 4, value: 8}}, ""},
		{"8@(%rax,%r15)", usdtArgument{8, false, operand{kind: operandMemory, base: "rax", index: "r15", scale: 1}}, ""},
		{"4@16(,%rbx,8)", usdtArgument{4, false, operand{kind: operandMemory, index: "rbx", scale: 8, value: 16}}, ""},
		{"4@counter(%rip)", usdtArgument{4, false, operand{kind: operandMemory, base: "rip", symbol: "counter"}}, ""},
		{"4@table+12(%rip)", usdtArgument{4, false, operand{kind: operandMemory, base: "rip", symbol: "table", value: 12}}, ""},
		{"4@x.0-4(%rip)", usdtArgument{4, false, operand{kind: operandMemory, base: "rip", symbol: "x.0", value: -4}}, ""},
		{"4@6295620", usdtArgument{4, false, operand{kind: operandMemory, value: 6295620}}, ""},

		{"8f@%xmm0", usdtArgument{}, "floating-point"},
		{"-8@%xmm1", usdtArgument{}, "vector register"},
		{"16@%rax", usdtArgument{}, "size"},
		{"3@%rax", usdtArgument{}, "size"},
		{"@%rax", usdtArgument{}, "size"},
		{"8@%rzx", usdtArgument{}, "cannot be read"},
		{"8@%fs:16", usdtArgument{}, "thread-local"},
		{"8@(%eax)", usdtArgument{}, "cannot be read"},
		{"8@(%rax,%rsp)", usdtArgument{}, "cannot be read"},
		{"8@(%rax,%rbx,3)", usdtArgument{}, "cannot be read"},
		{"8@(%rax,%rbx,8,1)", usdtArgument{}, "cannot be read"},
		{"8@(%rax", usdtArgument{}, "cannot be read"},
		{"8@()", usdtArgument{}, "cannot be read"},
		{"8@4(%rip)", usdtArgument{}, "cannot be read"},
		{"8@$x", usdtArgument{}, "cannot be read"},
		{"8@", usdtArgument{}, "cannot be read"},
	} {
		got, err := parseUSDTArgument(test.text)
		switch {
		case test.err == "" && (err != nil || got != test.want):
			t.Errorf("%s: got %+v, %v\nwant %+v", test.text, got, err, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: got %+v, error %v, want one with %q", test.text, got, err, test.err)
		}
	}
}

// What is read of hostile operands stays within what a program can be asked for.
func FuzzUSDTArguments(f *testing.F) {
	for _, seed := range []string{"8@%rax -4@-20(%rbp)", "1@%ah 4@table+12(%rip) 8@(%rax,%rcx,8)", "8f@%xmm0 -8@$-1", "8@%fs:0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args, errs := parseUSDTArguments(text)
		if len(args) > maxUSDTArguments || len(args) != len(errs) {
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
