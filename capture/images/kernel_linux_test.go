package images

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trapline/internal/kallsyms"
)

// An address without a name makes Kernel read the symbols again, but less often each time
// that it does not help. Code loaded since then gets names.
func TestKernelRereads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := "ffffffff81000000 T _text\nffffffff81001000 T last\n"
		read := func() (*kallsyms.Symbols, error) { return kallsyms.Read(strings.NewReader(list)) }
		symbols, err := read()
		if err != nil {
			t.Fatal(err)
		}
		reads := 0
		k := NewKernel(symbols, func() (*kallsyms.Symbols, error) { reads++; return read() })
		const unknown, module = 0xffffffffff600000, 0xffffffffc0000000
		for range 10_000 { // 100 s
			k.Find(unknown)
			time.Sleep(10 * time.Millisecond)
		}
		if reads < 5 || reads > 8 {
			t.Errorf("the symbols were read again %d times in 100 s", reads)
		}
		list += fmt.Sprintf("%x t of_module\t[module]\n", uint64(module))
		time.Sleep(maxKallsymsAge)
		before := reads
		if l := k.Find(module); l.Image == nil || l.Image.Path != "[module]" || k.Name(l, 0).Function != "of_module" {
			t.Errorf("a module that was loaded since is %+v", l)
		}
		for range 1000 {
			k.Find(module)
		}
		if reads != before+1 {
			t.Errorf("the symbols were read %d times for one module", reads-before)
		}
	})
}
