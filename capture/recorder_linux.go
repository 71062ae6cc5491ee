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
	"trapline/internal/kallsyms"
)

// A Recorder makes one recording. New prepares it, Open allocates kernel resources,
// Attach attaches the probes, Run records, Close releases everything.
type Recorder struct {
	options  Options
	symbols  *kallsyms.Symbols // nil if hidden
	settings attach.Settings
	cpus     cpus

	programs *attach.Programs
	rings    *ring.Reader   // nil before Open
	teacher  *teach.Teacher // nil if no stacks are walked by rules
	code     code

	symbolizer *symbolizer
	w          *format.Writer // nil before Run
	a          *assembler
	phase      phase
}

// cpus are the CPUs of this machine.
type cpus struct {
	online   []int
	possible int // 1 + the highest number that may come online
}

// A phase is the state of a recording.
type phase struct {
	epoch   uint64 // of stack hashes; each segment has its own
	enabled bool   // the programs record
	closing bool   // the full segment's frames are being named
	started time.Time
	elapsed time.Duration // set at the end
}

// New returns a recording that uses no kernel resources yet. symbols are the kernel's, or
// nil if they are hidden.
func New(options Options, symbols *kallsyms.Symbols) *Recorder {
	r := &Recorder{options: options, symbols: symbols, settings: options.settings(),
		code: code{user: images.NewUserSpace(), kernel: images.NewKernel(symbols, host.ReadKallsyms)}}
	r.programs = attach.New(&r.settings)
	r.symbolizer = newSymbolizer(r.code.kernel)
	return r
}

// Open creates the maps and rings and records what is mapped now.
func (r *Recorder) Open() (err error) {
	if r.cpus, err = readCPUs(); err != nil {
		return err
	}
	size := r.options.RingBytes
	if size <= 0 {
		size = DefaultRingBytes(r.cpus.possible)
	}
	layout := ring.NewLayout(r.cpus.possible, size, attach.Exclusive(r.options.Probes))
	if err := r.programs.Open(layout); err != nil {
		return err
	}
	r.rings = ring.NewReader(layout)
	if err := r.rings.Open(r.programs.Map(bpf.HooksMapRings), r.programs.Map(bpf.HooksMapBlocks)); err != nil {
		return err
	}
	if err := r.code.user.Open(r.cpus.online); err != nil {
		return err
	}
	// /proc/TID shows the mappings of the thread's process.
	r.code.user.Scan(slices.Concat(r.options.Scope.PIDs, r.options.Scope.TIDs))
	return r.openTeacher()
}

func readCPUs() (c cpus, err error) {
	if c.online, err = host.OnlineCPUs(); err != nil {
		return c, err
	}
	c.possible, err = host.PossibleCPUs()
	return c, err
}

// maxPrepared limits the processes whose rules are loaded in advance.
const maxPrepared = 64

// openTeacher opens the tables of rules. Kernel stacks are walked by rules if the
// kernel's unwind tables are readable.
func (r *Recorder) openTeacher() error {
	users := r.settings.UserRules()
	if runtime.GOARCH != "amd64" || r.options.FramePointers || !r.settings.AnyKernelStacks() && !users {
		return nil
	}
	var orc *unwind.ORC
	if r.settings.AnyKernelStacks() && r.symbols != nil {
		if read, err := teach.ReadORC(r.symbols); err == nil {
			orc = read
			r.programs.WalkKernelByRules()
		}
	}
	r.teacher = teach.New(r.code.user, users, orc)
	if err := r.teacher.Open(r.programs.Map(bpf.HooksMapRules), r.programs.Map(bpf.HooksMapRows), r.programs.Map(bpf.HooksMapImageRows)); err != nil {
		return err
	}
	if !users {
		return nil
	}
	pids := slices.Clone(r.options.Scope.PIDs)
	if r.options.Command != 0 {
		pids = append(pids, r.options.Command)
	}
	for _, pid := range pids[:min(len(pids), maxPrepared)] {
		r.teacher.Prepare(pid)
	}
	return nil
}

// Attach loads and attaches all probes. They record nothing before Run.
func (r *Recorder) Attach() error { return r.programs.Attach(r.cpus.online) }

// Close releases all resources. It may be called at any time.
func (r *Recorder) Close() error {
	// Background work uses maps and files, so it ends first.
	errs := []error{r.programs.Detach(), r.symbolizer.close()}
	if r.teacher != nil {
		errs = append(errs, r.teacher.Close())
	}
	errs = append(errs, r.programs.Close(), r.code.user.Close())
	if r.rings != nil {
		errs = append(errs, r.rings.Close())
	}
	return errors.Join(errs...)
}
