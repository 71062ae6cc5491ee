package histogram_test

import (
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/histogram"
)

func BenchmarkReport(b *testing.B) {
	const hits = 3 << 20
	capture := analysistest.Busy(hits, 70000)
	for _, sort := range []string{"comm", "comm,dso,symbol", "size"} {
		keys, err := histogram.ParseKeys(sort)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(sort, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := analysis.Aggregate(analysistest.Inputs(capture),
					histogram.QueryFor(keys, analysis.Filter{}, sort != "comm"))
				if err != nil {
					b.Fatal(err)
				}
				histogram.Sections(r, histogram.Options{
					Keys: keys, Children: true, Tree: &histogram.TreeOptions{Caller: true, MinShare: 0.005},
				})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/hits, "ns/hit")
		})
	}
}
