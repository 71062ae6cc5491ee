package symbol

type dwarfData struct{}

func (e *ELF) readDWARF() *dwarfData     { return nil }
func (d *dwarfData) calls(uint64) []Call { return nil }
