package main

import (
	"fmt"
	"strings"

	"trapline/bpf"
	"trapline/capture"
)

// scopeGroups reads the parts of the scope that name groups of tasks.
func (c *config) scopeGroups(comms, except, cgroups []string) (err error) {
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
	if len(s.Cgroups) > bpf.MaxCgroups {
		return fmt.Errorf("%d control groups, at most %d are possible: name one above them", len(s.Cgroups), bpf.MaxCgroups)
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
