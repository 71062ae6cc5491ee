//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// machine describes this machine and the versions of the tools measured on it.
func machine() string {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	s := fmt.Sprintf("%s; %d CPUs; Linux %s", parseCPU(string(cpuinfo)), runtime.NumCPU(), strings.TrimSpace(string(release)))
	for _, tool := range []string{"perf", "bpftrace"} {
		if out, err := exec.Command(tool, "--version").Output(); err == nil {
			s += "; " + tool + " " + versionNumber.FindString(string(out))
		}
	}
	return s
}

var versionNumber = regexp.MustCompile(`\d[\w.]*`)

// parseCPU returns the name of the processor in /proc/cpuinfo, and whether it is that of a
// virtual machine.
func parseCPU(cpuinfo string) string {
	name, virtual := "unknown processor", ""
	for line := range strings.Lines(cpuinfo) {
		switch key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) {
		case "model name":
			name = strings.TrimSpace(value)
		case "flags":
			if slices.Contains(strings.Fields(value), "hypervisor") {
				virtual = " in a virtual machine"
			}
		}
	}
	return name + virtual
}
