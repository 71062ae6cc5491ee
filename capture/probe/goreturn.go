package probe

import (
	"debug/elf"
	"fmt"
	"os"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// maxFunction is the size of the largest function that is searched, in bytes. The
// largest that Go's own programs have are some hundred KiB long.
const maxFunction = 16 << 20

// goReturns returns the places where a Go function returns: its RET instructions, and
// jumps to other functions, which return in its stead. A return probe of the kernel
// would put another return address on the stack, which Go's runtime reads and moves.
func (b *binaryFile) goReturns(f *symbol.Function) ([]goReturn, error) {
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
	return returns, nil
}

// A goReturn is an instruction that a function is left by.
type goReturn struct {
	offset uint64 // bytes from the function
	jump   bool   // to another function, whose results are not known yet
}

// findReturns returns the instructions that a function is left by, none for one
// that never returns. Jumps through registers are taken to stay inside: Go's
// compiler makes them for switches.
func findReturns(code []byte) ([]goReturn, error) {
	var returns []goReturn
	for at := 0; at < len(code); {
		inst, err := x86.Decode(code[at:])
		if err != nil {
			return nil, fmt.Errorf("the instruction at +0x%x is not known, so returns cannot be found", at)
		}
		next := at + inst.Len
		target, direct := inst.Args[0].(x86asm.Rel)
		to := int64(next) + int64(target)
		switch leaves := direct && (to < 0 || to >= int64(len(code))); {
		case inst.Op == x86asm.RET || inst.Op == x86asm.LRET || inst.Op == x86asm.JMP && leaves:
			returns = append(returns, goReturn{uint64(at), inst.Op == x86asm.JMP})
		case leaves && inst.Op != x86asm.CALL && inst.Op != x86asm.XBEGIN:
			return nil, fmt.Errorf("the conditional jump at +0x%x leaves the function, which no probe can tell from going on", at)
		}
		at = next
	}
	return returns, nil
}

// atReturns makes a probe hit at the instructions that a Go function returns by.
func (b *binaryFile) atReturns(ev *Event, p *Probe, f *symbol.Function) error {
	returns, err := b.goReturns(f)
	if err != nil {
		return &UnsupportedError{Event: ev.Text, Reason: err.Error(), Remedy: "use a uprobe"}
	}
	if len(returns) == 0 {
		return &UnsupportedError{Event: ev.Text, Reason: f.Name + " never returns", Remedy: "use a uprobe"}
	}
	for _, at := range returns {
		s := Site{Function: f.Name, Offset: f.Offset + at.offset, Fetch: p.Fetch}
		if at.jump {
			s.Fetch = withoutResults(p.Fetch)
		}
		p.Sites = append(p.Sites, s)
	}
	p.AtReturns, p.Offset = true, p.Sites[0].Offset
	p.Entry = f.Offset
	return nil
}

// withoutResults replaces what is read of result registers by what cannot be read:
// where another function returns in its caller's stead, they do not hold results yet.
func withoutResults(fetch []Fetch) []Fetch {
	unread := slices.Clone(fetch)
	for i := range unread {
		f := &unread[i]
		if f.Base == FetchContext && slices.Contains(goWords, f.Word) {
			f.Base, f.Word, f.Constant, f.Indexed = FetchConstant, 0, 0, false
			f.Steps = []FetchStep{{Space: UserMemory, Size: 8}} // nothing is mapped at 0
		}
	}
	return unread
}
