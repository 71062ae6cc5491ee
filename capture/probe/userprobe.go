package probe

import (
	"fmt"
	"path"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/locate"
	"trapline/capture/program"
	"trapline/capture/value"
	"trapline/internal/glob"
)

// sharedInProgram separates files.
func sharedInProgram(p *Probe, s *Site) string {
	return fmt.Sprintf("%q %t %v", p.Path, p.AtReturns, s.Fetch)
}

// binary finds and opens the file that an event names. It opens each file only once.
func (r *Resolver) binary(ev *event.Event) (*program.File, error) {
	file, err := r.files.Find(ev.Binary)
	if err != nil {
		return nil, event.About(ev.Text, err)
	}
	if b := r.programs[file.Open]; b != nil {
		return b, nil
	}
	b, err := program.Open(file)
	if err != nil {
		return nil, event.About(ev.Text, locate.ReadError(err))
	}
	r.programs[file.Open] = b
	return b, nil
}

// usdtBinaries returns the files that an event may mean: the one it names, or for * those
// that the process has mapped. Without a process, as for perf's sdt_PROVIDER:NAME, it is
// the program or library named like the provider.
func (r *Resolver) usdtBinaries(ev *event.Event) ([]*program.File, error) {
	if ev.Binary != "*" {
		b, err := r.binary(ev)
		return []*program.File{b}, err
	}
	if r.opt.PID == 0 {
		for _, name := range []string{ev.Provider, "lib" + ev.Provider} {
			named := *ev
			if named.Binary = name; glob.HasMeta(name) || ev.Provider == "" {
				break
			}
			if b, err := r.binary(&named); err == nil {
				return []*program.File{b}, nil
			}
		}
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "name a process (-p), or a program or library: usdt:BINARY:[PROVIDER:]NAME"}
	}
	paths, err := r.files.Mapped()
	if err != nil {
		return nil, err
	}
	var binaries []*program.File
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
		return nil, &event.NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("process %d has no programs or libraries mapped", r.opt.PID)}
	}
	return binaries, nil
}

// userProbe returns the probe of an instruction. Its arguments are those of the
// surrounding function.
func (r *Resolver) userProbe(ev *event.Event, b *program.File, name string, offset uint64) (*Probe, error) {
	p := &Probe{Kind: ev.Syntax.Kind, Name: ev.Syntax.Name() + ":" + path.Base(b.Path.Shown) + ":" + name,
		Path: b.Path.Open, Offset: offset, Record: layout.Record{RecordSize: layout.CommonSize}}
	sc, err := r.kernel.AtUprobe(ev, value.Place{File: b, Offset: offset})
	if err != nil && len(ev.Args) > 0 {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	return p, sc.Fetch(&p.Record)
}
