package main

import (
	"errors"
	"fmt"
	"math"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"trapline/capture/attach"
	"trapline/capture/container"
	"trapline/capture/host"
	"trapline/cmd/internal/cli"
	"trapline/internal/glob"
)

// scopeFlags select the tasks whose hits are recorded.
type scopeFlags struct {
	all, noInherit               bool
	pids, tids, cpus, users      string
	comms, exclude               []string
	cgroups, containers, command []string
}

func (s *scopeFlags) add(g *pflag.FlagSet) {
	g.BoolVarP(&s.all, "all-cpus", "a", false, "record the whole system")
	cli.ListVar(g, &s.pids, "pid", "p", "record the processes with these `IDS`, such as 12,34")
	cli.ListVar(g, &s.tids, "tid", "t", "record the threads with these `IDS`")
	cli.ListVar(g, &s.users, "uid", "u", "record the processes of these users, given by `NAMES` or IDs")
	cli.ListVar(g, &s.cpus, "cpu", "C", "record only on these `CPUS`, such as 0-3,8")
	g.StringArrayVar(&s.comms, "comm", nil, "record only tasks whose name matches `GLOB` (repeatable, or a comma-separated list)")
	g.StringArrayVar(&s.exclude, "exclude", nil, "skip tasks whose name matches `GLOB` (repeatable, or a comma-separated list)")
	g.StringArrayVarP(&s.cgroups, "cgroup", "G", nil, "record the control group (v2) at `PATH` and its descendants (repeatable, or a comma-separated list)")
	g.StringArrayVar(&s.containers, "container", nil, "record the container with this `NAME`, pod name or ID prefix (repeatable, or a comma-separated list)")
	g.BoolVarP(&s.noInherit, "no-inherit", "i", false, "do not follow children")
}

// scope returns the scope that the flags select. It looks up users, control groups and
// containers on this machine.
func (s *scopeFlags) scope() (scope attach.Scope, err error) {
	scope.NoInherit = s.noInherit
	scope.Comms, scope.Except = splitPatterns(s.comms), splitPatterns(s.exclude)
	if s.pids != "" {
		if scope.PIDs, err = taskIDs("process", s.pids); err != nil {
			return scope, fmt.Errorf("-p %s: %w", s.pids, err)
		}
	}
	if s.tids != "" {
		if scope.TIDs, err = taskIDs("thread", s.tids); err != nil {
			return scope, fmt.Errorf("-t %s: %w", s.tids, err)
		}
	}
	if s.cpus != "" {
		if scope.CPUs, err = cli.ParseCPUs(s.cpus); err != nil {
			return scope, fmt.Errorf("-C %s: %w", s.cpus, err)
		}
	}
	if s.users != "" {
		if scope.UIDs, err = userIDs(s.users); err != nil {
			return scope, err
		}
	}
	if s.all && len(scope.PIDs)+len(scope.TIDs) > 0 {
		return scope, errors.New("-a and -p or -t exclude each other")
	}
	scope.Cgroups, err = s.groups()
	return scope, err
}

// followsCommand reports whether the scope is the command and its children. It is not if
// -a, -p or -t selects other tasks.
func (s *scopeFlags) followsCommand() bool {
	return len(s.command) > 0 && !s.all && s.pids == "" && s.tids == ""
}

// taskIDs parses a comma-separated list of processes or threads. The kernel's idle tasks
// share the number 0, so no hit can be assigned to one of them by its number.
func taskIDs(what, list string) ([]uint32, error) {
	ids, err := cli.ParseIDs(what, list)
	if err == nil && slices.Contains(ids, 0) {
		err = fmt.Errorf("%s 0 does not exist: use -a for the whole system", what)
	}
	if err == nil && ids[len(ids)-1] > math.MaxInt32 {
		err = fmt.Errorf("%s %d does not exist: the highest possible number is %d", what, ids[len(ids)-1], math.MaxInt32)
	}
	return ids, err
}

// userIDs parses a comma-separated list of user names and IDs.
func userIDs(list string) (ids []uint32, err error) {
	for name := range strings.SplitSeq(list, ",") {
		number := name
		if u, err := user.Lookup(name); err == nil {
			number = u.Uid
		}
		id, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("-u %s: no such user: %q", list, name)
		}
		ids = append(ids, uint32(id))
	}
	return ids, nil
}

// groups returns the directories of the control groups, including those of containers.
func (s *scopeFlags) groups() (dirs []string, err error) {
	for _, path := range splitLists(s.cgroups) {
		if path == "" {
			return nil, fmt.Errorf("-G %q: a path is empty: use / for the root", strings.Join(s.cgroups, ","))
		}
		dir, err := host.CgroupDir(path)
		if err != nil {
			return nil, fmt.Errorf("-G %s: %w", path, err)
		}
		dirs = append(dirs, dir)
	}
	names := splitLists(s.containers)
	if len(names) == 0 {
		return dirs, nil
	}
	if slices.Contains(names, "") {
		return nil, fmt.Errorf("--container %q: a name is empty", strings.Join(s.containers, ","))
	}
	root, err := host.CgroupDir("/")
	if err != nil {
		return nil, fmt.Errorf("--container: %w", err)
	}
	all, err := container.List("/", root)
	if err != nil {
		return nil, fmt.Errorf("--container: %w", err)
	}
	for _, name := range names {
		found, err := container.Find(all, name)
		if err != nil {
			return nil, fmt.Errorf("--container %s: %w", name, err)
		}
		for _, f := range found {
			dirs = append(dirs, f.Cgroup)
		}
	}
	return dirs, nil
}

// splitPatterns splits lists of patterns at commas.
func splitPatterns(lists []string) (all []string) {
	for _, l := range lists {
		all = append(all, glob.Split(l)...)
	}
	return all
}

// splitLists splits lists at commas.
func splitLists(lists []string) (all []string) {
	for _, l := range lists {
		all = append(all, strings.Split(l, ",")...)
	}
	return all
}

// target describes the scope for the header of the capture. program is the command if
// the scope follows it, or empty.
func target(scope *attach.Scope, program string) string {
	var parts []string
	add := func(what, which string) {
		if which != "" {
			parts = append(parts, what+" "+which)
		}
	}
	if program != "" {
		add("command", program+" and its children")
	} else {
		add("process", numbers(scope.PIDs))
		add("thread", numbers(scope.TIDs))
	}
	add("user", numbers(scope.UIDs))
	add("task name", strings.Join(scope.Comms, " or "))
	add("not task name", strings.Join(scope.Except, " or "))
	add("cgroup", strings.Join(scope.Cgroups, " or "))
	add("CPU", numbers(scope.CPUs))
	if len(parts) == 0 {
		return "system-wide"
	}
	return strings.Join(parts, ", ")
}
