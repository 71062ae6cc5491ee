package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"trapline/capture/layout"
)

// Linux's numbers of address families (include/linux/socket.h).
const (
	familyUnix = 1
	familyIPv4 = 2
	familyIPv6 = 10
)

// showAddress formats an address. It returns "" if too few bytes were recorded.
func showAddress(show layout.Show, b []byte) string {
	switch {
	case show == layout.ShowIPv4 && len(b) >= 4:
		return netip.AddrFrom4([4]byte(b)).String()
	case show == layout.ShowIPv6 && len(b) >= 16:
		return netip.AddrFrom16([16]byte(b)).String()
	case show == layout.ShowSockaddr && len(b) >= 2:
		return showSockaddr(binary.NativeEndian.Uint16(b), b[2:])
	}
	return ""
}

// showSockaddr formats the part of a struct sockaddr_in, sockaddr_in6 (port, flow
// information, address) or sockaddr_un that follows the family.
func showSockaddr(family uint16, b []byte) string {
	switch {
	case family == familyIPv4 && len(b) >= 6:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[2:])), binary.BigEndian.Uint16(b)).String()
	case family == familyIPv6 && len(b) >= 22:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[6:])), binary.BigEndian.Uint16(b)).String()
	case family == familyUnix:
		if len(b) > 0 && b[0] == 0 { // abstract names begin with NUL; ss shows @
			b = append([]byte{'@'}, b[1:]...)
		}
		path, _, _ := bytes.Cut(b, []byte{0})
		return "unix:" + string(path)
	}
	return fmt.Sprintf("family %d", family)
}
