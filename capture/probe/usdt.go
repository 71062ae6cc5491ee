package probe

import (
	"cmp"
	"debug/elf"
	"fmt"
	"os"
	"path"
	"slices"

	"trapline/bpf"
	"trapline/format"
	"trapline/internal/glob"
)

func init() {
	Register(&Kind{
		Syntax:    Syntax{Kind: format.ProbeUSDT, Spellings: []string{"usdt", "U"}, InPrograms: true, Arguments: true, Registers: true},
		What:      "static probe of a program",
		Stability: "stable: put there by the program's authors to be kept",
		Cost:      600,

		Program:  bpf.HooksProgOnRegisters,
		Backends: []Backend{UprobeMulti, UprobeEvent},
		Sharing:  sharedInProgram,

		Resolve:  (*Resolver).resolveUSDT,
		List:     (*Resolver).listPrograms,
		ListRank: 6,
	})
}

// A usdtProbe is a statically defined probe of one program or library.
type usdtProbe struct {
	binary         *binaryFile
	provider, name string
	places         []sdtNote // one for each address
}

// usdtProbes returns what a program declares, sorted by provider and name.
func (b *binaryFile) usdtProbes() (probes []usdtProbe, err error) {
	// debug/elf is not made for hostile files.
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s: damaged ELF file: %v", b.path.resolved, e)
		}
	}()
	file, err := os.Open(b.path.open)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f, err := elf.NewFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: not an ELF file: %w", b.path.resolved, err)
	}
	notes, err := readSDTNotes(f)
	if err != nil && len(notes) == 0 {
		return nil, fmt.Errorf("%s: %w", b.path.resolved, err)
	}
	slices.SortStableFunc(notes, func(x, y sdtNote) int {
		return cmp.Or(cmp.Compare(x.provider, y.provider), cmp.Compare(x.name, y.name))
	})
	for _, n := range notes {
		last := len(probes) - 1
		if last < 0 || probes[last].provider != n.provider || probes[last].name != n.name {
			probes = append(probes, usdtProbe{binary: b, provider: n.provider, name: n.name})
			last++
		}
		if !slices.ContainsFunc(probes[last].places, func(o sdtNote) bool { return o.address == n.address }) {
			probes[last].places = append(probes[last].places, n)
		}
	}
	return probes, nil
}

// fileOffset returns where the bytes at an address are in the file.
func (b *binaryFile) fileOffset(address uint64) (uint64, bool) {
	for _, p := range b.loaded {
		if address >= p.Vaddr && address-p.Vaddr < p.Filesz {
			return address - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// resolveUSDT returns one probe for each provider, name and program, with all of its
// places.
func (r *Resolver) resolveUSDT(ev *Event) ([]Probe, error) {
	if !r.havePMU("uprobe") {
		return nil, &UnsupportedError{ev.Text, "USDT probes", "this kernel was built without CONFIG_UPROBE_EVENTS", "use a tracepoint (record -l lists them)"}
	}
	binaries, err := r.usdtBinaries(ev)
	if err != nil {
		return nil, err
	}
	provider := ev.Provider
	matchName, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	matchProvider, err := newMatcher(ev.Match, provider)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	near := newNearest(ev.Name)
	declared := 0
	var probes []Probe
	for _, b := range binaries {
		all, err := b.usdtProbes()
		if err != nil {
			return nil, &InvalidError{ev.Text, err.Error()}
		}
		declared += len(all)
		for i := range all {
			u := &all[i]
			if provider != "" && !matchProvider(u.provider) || !matchName(u.name) {
				near.add(u.provider + ":" + u.name)
				continue
			}
			p, err := u.probe(ev)
			if err != nil {
				return nil, err
			}
			probes = append(probes, *p)
		}
	}
	if len(probes) == 0 {
		e := &NotFoundError{Event: ev.Text, Reason: "no such USDT probe in " + usdtPlace(binaries), Nearest: near.names()}
		if declared == 0 {
			e.Reason = usdtPlace(binaries) + " declares no USDT probes"
		}
		return nil, e
	}
	return probes, nil
}

func usdtPlace(binaries []*binaryFile) string {
	if len(binaries) == 1 {
		return binaries[0].path.resolved
	}
	return "what the process has mapped"
}

// usdtBinaries returns the files that an event may mean: the one that it names, or
// for * those that the process has mapped. Without a process, as in perf's
// sdt_PROVIDER:NAME, that is the program or library of the provider's name.
func (r *Resolver) usdtBinaries(ev *Event) ([]*binaryFile, error) {
	if ev.Binary != "*" {
		b, err := r.binary(ev)
		return []*binaryFile{b}, err
	}
	if r.opt.PID == 0 {
		for _, name := range []string{ev.Provider, "lib" + ev.Provider} {
			named := *ev
			if named.Binary = name; glob.HasMeta(name) || ev.Provider == "" {
				break
			}
			if b, err := r.binary(&named); err == nil {
				return []*binaryFile{b}, nil
			}
		}
		return nil, &NotFoundError{Event: ev.Text, Reason: "neither a process (-p) nor a program or library says where to look: write usdt:BINARY:[PROVIDER:]NAME"}
	}
	paths, err := r.mappedPrograms()
	if err != nil {
		return nil, err
	}
	var binaries []*binaryFile
	for _, name := range paths {
		named := *ev
		named.Binary = name
		b, err := r.binary(&named)
		if err != nil {
			continue // not an ELF file, or deleted
		}
		binaries = append(binaries, b)
	}
	if len(binaries) == 0 {
		return nil, &NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("process %d has no programs or libraries mapped", r.opt.PID)}
	}
	return binaries, nil
}

// probe makes the probe of all places.
func (u *usdtProbe) probe(ev *Event) (*Probe, error) {
	b := u.binary
	p := &Probe{Kind: format.ProbeUSDT, Group: u.provider, Function: u.name, Path: b.path.open, RecordSize: commonSize,
		Name: "usdt:" + path.Base(b.path.shown) + ":" + u.provider + ":" + u.name}
	for _, n := range u.places {
		offset, ok := b.fileOffset(n.address)
		if !ok || !b.holdsCode(offset) {
			return nil, &InvalidError{ev.Text, fmt.Sprintf("%s:%s is declared at 0x%x, where %s has no code", u.provider, u.name, n.address, b.path.resolved)}
		}
		s := Site{Function: u.name, Offset: offset}
		if n.semaphore != 0 {
			if s.RefCounter, ok = b.fileOffset(n.semaphore); !ok {
				return nil, &InvalidError{ev.Text, fmt.Sprintf("the semaphore of %s:%s is at 0x%x, which is not in %s", u.provider, u.name, n.semaphore, b.path.resolved)}
			}
		}
		p.Sites = append(p.Sites, s)
	}
	p.Offset = p.Sites[0].Offset
	return p, u.addArguments(ev, p)
}
