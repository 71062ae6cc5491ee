package probe

// unsupported refuses what the grammar has and resolving does not: [UnsupportedError].
func unsupported(ev *Event) error {
	if (ev.Line != 0 || ev.Source != "") && !ev.inUserSpace() {
		return &UnsupportedError{Event: ev.Text, Feature: "lines of the kernel's source", Reason: "this version cannot record them"}
	}
	return nil
}
