package probe

// Types of perf events: enum perf_type_id in include/uapi/linux/perf_event.h.
const (
	perfTypeHardware = 0
	perfTypeSoftware = 1
)

// A timedEvent is a perf event that hits once in so many occurrences.
type timedEvent struct {
	name   string // canonical
	typ    uint32
	config uint64 // enum perf_hw_id or perf_sw_ids
}

// timedEvents are those that perf names without a PMU.
var timedEvents = []timedEvent{
	{"cpu-clock", perfTypeSoftware, 0},
	{"task-clock", perfTypeSoftware, 1},
	{"page-faults", perfTypeSoftware, 2},
	{"context-switches", perfTypeSoftware, 3},
	{"cpu-migrations", perfTypeSoftware, 4},
	{"minor-faults", perfTypeSoftware, 5},
	{"major-faults", perfTypeSoftware, 6},
	{"alignment-faults", perfTypeSoftware, 7},
	{"emulation-faults", perfTypeSoftware, 8},
	{"cgroup-switches", perfTypeSoftware, 11},

	{"cycles", perfTypeHardware, 0},
	{"instructions", perfTypeHardware, 1},
	{"cache-references", perfTypeHardware, 2},
	{"cache-misses", perfTypeHardware, 3},
	{"branches", perfTypeHardware, 4},
	{"branch-misses", perfTypeHardware, 5},
	{"bus-cycles", perfTypeHardware, 6},
	{"stalled-cycles-frontend", perfTypeHardware, 7},
	{"stalled-cycles-backend", perfTypeHardware, 8},
	{"ref-cycles", perfTypeHardware, 9},
}

// timedAliases are perf's other spellings.
var timedAliases = map[string]string{
	"cpu-cycles":           "cycles",
	"branch-instructions":  "branches",
	"idle-cycles-frontend": "stalled-cycles-frontend",
	"idle-cycles-backend":  "stalled-cycles-backend",
	"faults":               "page-faults",
	"cs":                   "context-switches",
	"migrations":           "cpu-migrations",
}

// findTimed returns the timed event of a name or alias.
func findTimed(name string) (timedEvent, bool) {
	if name == profileName {
		return timedEvent{profileName, perfTypeSoftware, 0}, true
	}
	if canonical, ok := timedAliases[name]; ok {
		name = canonical
	}
	for _, t := range timedEvents {
		if t.name == name {
			return t, true
		}
	}
	return timedEvent{}, false
}
