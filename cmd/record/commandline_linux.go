package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"trapline/capture"
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

// A config is the command line, understood.
type config struct {
	events   eventFlags
	list     bool
	info     bool
	inlined  bool
	dryRun   bool
	quiet    bool
	verbose  int
	output   string
	duration time.Duration
	level    int
	opt      capture.Options
	hz       uint64
	limits   limits
	ready    *os.File // nil: nobody waits
	all      bool
	command  []string // or the pattern of -l
}

// defaultResolution is what times are rounded to unless asked otherwise. A hit takes
// about this long itself, so that hits of one CPU seldom get the same time; digits
// below it are noise, and would be a fifth of a capture's bytes.
const defaultResolution = 100 * time.Nanosecond

// parse reads the flags; done means that the command is to exit with code.
func parse(env cli.Env) (c config, done bool, code int) {
	f := cli.NewFlags("record", synopsis, examples, true)
	var pids, tids, cpus, users, callGraph string
	var comms, except, cgroups, containers []string
	var stacks, noStacks, kernelOnly, userOnly, inherit bool
	var ring uint64
	resolution := defaultResolution

	g := f.Group("What")
	c.events.add(g)
	g.BoolVar(&c.opt.AllowSlow, "allow-slow", false, "attach many probes although each takes a program or a link of its own")
	g.Uint64VarP(&c.hz, "freq", "F", 0, "take `HZ` samples a second with timed events (default 99)")
	g.BoolVarP(&c.list, "list", "l", false, "list events that match PATTERN, of BINARY too with -x, of a process with -p; with -v their arguments")
	g.BoolVar(&c.inlined, "inlined", false, "probe functions of programs also where they are inlined")
	g.BoolVar(&c.info, "info", false, "print what this kernel and this user can record, and stop")
	g.BoolVar(&c.dryRun, "dry-run", false, "print what would be attached and stop")

	g = f.Group("Whom (default: COMMAND and its children; without one, everything)")
	g.BoolVarP(&c.all, "all-cpus", "a", false, "the whole machine")
	g.StringVarP(&pids, "pid", "p", "", "these processes: `IDS`, as in 12,34")
	g.StringVarP(&tids, "tid", "t", "", "these threads: `IDS`")
	g.StringVarP(&users, "uid", "u", "", "what these users run: `NAMES` or IDs")
	g.StringVarP(&cpus, "cpu", "C", "", "only on these `CPUS`, as in 0-3,8")
	g.StringArrayVar(&comms, "comm", nil, "tasks whose name matches a `GLOB` (repeatable, or a list with commas)")
	g.StringArrayVar(&except, "exclude", nil, "not those whose name matches this `GLOB`")
	g.StringArrayVarP(&cgroups, "cgroup", "G", nil, "tasks in this control group (v2) and below: a `PATH`, or a list")
	g.StringArrayVar(&containers, "container", nil, "this container: its `NAME`, in Kubernetes also that of the pod, or the start of its ID")
	g.BoolVarP(&inherit, "no-inherit", "i", false, "do not follow children")

	g = f.Group("How many hits (default: all)")
	c.limits.addHits(g)

	g = f.Group("Stacks (default: kernel and user)")
	g.BoolVarP(&stacks, "stacks", "g", false, "kernel and user stacks")
	g.BoolVar(&noStacks, "no-stacks", false, "no stacks")
	g.BoolVarP(&kernelOnly, "kernel-callchains", "K", false, "kernel stacks only")
	g.BoolVarP(&userOnly, "user-callchains", "U", false, "user stacks only")
	g.StringVar(&callGraph, "call-graph", "", "how user stacks are found, `METHOD`: dwarf (by unwind information, the default), fp (frame pointers) or none")
	g.IntVar(&c.opt.VerifyEvery, "verify-stacks", 0, "find the stacks of one hit in `N` in two ways and compare")
	g.IntVar(&c.opt.MaxStack, "max-stack", 127, "keep at most `N` frames of a stack")

	g = f.Group("Output")
	g.StringVarP(&c.output, "output", "o", "trapline.data", "capture `FILE`; - for standard output")
	g.IntVarP(&c.level, "compress", "z", 1, "compression `LEVEL`, 0 for none")
	g.Lookup("compress").NoOptDefVal = "1"

	cli.DurationVar(g, &resolution, "time-resolution", "", "round times to this `TIME`, at most 65us, for smaller captures")

	g = f.Group("Run")
	cli.DurationVar(g, &c.duration, "duration", "", "stop after this `TIME`, as in 10s or 500ms")
	c.limits.addRun(g)
	g.VarP(&bufferValue{&ring, &c.events}, "buffer", "m", "`SIZE` of each CPU's buffer, as in 8M, or a number of pages")
	g.BoolVarP(&c.quiet, "quiet", "q", false, "print nothing but errors")
	g.CountVarP(&c.verbose, "verbose", "v", "say more")

	if done, code := f.Parse(env); done {
		return c, true, code
	}
	c.command = f.Args()
	c.opt.Level = c.level
	c.opt.RingBytes = int(min(ring, 1<<30))
	if ring > 1<<30 {
		return c, true, env.Usage(errors.New("a buffer of more than 1G for each CPU is not possible"))
	}

	if resolution < time.Nanosecond || resolution > 65*time.Microsecond {
		return c, true, env.Usage(fmt.Errorf("--time-resolution %v: must be 1ns to 65us", resolution))
	}
	c.opt.Resolution = uint16(resolution)

	c.opt.KernelStacks, c.opt.UserStacks = !noStacks, !noStacks
	if kernelOnly != userOnly {
		c.opt.KernelStacks, c.opt.UserStacks = kernelOnly, userOnly
	}
	switch method, _, _ := strings.Cut(callGraph, ","); method {
	case "", "dwarf":
	case "fp":
		c.opt.FramePointers = true
	case "none":
		c.opt.KernelStacks, c.opt.UserStacks = false, false
	default:
		return c, true, env.Usage(fmt.Errorf("--call-graph %s: dwarf, fp or none", method))
	}
	if stacks && noStacks {
		return c, true, env.Usage(errors.New("-g and --no-stacks exclude each other"))
	}
	if c.opt.MaxStack < 1 || c.opt.MaxStack > 127 {
		return c, true, env.Usage(fmt.Errorf("--max-stack %d: must be 1 to 127", c.opt.MaxStack))
	}
	if c.opt.VerifyEvery < 0 {
		return c, true, env.Usage(fmt.Errorf("--verify-stacks %d: must be 1 or more", c.opt.VerifyEvery))
	}
	if err := c.limits.apply(&c); err != nil {
		return c, true, env.Usage(err)
	}
	err := c.scope(pids, tids, cpus, users, inherit)
	if err == nil {
		err = c.scopeGroups(comms, except, cgroups, containers)
	}
	if err != nil {
		return c, true, env.Usage(err)
	}
	return c, false, 0
}

func (c *config) scope(pids, tids, cpus, users string, noInherit bool) (err error) {
	s := &c.opt.Scope
	s.NoInherit = noInherit
	if pids != "" {
		if s.PIDs, err = cli.ParseIDs("process", pids); err != nil {
			return err
		}
	}
	if tids != "" {
		if s.TIDs, err = cli.ParseIDs("thread", tids); err != nil {
			return err
		}
	}
	if cpus != "" {
		if s.CPUs, err = cli.ParseCPUs(cpus); err != nil {
			return err
		}
		if last := s.CPUs[len(s.CPUs)-1]; last >= 1024 {
			return fmt.Errorf("CPU list %q: CPUs above 1023 cannot be chosen", cpus)
		}
	}
	if users != "" {
		if s.UIDs, err = userIDs(users); err != nil {
			return err
		}
		if len(s.UIDs) > 8 {
			return fmt.Errorf("-u %s: at most 8 users", users)
		}
	}
	if c.all && len(s.PIDs)+len(s.TIDs) > 0 {
		return errors.New("-a and -p or -t exclude each other")
	}
	return nil
}

// userIDs reads a list of user names and numbers.
func userIDs(list string) (ids []uint32, err error) {
	for _, name := range strings.Split(list, ",") {
		number := name
		if u, err := user.Lookup(name); err == nil {
			number = u.Uid
		}
		id, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("-u %s: no such user", name)
		}
		ids = append(ids, uint32(id))
	}
	return ids, nil
}

// target says in words what is recorded, for the head of the capture.
func (c *config) target() string {
	s := &c.opt.Scope
	var parts []string
	list := func(what string, ids []uint32) {
		if len(ids) > 0 {
			parts = append(parts, what+" "+strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]"))
		}
	}
	switch {
	case c.followsCommand():
		parts = append(parts, "command "+c.command[0]+" and its children")
	default:
		list("process", s.PIDs)
		list("thread", s.TIDs)
	}
	list("user", s.UIDs)
	for _, names := range []struct {
		what string
		list []string
	}{{"task name ", s.Comms}, {"not task name ", s.Except}, {"cgroup ", s.Cgroups}} {
		if len(names.list) > 0 {
			parts = append(parts, names.what+strings.Join(names.list, " or "))
		}
	}
	if len(s.CPUs) > 0 {
		parts = append(parts, "CPU "+strings.Trim(strings.ReplaceAll(fmt.Sprint(s.CPUs), " ", ","), "[]"))
	}
	if len(parts) == 0 {
		return "system-wide"
	}
	return strings.Join(parts, ", ")
}

// namesTasks reports whether the scope is of processes or threads by number.
func (c *config) namesTasks() bool {
	return !c.list && !c.dryRun && (c.followsCommand() || len(c.opt.Scope.PIDs)+len(c.opt.Scope.TIDs) > 0)
}

// followsCommand reports whether the scope is the command: not if a wider one, or another, was given.
func (c *config) followsCommand() bool {
	return len(c.command) > 0 && !c.all && len(c.opt.Scope.PIDs)+len(c.opt.Scope.TIDs) == 0
}
