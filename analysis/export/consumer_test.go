package export_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/analysis/export"
	"trapline/internal/testenv"
)

// pprof reads the same totals, names and labels.
func TestGoToolPprof(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.pb.gz")
	if err := os.WriteFile(file, convert(t, "pprof", export.Request{}, testCapture(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"-top"}, []string{"Total samples = 15", "7 46.67% 46.67%          7 46.67%  __schedule", "4 26.67%  http::Server::handle"}},
		{[]string{"-top", "-tagfocus=cpu=0"}, []string{"accounting for 4, "}},
		{[]string{"-raw"}, []string{"comm:[V8 Worker 12] probe:[sched:sched_switch]", "/opt/my app/bin/server 01020304 [FN][FL][LN][IN]"}},
	} {
		cmd := exec.Command("go", append(append([]string{"tool", "pprof"}, c.args...), file)...)
		cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go tool pprof %v: %v", c.args, err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("go tool pprof %v does not print %q:\n%s", c.args, want, out)
			}
		}
	}
}

// driver is a script that uses the flame graph like a person, and stores what is
// visible in the root of the document.
const driver = `<script>
var $ = function (q) { return document.querySelector(q); }, seen = [];
function box(name) {
  return Array.from(document.querySelectorAll("#frames g")).find(function (g) { return g.querySelector("title").textContent.startsWith(name + "\n"); });
}
function share(name) { return Math.round(100 * box(name).querySelector("rect").getBoundingClientRect().width / $("#frames").getBoundingClientRect().width); }
function send(target, type, init, kind) { target.dispatchEvent(new (kind || MouseEvent)(type, Object.assign({ bubbles: true }, init))); }
send(box("main").querySelector("rect"), "mouseover");
seen.push($("#details").textContent);
seen.push("main " + share("main"));
send(box("main").querySelector("rect"), "click");
seen.push("zoomed " + share("main") + " task " + share("V8 Worker 12") + " other " + getComputedStyle(box("server")).display);
send($("#reset"), "click");
seen.push("reset " + share("main"));
send(window, "keydown", { key: "f", ctrlKey: true }, KeyboardEvent);
$("input").value = "sched|^push"; send($("input"), "input", {}, Event);
seen.push($("#matched").textContent + " " + document.querySelectorAll(".match").length);
$("input").value = "("; send($("input"), "input", {}, Event);
seen.push($("#matched").textContent);
send(window, "keydown", { key: "Escape" }, KeyboardEvent);
seen.push("closed " + document.querySelectorAll(".match").length);
document.documentElement.setAttribute("data-seen", seen.join("; "));
</script>
</svg>`

// Hover, zoom and search work in a browser without network.
func TestFlamegraphInBrowser(t *testing.T) {
	chromium := testenv.Tool(t, "chromium")
	svg := convert(t, "flamegraph", export.Request{}, testCapture(t))
	svg = append(bytes.TrimSuffix(svg, []byte("</svg>\n")), driver...)
	file := filepath.Join(t.TempDir(), "flame.svg")
	if err := os.WriteFile(file, svg, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--window-size=1200,800",
		"--user-data-dir="+t.TempDir(), "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--no-first-run", "file://"+file).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_, seen, _ := strings.Cut(string(out), `data-seen="`)
	seen, _, _ = strings.Cut(seen, `"`)
	want := "main — server · user · 3 hits · 20.00 %; main 20; zoomed 100 task 100 other none; reset 20; " +
		"matched: 46.67 % 2; not a regular expression; closed 0"
	if seen != want {
		t.Errorf("seen in the browser:\n%s\nwant:\n%s", seen, want)
	}
}

// No capture makes a format panic or produce invalid XML.
func FuzzFormats(f *testing.F) {
	capture := testCapture(f)
	f.Add(capture)
	f.Add(capture[:len(capture)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range export.Formats {
			var out bytes.Buffer
			r := export.Request{Inputs: inputs(data), Labels: true, Annotate: true, Stacks: true}
			if _, err := format.Write(&out, &r); err != nil || format.Name != "flamegraph" {
				continue
			}
			d := xml.NewDecoder(&out)
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
