package capture

import (
	"fmt"
	"time"

	"trapline/bpf"
)

// Limits of an [Options].
const (
	MaxFrames     = bpf.MaxFrames // per stack
	MaxRingBytes  = 1 << 30       // per CPU
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
	if field, reason := o.Scope.Invalid(); field != "" {
		return &OptionError{"Scope." + field, reason}
	}
	return nil
}
