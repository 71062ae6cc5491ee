package capture_test

import (
	"errors"
	"strings"
	"testing"

	"trapline/capture"
	"trapline/capture/attach"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		option string // the rejected one, or ""
		opt    capture.Options
	}{
		{"", capture.Options{}},
		{"", capture.Options{MaxStack: 127, VerifyEvery: 1, RingBytes: 1 << 30, Resolution: 65000}},
		{"", capture.Options{Scope: attach.Scope{UIDs: make([]uint32, 8), CPUs: []int{0, 1023}, Comms: []string{"a*", "[!b]"}, Cgroups: make([]string, 16)}}},
		{"MaxStack", capture.Options{MaxStack: 128}},
		{"MaxStack", capture.Options{MaxStack: -1}},
		{"VerifyEvery", capture.Options{VerifyEvery: -1}},
		{"RingBytes", capture.Options{RingBytes: 1<<30 + 1}},
		{"RingBytes", capture.Options{RingBytes: -1}},
		{"Resolution", capture.Options{Resolution: 65001}},
		{"Scope.UIDs", capture.Options{Scope: attach.Scope{UIDs: make([]uint32, 9)}}},
		{"Scope.CPUs", capture.Options{Scope: attach.Scope{CPUs: []int{0, 1024}}}},
		{"Scope.CPUs", capture.Options{Scope: attach.Scope{CPUs: []int{-1}}}},
		{"Scope.Cgroups", capture.Options{Scope: attach.Scope{Cgroups: make([]string, 17)}}},
		{"Scope.Comms", capture.Options{Scope: attach.Scope{Comms: []string{"ok", "[a"}}}},
		{"Scope.Except", capture.Options{Scope: attach.Scope{Except: []string{strings.Repeat("x", 16)}}}},
	} {
		err := c.opt.Validate()
		var wrong *capture.OptionError
		switch {
		case err == nil && c.option == "":
		case !errors.As(err, &wrong) || wrong.Option != c.option || wrong.Reason == "":
			t.Errorf("Validate(%+v) = %v, want an error about %q", c.opt, err, c.option)
		}
	}
}
