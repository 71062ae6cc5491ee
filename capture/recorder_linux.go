package capture

import (
	"errors"
	"runtime"
	"slices"
	"time"

	"trapline/bpf"
	"trapline/capture/attach"
	"trapline/capture/host"
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/capture/teach"
	"trapline/capture/unwind"
	"trapline/format"
	"trapline/internal/symbol"
)

// A Recorder is one recording: New prepares it, Attach sets the probes, Run records.
type Recorder struct {
	opt         Options
	settings    attach.Settings
	cpus        []int // online
	possible    int   // CPUs
	rings       *ring.Reader
	programs    *attach.Programs
	attachments []*attach.Attachment
	helpers     []*attach.Attachment // programs that record nothing themselves
	sideband    *images.Sideband
	images      *images.UserSpace
	kernel      *images.Kernel
	symbolizer  *symbolizer
	rules       *teach.Table   // nil: no stack is walked by rules
	rows        *teach.Rows    // nil if user stacks are not
	unwinder    *teach.Teacher // nil with rules
	w           *format.Writer
	a           *assembler
	epoch       uint64
	enabled     bool // the programs record
	closing     bool // the segment is full, and its frames are being named
	started     time.Time
	elapsed     time.Duration // of recording, once it has ended
}

// segmentAge is when a segment ends, if it has not ended by size before.
const segmentAge = 60 * time.Second

// New makes the maps that the programs share, the rings among them. symbols are the kernel's, nil when they are hidden.
func New(opt Options, symbols *symbol.Kallsyms) (_ *Recorder, err error) {
	r := &Recorder{opt: opt, settings: opt.settings(), kernel: images.NewKernel(symbols)}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.cpus, err = host.OnlineCPUs(); err != nil {
		return nil, err
	}
	if r.possible, err = host.PossibleCPUs(); err != nil {
		return nil, err
	}
	size := opt.RingBytes
	if size <= 0 {
		size = DefaultRingBytes(r.possible)
	}
	layout := ring.NewLayout(r.possible, size, attach.Exclusive(opt.Probes))
	if r.programs, err = attach.NewPrograms(&r.settings, layout); err != nil {
		return nil, err
	}
	if r.rings, err = ring.NewReader(layout, r.programs.Maps[bpf.HooksMapRings], r.programs.Maps[bpf.HooksMapBlocks]); err != nil {
		return nil, err
	}
	if r.sideband, err = images.OpenSideband(r.cpus); err != nil {
		return nil, err
	}
	r.images = images.NewUserSpace(r.sideband)
	// A thread's number names its process's mappings as well.
	r.images.Scan(slices.Concat(opt.Scope.PIDs, opt.Scope.TIDs))
	r.symbolizer = &symbolizer{kernel: r.kernel}
	if err := r.prepareUnwinding(symbols); err != nil {
		return nil, err
	}
	return r, nil
}

// maxPrepared bounds the processes whose rules are read beforehand.
const maxPrepared = 64

// prepareUnwinding opens the table of rules. Kernel stacks are walked by rules
// where the kernel's unwind tables can be had.
func (r *Recorder) prepareUnwinding(symbols *symbol.Kallsyms) (err error) {
	if runtime.GOARCH != "amd64" || r.opt.FramePointers || !r.settings.AnyKernelStacks() && !r.programs.UserRules() {
		return nil
	}
	var orc *unwind.ORC
	if r.settings.AnyKernelStacks() && symbols != nil {
		if orc, err = teach.ReadORC(symbols); err != nil {
			orc = nil
		}
	}
	r.programs.KernelRules = orc != nil
	if r.rules, err = teach.NewTable(r.programs.Maps[bpf.HooksMapRules]); err != nil {
		return err
	}
	if r.programs.UserRules() {
		r.rows = teach.NewRows(r.programs.Maps[bpf.HooksMapRows], r.programs.Maps[bpf.HooksMapImageRows])
	}
	r.unwinder = teach.NewTeacher(r.images, r.rules, r.rows, orc)
	if r.rows != nil {
		pids := r.opt.Scope.PIDs
		if r.opt.Command != 0 {
			pids = append(pids, r.opt.Command)
		}
		for _, pid := range pids[:min(len(pids), maxPrepared)] {
			r.unwinder.Prepare(pid)
		}
	}
	return nil
}

// Find, kernelLocation and entry implement locator.
func (r *Recorder) user(s *ring.Stack, f ring.UserFrame) (images.Location, bool) {
	return r.images.Find(s, f)
}
func (r *Recorder) kernelLocation(address uint64) images.Location { return r.kernel.Find(address) }
func (r *Recorder) entry(l images.Location) bool                  { return r.kernel.IsEntry(l) }

// Attach loads and attaches all probes. None is recorded before Run.
func (r *Recorder) Attach() error {
	s := &r.opt.Scope
	if !s.NoInherit && len(s.PIDs)+len(s.TIDs) > 0 {
		tracker, err := r.programs.Tracker()
		if err != nil {
			return err
		}
		r.helpers = append(r.helpers, tracker)
	}
	if r.programs.CountMappings {
		counter, err := r.programs.MappingCounter()
		if err != nil {
			return err
		}
		r.helpers = append(r.helpers, counter)
	}
	groups := attach.GroupProbes(r.opt.Probes)
	if err := attach.CheckSlow(groups); err != nil && !r.opt.AllowSlow {
		return err
	}
	for _, g := range groups {
		for _, g := range []*attach.Group{g.Entries(), g} { // no return without its entry
			if g == nil {
				continue
			}
			a, err := r.programs.Attach(g, r.cpus)
			if err != nil {
				return err
			}
			r.attachments = append(r.attachments, a)
		}
	}
	return nil
}

// Close frees what the recording holds in the kernel. It may be called at any time after New.
func (r *Recorder) Close() error {
	var errs []error
	for _, a := range r.attachments {
		errs = append(errs, a.Close())
	}
	for _, a := range r.helpers {
		errs = append(errs, a.Detach())
	}
	// What works in the background uses maps and files: it ends first.
	if r.symbolizer != nil {
		r.symbolizer.close()
	}
	if r.rows != nil {
		r.rows.Close()
	}
	if r.programs != nil {
		errs = append(errs, r.programs.Close())
	}
	if r.sideband != nil {
		errs = append(errs, r.sideband.Close())
	}
	if r.unwinder != nil {
		r.unwinder.Close()
	}
	if r.rules != nil {
		errs = append(errs, r.rules.Close())
	}
	if r.images != nil {
		r.images.Close()
	}
	if r.rings != nil {
		r.rings.Close()
	}
	return errors.Join(errs...)
}
