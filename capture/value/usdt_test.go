package value

import (
	"testing"

	"trapline/capture/usdt"
)

// FuzzUSDTArguments checks that operands from a damaged file never fetch from invalid
// registers.
func FuzzUSDTArguments(f *testing.F) {
	for _, seed := range []string{"8@%rax -4@-20(%rbp)", "1@%ah 4@table+12(%rip) 8@(%rax,%rcx,8)", "8f@%xmm0 -8@$-1", "8@%fs:0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args, errs := usdt.ParseArguments(text)
		if len(args) > usdt.MaxArguments || len(args) != len(errs) {
			t.Fatalf("%d arguments, %d errors", len(args), len(errs))
		}
		for i, a := range args {
			if errs[i] != nil {
				continue
			}
			fetch, err := operandFetch(&a, 0x1000, func(string) (uint64, bool) { return 0x2000, true })
			if err != nil {
				continue
			}
			if fetch.Word > maxContextWord || fetch.Index > maxContextWord || fetch.Scale > 3 || fetch.Left > 63 || fetch.Right > 63 {
				t.Fatalf("%q: %+v", text, fetch)
			}
		}
	})
}
