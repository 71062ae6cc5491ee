package bpf

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestConstants compares the Go constants with the C ones of the same name.
func TestConstants(t *testing.T) {
	c := readConstants(t)
	for name, want := range map[string]int64{
		"EVENT_HIT": EventHit, "EVENT_KERNEL_STACK": EventKernelStack, "EVENT_USER_STACK": EventUserStack,
		"EVENT_MEMORY": EventMemory, "EVENT_RAW_STACK": EventRawStack,
		"HIT_RECORD_CUT": HitRecordCut,
		"STACK_AGAIN":    StackAgain, "STACK_VERIFY": StackVerify, "STACK_RELATIVE": StackRelative,
		"MAPPING_CODE": MappingCode, "MAPPING_NO_CODE": MappingNoCode,
		"FRAME_EXACT": FrameExact, "FRAME_GUESSED": FrameGuessed,
		"IMAGE_ANONYMOUS": ImageAnonymous, "KERNEL_IMAGE": KernelImage, "VDSO_IMAGE": VDSOImage, "VDSO_DEVICE": VDSODevice,
		"COUNT_RECORDED": CountRecorded, "COUNT_FILTERED": CountFiltered, "COUNT_SAMPLED": CountSampled,
		"COUNT_RING_FULL": CountRingFull, "COUNT_RECURSION": CountRecursion, "COUNT_UNREADABLE": CountUnreadable,
		"SLOTS": Slots, "BLOCK_BITS": BlockBits, "LONGEST_EVENT": LongestEvent,
		"MAX_FRAMES": MaxFrames, "MAX_RECORD": MaxRecord, "MAX_FETCHES": MaxFetches, "MAX_STEPS": MaxSteps,
		"MAX_DATA_LOCS": MaxDataLocs, "DATA_LOC_RELATIVE": DataLocRelative,
		"FETCH_SWAP": FetchSwap, "FETCH_SIGNED": FetchSigned, "FETCH_INDEXED": FetchIndexed,
		"RULE_WAYS": RuleWays, "RULE_SET_BITS": RuleSetBits, "ROW_BITS": RowBits,
		"SCOPE_PIDS": ScopePIDs, "SCOPE_TIDS": ScopeTIDs, "SCOPE_UIDS": ScopeUIDs, "SCOPE_CPUS": ScopeCPUs,
		"SCOPE_COMMS": ScopeComms, "SCOPE_EXCEPT_COMMS": ScopeExceptComms, "SCOPE_CGROUPS": ScopeCgroups,
		"MAX_UIDS": MaxUIDs, "MAX_CPUS": MaxCPUs, "MAX_CGROUPS": MaxCgroups,
		"COMM_ONLY": CommOnly, "COMM_EXCEPT": CommExcept,
	} {
		if got, ok := c[name]; !ok {
			t.Errorf("no header defines %s", name)
		} else if got != want {
			t.Errorf("%s is %d in C and %d in Go", name, got, want)
		}
	}
}

// headers are embedded, because the virtual machines that run tests have no sources.
//
//go:embed *.h stacks/*.h
var headers embed.FS

var (
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	define   = regexp.MustCompile(`(?m)^#define (\w+) (\w+)\s*$`)
	enum     = regexp.MustCompile(`(?s)\benum(?: \w+)? \{(.*?)\}`)
	constant = regexp.MustCompile(`^(\w+)(?: = (.*))?$`)
)

// readConstants returns the numbers that the headers define with #define and enum.
// Expressions other than numbers and shifts are left out.
func readConstants(t *testing.T) map[string]int64 {
	constants := make(map[string]int64)
	err := fs.WalkDir(headers, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := headers.ReadFile(path)
		if err != nil {
			return err
		}
		text := comment.ReplaceAllString(string(data), "")
		for _, m := range define.FindAllStringSubmatch(text, -1) {
			if v, err := strconv.ParseInt(m[2], 0, 64); err == nil {
				constants[m[1]] = v
			}
		}
		for _, m := range enum.FindAllStringSubmatch(text, -1) {
			next := int64(0)
			for item := range strings.SplitSeq(m[1], ",") {
				m := constant.FindStringSubmatch(strings.TrimSpace(item))
				if m == nil {
					continue
				}
				if m[2] != "" {
					if next, err = parseShift(m[2]); err != nil {
						return fmt.Errorf("%s: %s: %w", path, m[1], err)
					}
				}
				constants[m[1]] = next
				next++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return constants
}

// parseShift returns the value of a number or of a shift of two numbers.
func parseShift(text string) (int64, error) {
	left, right, shifted := strings.Cut(text, " << ")
	v, err := strconv.ParseInt(left, 0, 64)
	if err != nil || !shifted {
		return v, err
	}
	by, err := strconv.ParseUint(right, 0, 6)
	return v << by, err
}
