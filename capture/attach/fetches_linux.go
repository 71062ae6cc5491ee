package attach

import (
	"fmt"

	"trapline/bpf"
	"trapline/capture/layout"
)

// encodeFetches encodes the fetches of a site as constants of its program.
func encodeFetches(fetch []layout.Fetch) (out [bpf.MaxFetches]bpf.HooksFetch, err error) {
	if len(fetch) > bpf.MaxFetches {
		return out, fmt.Errorf("%d arguments: the maximum is %d", len(fetch), bpf.MaxFetches)
	}
	slots := layout.Slots(fetch)
	mark := uint8(0)
	for i := range fetch {
		f, to := &fetch[i], &out[i]
		if len(f.Steps) > bpf.MaxSteps {
			return out, fmt.Errorf("an argument takes %d memory accesses: the maximum is %d", len(f.Steps), bpf.MaxSteps)
		}
		*to = bpf.HooksFetch{Constant: f.Constant, Base: uint8(f.Base), Word: f.Word, Steps: uint8(len(f.Steps)),
			As: uint8(f.As), Space: uint8(f.Space), Left: f.Left, Right: f.Right, At: slots[i], Max: f.Max, Mark: mark}
		if f.Swap {
			to.Flags |= bpf.FetchSwap
		}
		if f.Signed {
			to.Flags |= bpf.FetchSigned
		}
		if f.Indexed {
			to.Flags |= bpf.FetchIndexed
			to.Index, to.Scale = f.Index, f.Scale
		}
		if n := int(f.LengthOf); n > 0 && n <= i {
			to.LengthAt = slots[n-1]
		}
		for k, s := range f.Steps {
			to.Step[k].Add, to.Step[k].Space, to.Step[k].Size = s.Add, uint8(s.Space), s.Size
		}
		if f.Hidden {
			to.Mark = hiddenMark // no field
			continue
		}
		mark++
	}
	return out, nil
}

// hiddenMark is the mark bit of fetches that are not arguments. It is above those of all
// possible fields.
const hiddenMark = 31
