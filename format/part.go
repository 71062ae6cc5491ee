package format

// A File starts a part: one recording on one machine. Where the block itself was
// lost, a File without properties stands in for it.
type File struct {
	Version    uint16
	Properties []Property
}

// Get returns the value of the first property with the key, "" if there is none.
func (f *File) Get(key string) string {
	for _, p := range f.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// A Property is one key and value of a part's FILE block. Unknown keys are kept
// and ignored.
type Property struct {
	Key, Value string
}

// Keys of FILE properties that the project's own programs write or read.
const (
	KeyHostname    = "hostname"
	KeyKernel      = "kernel"         // uname -r
	KeyKernelVer   = "kernel.version" // uname -v
	KeyArch        = "arch"           // GOARCH spelling: amd64, arm64
	KeyBootID      = "boot_id"
	KeyCPUs        = "cpus"         // online CPUs at the start, as a CPU list: 0-3,8
	KeyPageSize    = "page_size"    // bytes
	KeyClock       = "clock"        // clock of all times: monotonic
	KeyResolution  = "resolution"   // what times of hits are rounded down to a multiple of, ns; absent: 1
	KeyCommandLine = "command_line" // of the recorder, shell-quoted
	KeyToolVersion = "tool_version"
	KeyStarted     = "started" // wall clock time when recording was set up, RFC 3339 with ns; tells recordings apart
	KeyTarget      = "target"  // what was recorded, in words: "system-wide", "pid 123"
)

// A SegmentStart begins a segment: dictionaries are empty again, and IDs from
// before mean nothing. Where the block itself was lost, a SegmentStart with
// Sequence 0 and no clock stands in for it.
type SegmentStart struct {
	Sequence uint64 // counts from 1 in a part
	Clock    Clock
}

// A Clock ties the part's clock to others at one moment. All are ns.
type Clock struct {
	Monotonic, Boottime, Realtime uint64
}
