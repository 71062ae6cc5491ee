package probe

import (
	"debug/elf"
	"fmt"
	"os"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
)

// maxFunction is the size of the largest function that is searched, in bytes. The
// largest that Go's own programs have are some hundred KiB long.
const maxFunction = 16 << 20

// goReturns returns the places where a Go function returns: its RET instructions, and
// jumps to other functions, which return in its stead. A return probe of the kernel
// would put another return address on the stack, which Go's runtime reads and moves.
func (b *binaryFile) goReturns(f *symbol.Function) ([]Site, error) {
	if b.machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("returns of Go functions are known for x86-64 only, not for %s", b.machine)
	}
	if f.Size == 0 || f.Size > maxFunction {
		return nil, fmt.Errorf("%s has no size that could be searched for returns", f.Name)
	}
	code := make([]byte, f.Size)
	file, err := os.Open(b.path.open)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.ReadAt(code, int64(f.Offset)); err != nil {
		return nil, err
	}
	returns, err := findReturns(code)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	sites := make([]Site, len(returns))
	for i, at := range returns {
		sites[i] = Site{Function: f.Name, Offset: f.Offset + uint64(at)}
	}
	return sites, nil
}

// findReturns returns the offsets of the instructions that a function is left by, none
// for one that never returns. Jumps through registers are taken to stay inside: Go's
// compiler makes them for switches.
func findReturns(code []byte) ([]int, error) {
	var returns []int
	for at := 0; at < len(code); {
		if n := vectorLength(code[at:]); n > 0 {
			at += n
			continue
		}
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return nil, fmt.Errorf("the instruction at +0x%x is not known, so returns cannot be found", at)
		}
		next := at + inst.Len
		target, direct := inst.Args[0].(x86asm.Rel)
		to := int64(next) + int64(target)
		switch leaves := direct && (to < 0 || to >= int64(len(code))); {
		case inst.Op == x86asm.RET || inst.Op == x86asm.LRET || inst.Op == x86asm.JMP && leaves:
			returns = append(returns, at)
		case leaves && inst.Op != x86asm.CALL && inst.Op != x86asm.XBEGIN:
			return nil, fmt.Errorf("the conditional jump at +0x%x leaves the function, which no probe can tell from going on", at)
		}
		at = next
	}
	return returns, nil
}

// atReturns makes a probe hit at the instructions that a Go function returns by.
func (b *binaryFile) atReturns(ev *Event, p *Probe, f *symbol.Function) error {
	sites, err := b.goReturns(f)
	if err != nil {
		return &UnsupportedError{Event: ev.Text, Reason: err.Error(), Remedy: "use a uprobe"}
	}
	if len(sites) == 0 {
		return &UnsupportedError{Event: ev.Text, Reason: f.Name + " never returns", Remedy: "use a uprobe"}
	}
	for i := range sites {
		sites[i].Fetch = p.Fetch
	}
	p.AtReturns, p.Sites, p.Offset = true, sites, sites[0].Offset
	p.Entry = f.Offset
	return nil
}
