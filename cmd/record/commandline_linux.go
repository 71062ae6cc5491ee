package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/pflag"

	"trapline/capture"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

const synopsis = `record [options] [-e EVENT]... [--] [COMMAND [ARGS]]
       record -l [PATTERN]`

const examples = `Event syntax:
  sched:sched_switch  syscalls:sys_enter_*   static tracepoints; patterns work too
  rawtracepoint:sched_switch                 raw tracepoints, with arguments typed by BTF
  kprobe:vfs_read  kretprobe:vfs_read        kernel functions and their returns (k:, kr:)
  fentry:vfs_read  fexit:vfs_read            the same, cheaper; needs BTF (f:, fr:)
  uprobe:libc:malloc  uretprobe:./app:main   functions in programs and libraries (u:, ur:)
  usdt:libstdc++:throw                       static probes in programs and libraries (U:)
  watchpoint:0x4c1230:8:rw                   accesses to an address (w:)
  cpu-clock  cycles                          timed samples; see -F
Arguments: 'uprobe:libc:malloc size=arg0:u64', 'kretprobe:vfs_read retval:s64',
  'sched:sched_switch prev_comm pid=next_pid', 'syscalls:sys_enter_openat filename:ustring'

Examples:
  record -e sched:sched_switch -a --duration 10s
  record -e 'uprobe:libc:malloc size=arg0' -- ls -l
  record -e raw_syscalls:sys_enter -p 1234
  ssh host sudo record -a -e sched:sched_switch --duration 5s -o - | report -i -

If a flag is repeated, the last value counts. Flags that take lists add to the list.

Exit status: the status of COMMAND. Without COMMAND, or if recording fails: 0 success,
1 usage error, 2 no such probe or attaching failed, 3 missing privilege, 4 output error.`

// A commandLine holds the parsed flags, grouped as in --help.
type commandLine struct {
	mode      mode
	events    eventFlags
	maxProbes int
	inlined   bool // also probe inlined copies of functions
	allowSlow bool
	limits    limitFlags
	scope     scopeFlags
	stacks    stackFlags
	output    outputFlags
	run       runFlags
	ring      uint64 // bytes per CPU
	quiet     bool
	verbose   bool
	operands  []string // the command, or the pattern of -l
	flags     *pflag.FlagSet
}

// A mode selects what the command does instead of recording.
type mode struct {
	info, list, dryRun bool // the first one set wins
}

// records reports whether the command records.
func (m mode) records() bool { return m == mode{} }

// parse parses the flags. If done, the command must exit with code.
func parse(env cli.Env) (c *commandLine, done bool, code int) {
	f := cli.NewFlags("record", synopsis, examples, true)
	c = &commandLine{}
	verbosity := c.add(f)
	if done, code := f.Parse(env); done {
		return nil, true, code
	}
	c.flags, c.operands = f.FlagSet, f.Args()
	c.verbose = *verbosity > 0 && !c.quiet
	if !c.mode.list {
		c.scope.command = c.operands
	}
	return c, false, cli.ExitOK
}

// add defines the flags. The result counts -v.
func (c *commandLine) add(f *cli.Flags) (verbosity *int) {
	g := f.Group("Events")
	c.events.add(g)
	c.maxProbes = probe.DefaultMaxProbes
	cli.NumberVar(g, &c.maxProbes, "max-probes", "", 1, math.MaxInt32, "refuse events that match more than `N` probes")
	g.BoolVar(&c.allowSlow, "allow-slow", false, "attach patterns even if every match needs its own program or link")
	c.limits.addFrequency(g)
	g.BoolVarP(&c.mode.list, "list", "l", false, "list the events that match PATTERN, or those of BINARY with -x or of a process with -p; -v adds arguments")
	g.BoolVar(&c.inlined, "inlined", false, "also probe inlined copies of functions")
	g.BoolVar(&c.mode.info, "info", false, "print what this kernel and user can record, and exit")
	g.BoolVar(&c.mode.dryRun, "dry-run", false, "print what would be attached, and exit")

	c.scope.add(f.Group("Scope (default: COMMAND and its children, or the whole system without COMMAND)"))
	c.limits.add(f.Group("Limits (default: keep every hit)"))
	c.stacks.add(f.Group("Stacks (default: kernel and user)"))
	c.output.add(f.Group("Output"))

	g = f.Group("Run")
	c.run.add(g)
	g.VarP(&bufferValue{bytes: &c.ring, events: &c.events}, "buffer", "m", "buffer `SIZE` per CPU, such as 8M; a plain number counts pages")
	g.BoolVarP(&c.quiet, "quiet", "q", false, "print only errors")
	return g.CountP("verbose", "v", "print more details")
}

// options returns the validated options. The probes are still to be added.
func (c *commandLine) options() (opt capture.Options, err error) {
	if err := c.limits.validate(); err != nil {
		return opt, err
	}
	opt.AllowSlow = c.allowSlow
	opt.RingBytes = int(c.ring)
	for _, fill := range []func(*capture.Options) error{c.stacks.fill, c.output.fill, c.run.fill} {
		if err := fill(&opt); err != nil {
			return opt, err
		}
	}
	if opt.Scope, err = c.scope.scope(); err != nil {
		return opt, err
	}
	return opt, c.inFlags(opt.Validate())
}

// flagOf maps the names of options to the flags that set them.
var flagOf = map[string]string{
	"MaxStack":      "max-stack",
	"VerifyEvery":   "verify-stacks",
	"RingBytes":     "buffer",
	"Resolution":    "time-resolution",
	"Scope.UIDs":    "uid",
	"Scope.CPUs":    "cpu",
	"Scope.Cgroups": "cgroup",
	"Scope.Comms":   "comm",
	"Scope.Except":  "exclude",
}

// inFlags turns an error about an option into one about the flag that sets it.
func (c *commandLine) inFlags(err error) error {
	var wrong *capture.OptionError
	if !errors.As(err, &wrong) {
		return err
	}
	flag := c.flags.Lookup(flagOf[wrong.Option])
	if flag == nil {
		return err
	}
	name := cli.FlagName(flag)
	if _, list := flag.Value.(pflag.SliceValue); list {
		return fmt.Errorf("%s: %s", name, wrong.Reason) // which quotes the wrong element
	}
	return fmt.Errorf("%s %s: %s", name, flag.Value, wrong.Reason)
}
