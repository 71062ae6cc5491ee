package capture

import (
	"fmt"
	"time"

	"trapline/bpf"
)

// Limits of an [Options].
const (
	MaxFrames     = bpf.MaxFrames  // of a stack
	MaxUsers      = bpf.MaxUIDs    // in a scope
	MaxCPUs       = bpf.MaxCPUs    // a scope names CPUs below this number
	MaxCgroups    = bpf.MaxCgroups // in a scope
	MaxRingBytes  = 1 << 30        // for each CPU
	MaxResolution = 65 * time.Microsecond
)

// An OptionError reports an option outside its limits.
type OptionError struct {
	Option string // the field of Options, such as MaxStack or Scope.CPUs
	Reason string
}

func (e *OptionError) Error() string { return e.Option + ": " + e.Reason }

// Validate checks the options against the limits of BPF programs and of the capture
// file. It does not look at the machine. Its error is an [OptionError].
func (o *Options) Validate() error {
	switch {
	case o.MaxStack < 0 || o.MaxStack > MaxFrames:
		return &OptionError{"MaxStack", fmt.Sprintf("must be 1 to %d", MaxFrames)}
	case o.VerifyEvery < 0:
		return &OptionError{"VerifyEvery", "must be 1 or more"}
	case o.RingBytes < 0 || o.RingBytes > MaxRingBytes:
		return &OptionError{"RingBytes", fmt.Sprintf("must be at most %d MiB for each CPU", MaxRingBytes>>20)}
	case time.Duration(o.Resolution) > MaxResolution:
		return &OptionError{"Resolution", fmt.Sprintf("must be 1ns to %v", MaxResolution)}
	}
	return o.Scope.validate()
}

func (s *Scope) validate() error {
	if len(s.UIDs) > MaxUsers {
		return &OptionError{"Scope.UIDs", fmt.Sprintf("at most %d users", MaxUsers)}
	}
	for _, cpu := range s.CPUs {
		if cpu < 0 || cpu >= MaxCPUs {
			return &OptionError{"Scope.CPUs", fmt.Sprintf("CPU %d is not one of 0 to %d", cpu, MaxCPUs-1)}
		}
	}
	if len(s.Cgroups) > MaxCgroups {
		return &OptionError{"Scope.Cgroups", fmt.Sprintf("%d control groups, at most %d are possible: name a parent of them", len(s.Cgroups), MaxCgroups)}
	}
	for _, set := range []struct {
		option string
		names  []string
	}{{"Scope.Comms", s.Comms}, {"Scope.Except", s.Except}} {
		if _, err := commPatterns(set.names); err != nil {
			return &OptionError{set.option, err.Error()}
		}
	}
	return nil
}
