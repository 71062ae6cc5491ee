package main

import (
	"fmt"
	"strings"

	"trapline/bpf"
	"trapline/capture"
	"trapline/capture/container"
)

// scopeGroups reads the parts of the scope that name groups of tasks.
func (c *config) scopeGroups(comms, except, cgroups, containers []string) (err error) {
	s := &c.opt.Scope
	s.Comms, s.Except = splitLists(comms), splitLists(except)
	if err := s.CheckNames(); err != nil {
		return err
	}
	for _, path := range splitLists(cgroups) {
		dir, err := capture.CgroupDir(path)
		if err != nil {
			return fmt.Errorf("-G %s: %w", path, err)
		}
		s.Cgroups = append(s.Cgroups, dir)
	}
	if err := c.addContainers(splitLists(containers)); err != nil {
		return err
	}
	if len(s.Cgroups) > bpf.MaxCgroups {
		return fmt.Errorf("%d control groups, at most %d are possible: name one above them", len(s.Cgroups), bpf.MaxCgroups)
	}
	return nil
}

// addContainers adds the control groups of containers.
func (c *config) addContainers(names []string) error {
	if len(names) == 0 {
		return nil
	}
	root, err := capture.CgroupDir("/")
	if err != nil {
		return fmt.Errorf("--container: %w", err)
	}
	all, err := container.List("/", root)
	if err != nil {
		return fmt.Errorf("--container: %w", err)
	}
	for _, name := range names {
		found, err := container.Find(all, name)
		if err != nil {
			return fmt.Errorf("--container %s: %w", name, err)
		}
		for _, f := range found {
			c.opt.Scope.Cgroups = append(c.opt.Scope.Cgroups, f.Cgroup)
		}
	}
	return nil
}

// splitLists takes lists with commas apart.
func splitLists(lists []string) (all []string) {
	for _, l := range lists {
		all = append(all, strings.Split(l, ",")...)
	}
	return all
}
