package attach

import (
	"errors"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/format"
)

// Users of the package cannot stall the machine either. The target has no CPU, so that
// nothing is opened if the check is missing.
func TestAttachCountersRefusesHarm(t *testing.T) {
	cpuClock := probe.Probe{Kind: format.ProbeTimed, PerfType: 1, PerfPeriod: 7}
	var invalid *event.InvalidError
	if err := attachCounters(&target{probe: &cpuClock}, &links{}); !errors.As(err, &invalid) {
		t.Errorf("a period of 7 ns: %v", err)
	}
}
