package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"trapline/capture"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
)

const synopsis = `record [options] [-e EVENT]... [--] [COMMAND [ARGS]]
       record -l [PATTERN]`

const examples = `Events:
  sched:sched_switch  syscalls:sys_enter_*   static tracepoints, also by pattern
  rawtracepoint:sched_switch                 raw tracepoint, arguments typed by BTF
  kprobe:vfs_read  kretprobe:vfs_read        kernel functions (k: and kr: for short)
  fentry:vfs_read  fexit:vfs_read            the same, cheaper, with BTF (f: and fr:)
  uprobe:libc:malloc  uretprobe:./app:main   functions of programs and libraries (u: and ur:)
  cpu-clock  cycles                          timed samples, see -F
Arguments: 'uprobe:libc:malloc size=arg0:u64', 'kretprobe:vfs_read retval:s64',
  'sched:sched_switch prev_comm pid=next_pid', 'syscalls:sys_enter_openat filename:ustring'

Examples:
  record -e sched:sched_switch -a --duration 10s
  record -e 'uprobe:libc:malloc size=arg0' -- ls -l
  record -e raw_syscalls:sys_enter -p 1234
  ssh host sudo record -a -e sched:sched_switch --duration 5s -o - | report -i -

Exit status: that of COMMAND; without one 0 when all went well, 1 wrong usage,
2 no such probe or it cannot be attached, 3 a privilege is missing, 4 the output
cannot be written.`

// A commandLine is what the flags say, group by group as --help shows them.
type commandLine struct {
	mode      mode
	events    eventFlags
	maxProbes int
	inlined   bool // probe inlined copies of functions as well
	allowSlow bool
	limits    limitFlags
	scope     scopeFlags
	stacks    stackFlags
	output    outputFlags
	run       runFlags
	ring      uint64 // bytes for each CPU
	quiet     bool
	verbose   bool
	operands  []string // the command, or the pattern of -l
	flags     *pflag.FlagSet
}

// A mode is what the command does instead of recording.
type mode struct {
	info, list, dryRun bool // the first that is true decides
}

// records reports whether the command makes a recording.
func (m mode) records() bool { return m == mode{} }

// parse reads the flags; done means that the command is to exit with code.
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

// add defines the flags. It returns how often -v is given.
func (c *commandLine) add(f *cli.Flags) (verbosity *int) {
	g := f.Group("What")
	c.events.add(g)
	g.IntVar(&c.maxProbes, "max-probes", probe.DefaultMaxProbes, "refuse patterns that match more than `N` probes")
	g.BoolVar(&c.allowSlow, "allow-slow", false, "attach many probes although each takes a program or a link of its own")
	c.limits.addFrequency(g)
	g.BoolVarP(&c.mode.list, "list", "l", false, "list events that match PATTERN, of BINARY too with -x, of a process with -p; with -v their arguments")
	g.BoolVar(&c.inlined, "inlined", false, "probe functions of programs also where they are inlined")
	g.BoolVar(&c.mode.info, "info", false, "print what this kernel and this user can record, and stop")
	g.BoolVar(&c.mode.dryRun, "dry-run", false, "print what would be attached and stop")

	c.scope.add(f.Group("Whom (default: COMMAND and its children; without one, everything)"))
	c.limits.add(f.Group("How many hits (default: all)"))
	c.stacks.add(f.Group("Stacks (default: kernel and user)"))
	c.output.add(f.Group("Output"))

	g = f.Group("Run")
	c.run.add(g)
	g.VarP(&bufferValue{bytes: &c.ring, events: &c.events}, "buffer", "m", "`SIZE` of each CPU's buffer, as in 8M, or a number of pages")
	g.BoolVarP(&c.quiet, "quiet", "q", false, "print nothing but errors")
	return g.CountP("verbose", "v", "say more")
}

// options returns what to record and how, validated, apart from the probes.
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

// flagOf names the flags that fill the options of capture.
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

// inFlags words an error about an option as one about the flag that set it.
func (c *commandLine) inFlags(err error) error {
	var wrong *capture.OptionError
	if !errors.As(err, &wrong) {
		return err
	}
	flag := c.flags.Lookup(flagOf[wrong.Option])
	if flag == nil {
		return err
	}
	name := "--" + flag.Name
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand
	}
	if _, list := flag.Value.(pflag.SliceValue); list {
		return fmt.Errorf("%s: %s", name, wrong.Reason) // which names the wrong element
	}
	return fmt.Errorf("%s %s: %s", name, flag.Value, wrong.Reason)
}
