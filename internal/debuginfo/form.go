package debuginfo

import (
	"debug/dwarf"

	"trapline/internal/cursor"
)

// Attribute forms: DWARF 5, section 7.5.6, and GNU's.
const (
	formAddr         = 0x01
	formBlock2       = 0x03
	formBlock4       = 0x04
	formData2        = 0x05
	formData4        = 0x06
	formData8        = 0x07
	formString       = 0x08
	formBlock        = 0x09
	formBlock1       = 0x0a
	formData1        = 0x0b
	formFlag         = 0x0c
	formSdata        = 0x0d
	formStrp         = 0x0e
	formUdata        = 0x0f
	formRefAddr      = 0x10
	formRef1         = 0x11
	formRef2         = 0x12
	formRef4         = 0x13
	formRef8         = 0x14
	formRefUdata     = 0x15
	formIndirect     = 0x16
	formSecOffset    = 0x17
	formExprloc      = 0x18
	formFlagPresent  = 0x19
	formStrx         = 0x1a
	formAddrx        = 0x1b
	formRefSup4      = 0x1c
	formStrpSup      = 0x1d
	formData16       = 0x1e
	formLineStrp     = 0x1f
	formRefSig8      = 0x20
	formImplicit     = 0x21
	formLoclistx     = 0x22
	formRnglistx     = 0x23
	formRefSup8      = 0x24
	formStrx1        = 0x25
	formStrx2        = 0x26
	formStrx3        = 0x27
	formStrx4        = 0x28
	formAddrx1       = 0x29
	formAddrx2       = 0x2a
	formAddrx3       = 0x2b
	formAddrx4       = 0x2c
	formGNUAddrIndex = 0x1f01
	formGNUStrIndex  = 0x1f02
	formGNURefAlt    = 0x1f20
	formGNUStrpAlt   = 0x1f21

	attrMIPSLinkageName = dwarf.Attr(0x2007) // used before DWARF 4
)

// An encoding determines the sizes of a unit's values.
type encoding struct {
	version  uint16
	addrSize uint8 // 4 or 8
	offSize  uint8 // 4 or 8
}

// A value is an attribute in its stored form.
type value struct {
	form uint16 // 0 if absent
	num  uint64
	text []byte // of formString; not copied
}

// An attrSpec is one attribute of an abbreviation.
type attrSpec struct {
	attr     dwarf.Attr
	form     uint16
	implicit int64
}

// fixedSize returns the size of a form in bytes, or -1 if it varies.
func (e encoding) fixedSize(form uint16) int {
	switch form {
	case formFlagPresent, formImplicit:
		return 0
	case formData1, formRef1, formFlag, formStrx1, formAddrx1:
		return 1
	case formData2, formRef2, formStrx2, formAddrx2:
		return 2
	case formStrx3, formAddrx3:
		return 3
	case formData4, formRef4, formStrx4, formAddrx4, formRefSup4:
		return 4
	case formData8, formRef8, formRefSig8, formRefSup8:
		return 8
	case formData16:
		return 16
	case formAddr:
		return int(e.addrSize)
	case formStrp, formSecOffset, formLineStrp, formStrpSup, formGNURefAlt, formGNUStrpAlt:
		return int(e.offSize)
	case formRefAddr:
		if e.version == 2 {
			return int(e.addrSize)
		}
		return int(e.offSize)
	}
	return -1
}

// read reads the value of an attribute.
func (e encoding) read(c *cursor.Cursor, a attrSpec) value {
	v := value{form: a.form}
	switch size := e.fixedSize(a.form); {
	case size == 16:
		c.Skip(16)
		return v
	case size > 0:
		v.num = c.Uint(size)
		return v
	}
	switch a.form {
	case formFlagPresent:
		v.num = 1
	case formImplicit:
		v.num = uint64(a.implicit)
	case formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx, formGNUAddrIndex, formGNUStrIndex:
		v.num = c.Uleb()
	case formSdata:
		v.num = uint64(c.Sleb())
	case formString:
		v.text = c.CString()
	case formBlock1:
		c.Skip(c.Uint(1))
	case formBlock2:
		c.Skip(c.Uint(2))
	case formBlock4:
		c.Skip(c.Uint(4))
	case formBlock, formExprloc:
		c.Skip(c.Uleb())
	case formIndirect:
		form := c.Uleb()
		if form == formIndirect || form == formImplicit || form > 0xffff {
			c.Fail()
			return v
		}
		return e.read(c, attrSpec{attr: a.attr, form: uint16(form)})
	default:
		// The size of an unknown form is unknown, so nothing after it can be read.
		c.Fail()
	}
	return v
}
