package column

import "math/bits"

// planeWidth returns the number of bytes needed for max.
func planeWidth(max uint64) int { return (bits.Len64(max) + 7) / 8 }

// splitPlane appends byte k of every value to dst.
func splitPlane(dst []byte, values []uint64, k int) []byte {
	n := len(dst)
	dst = append(dst, make([]byte, len(values))...)
	out := dst[n:]
	shift := uint(8*k) & 63
	for i, v := range values {
		out[i] = byte(v >> shift)
	}
	return dst
}

// joinPlanes sets dst to the values whose bytes are in planes, least significant first.
// Every plane is as long as dst. The common widths have separate loops, because one
// pass over dst takes half the time of one pass per plane.
func joinPlanes(dst []uint64, planes [][]byte) {
	n := len(dst)
	switch len(planes) {
	case 0:
		clear(dst)
	case 1:
		p0 := planes[0][:n]
		for i := range dst {
			dst[i] = uint64(p0[i])
		}
	case 2:
		p0, p1 := planes[0][:n], planes[1][:n]
		for i := range dst {
			dst[i] = uint64(p0[i]) | uint64(p1[i])<<8
		}
	case 3:
		p0, p1, p2 := planes[0][:n], planes[1][:n], planes[2][:n]
		for i := range dst {
			dst[i] = uint64(p0[i]) | uint64(p1[i])<<8 | uint64(p2[i])<<16
		}
	default:
		p0, p1, p2, p3 := planes[0][:n], planes[1][:n], planes[2][:n], planes[3][:n]
		for i := range dst {
			dst[i] = uint64(p0[i]) | uint64(p1[i])<<8 | uint64(p2[i])<<16 | uint64(p3[i])<<24
		}
		for k, p := range planes[4:] {
			p = p[:n]
			shift := uint(32+8*k) & 63
			for i := range dst {
				dst[i] |= uint64(p[i]) << shift
			}
		}
	}
}

// zigzag maps small differences of either sign to small numbers.
func zigzag(d uint64) uint64   { return d<<1 ^ uint64(int64(d)>>63) }
func unzigzag(z uint64) uint64 { return z>>1 ^ -(z & 1) }
