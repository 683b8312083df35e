package dcap

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Field is a piece of a quote as it lies there.
type Field struct {
	Offset int
	Name   string // dotted: "report.mr_td"
	Value  []byte
	Note   string // what the value means; "" when it speaks for itself
}

// Description explains a quote field by field, whether it verifies or not.
type Description struct {
	Fields   []Field
	Problems []string // why the quote cannot be verified, in the order of the bytes; empty when its form is good
	Quote    *Quote   // nil when Parse refuses it
}

// Describe walks any bytes as a quote as far as they go. It judges the form and what the quote says of itself;
// genuineness needs collateral and Verify.
func Describe(raw []byte) Description {
	d := &describer{c: cursor{rest: raw, ok: true}, size: len(raw)}
	d.header()
	d.body()
	d.signatureData()
	if d.c.ok && len(d.c.rest) > 0 {
		d.field("trailing", len(d.c.rest), "after the signature data: never interpreted")
	}
	q, f := parseQuote(raw)
	if f != nil && len(d.out.Problems) == 0 {
		d.problem(f.detail)
	}
	if f == nil {
		d.out.Quote = q
	}
	return d.out
}

type describer struct {
	out     Description
	c       cursor
	size    int
	version uint16
	tee     TEE
}

func (d *describer) problem(text string) {
	for _, p := range d.out.Problems {
		if p == text {
			return
		}
	}
	d.out.Problems = append(d.out.Problems, text)
}

// field takes n bytes; a short rest is taken as it is and ends the walk.
func (d *describer) field(name string, n int, note string) []byte {
	if !d.c.ok {
		return nil
	}
	at := d.size - len(d.c.rest)
	b := d.c.take(n)
	if b == nil && n > 0 {
		d.problem(fmt.Sprintf("%s needs %d bytes at offset %d, %d are left", name, n, at, len(d.c.rest)))
		if b = d.c.rest; len(b) == 0 {
			return nil
		}
		note = "cut short"
		d.c.rest = nil
	}
	d.out.Fields = append(d.out.Fields, Field{at, name, b, note})
	if !d.c.ok {
		return nil
	}
	return b
}

// note replaces the note of the last field.
func (d *describer) note(text string) {
	if len(d.out.Fields) > 0 {
		d.out.Fields[len(d.out.Fields)-1].Note = text
	}
}

func (d *describer) u16(name string, meaning func(v uint16) string) uint16 {
	b := d.field(name, 2, "")
	if b == nil {
		return 0
	}
	v := binary.LittleEndian.Uint16(b)
	d.note(meaning(v))
	return v
}

func (d *describer) u32(name string, meaning func(v uint32) string) uint32 {
	b := d.field(name, 4, "")
	if b == nil {
		return 0
	}
	v := binary.LittleEndian.Uint32(b)
	d.note(meaning(v))
	return v
}

func (d *describer) header() {
	d.version = d.u16("header.version", func(v uint16) string { return fmt.Sprintf("version %d", v) })
	d.u16("header.attestation_key_type", d.keyType)
	d.tee = TEE(d.u32("header.tee_type", func(v uint32) string { return TEE(v).String() }))
	d.u16("header.qe_svn", func(v uint16) string { return fmt.Sprint(v) })
	d.u16("header.pce_svn", func(v uint16) string { return fmt.Sprint(v) })
	vendor := d.field("header.qe_vendor_id", 16, "")
	if vendor != nil && bytes.Equal(vendor, intelQEVendor[:]) {
		d.note("Intel")
	} else if vendor != nil {
		d.note("not Intel's quoting enclave")
		d.problem("the QE vendor id is not Intel's: no genuine Intel quoting enclave made this quote")
	}
	user := d.field("header.user_data", 20, "first 16 bytes: id of the quoting enclave")
	if bytes.HasPrefix(user, []byte("TEAPOT-SIMULATED")) {
		d.note("made by Teapot's simulator")
	}
}

func (d *describer) keyType(v uint16) string {
	switch v {
	case 2:
		return "ECDSA P-256"
	case 3:
		d.problem("the attestation key type is 3 (ECDSA P-384): Intel publishes no collateral for it, only 2 (P-256) can be verified")
		return "ECDSA P-384, not verifiable"
	}
	d.problem(fmt.Sprintf("the attestation key type %d is unknown", v))
	return "unknown"
}

func (d *describer) parts(prefix string, parts []part) {
	for _, p := range parts {
		b := d.field(prefix+p.name, p.size, "")
		if b == nil {
			return
		}
		d.note(meaning(p.name, b))
	}
}

func (d *describer) body() {
	kind := BodySGX
	if d.tee == TDX {
		kind = BodyTD10
	} else if d.tee != SGX {
		d.problem(fmt.Sprintf("the TEE type 0x%x is unknown", uint32(d.tee)))
		d.c.ok = false
		return
	}
	if d.version < 3 || d.version > 5 {
		d.problem(fmt.Sprintf("quote version %d is unknown; 3, 4 and 5 are", d.version))
		d.c.ok = false
		return
	}
	if d.version == 5 {
		kind = d.u16("body.type", func(v uint16) string {
			return map[uint16]string{1: "SGX enclave report", 2: "TD report 1.0", 3: "TD report 1.5", 4: "TD report 1.5 extended"}[v]
		})
		d.u32("body.size", func(v uint32) string { return fmt.Sprintf("%d bytes", v) })
	}
	switch kind {
	case BodySGX:
		d.parts("report.", enclaveParts)
	case BodyTD10:
		d.parts("report.", tdParts)
	case BodyTD15, BodyTD15Extended:
		d.parts("report.", tdParts)
		d.parts("report.", td15Parts)
		if kind == BodyTD15Extended {
			d.parts("report.", tdExtendedParts)
		}
	default:
		d.problem(fmt.Sprintf("the body type %d is unknown", kind))
		d.c.ok = false
	}
}

func (d *describer) signatureData() {
	n := d.u32("signature.length", func(v uint32) string { return fmt.Sprintf("%d bytes follow", v) })
	if d.c.ok && uint64(n) > uint64(len(d.c.rest)) {
		d.problem(fmt.Sprintf("the signature data should have %d bytes, %d are left", n, len(d.c.rest)))
	}
	d.field("signature.quote", 64, "r, s over header and report")
	ak := d.field("signature.attestation_key", 64, "x, y")
	if ak != nil {
		d.note("x, y: a point on P-256")
		if _, ok := publicKey(ak); !ok {
			d.note("x, y: not a point on P-256")
			d.problem("the attestation key is not a point on the curve P-256: nobody can have signed with it")
		}
	}
	if d.version > 3 {
		d.u16("certification.type", d.outerType)
		d.u32("certification.size", func(v uint32) string { return fmt.Sprintf("%d bytes", v) })
	}
	report := len(d.out.Fields)
	d.parts("qe_report.", enclaveParts)
	d.field("qe_report.signature", 64, "r, s by the PCK key over the QE report")
	length := d.u16("qe_auth.length", func(v uint16) string { return fmt.Sprintf("%d bytes", v) })
	auth := d.field("qe_auth.data", int(length), "")
	if d.c.ok {
		d.binding(ak, auth, d.out.Fields[report:])
	}
	d.certification()
}

func (d *describer) outerType(v uint16) string {
	if v != 6 {
		d.problem(fmt.Sprintf("the certification data has type %d where this version has 6 (QE report certification data)", v))
		return "unexpected"
	}
	return "QE report certification data"
}

// binding says whether the QE report names the attestation key.
func (d *describer) binding(ak, auth []byte, qe []Field) {
	sum := sha256.Sum256(append(bytes.Clone(ak), auth...))
	for i := range qe {
		if qe[i].Name != "qe_report.report_data" {
			continue
		}
		qe[i].Note = "SHA-256 of attestation key and authentication data"
		if !bytes.Equal(sum[:], qe[i].Value[:32]) {
			qe[i].Note = "not the SHA-256 of attestation key and authentication data"
			d.problem("the QE report does not vouch for the attestation key: the hash in its report data differs")
		}
	}
}

func (d *describer) certification() {
	kind := d.u16("qe_certification.type", func(v uint16) string { return certTypeNames[v] })
	size := d.u32("qe_certification.size", func(v uint32) string { return fmt.Sprintf("%d bytes", v) })
	if !d.c.ok {
		return
	}
	if _, known := certTypeNames[kind]; !known {
		d.note("")
		d.problem(fmt.Sprintf("the inner certification data has the unknown type 0x%04x", kind))
	}
	d.field("qe_certification.data", int(min(uint64(size), uint64(len(d.c.rest)))), "")
	d.chain(kind)
}

func (d *describer) chain(kind uint16) {
	if len(d.out.Fields) == 0 {
		return
	}
	last := &d.out.Fields[len(d.out.Fields)-1]
	blocks, ok := pemBlocks(last.Value, pemCertificate, 8)
	if !ok || len(blocks) == 0 {
		if kind >= 1 && kind <= 4 {
			last.Note = "no chain: it must come from the collateral"
			return
		}
		d.problem("there is no PCK certificate chain: no signature leads to a CPU maker's root, and no FMSPC says which collateral to ask for")
		return
	}
	last.Note = ""
	for _, b := range blocks {
		c, ok := parseCertificate(b)
		name := "unreadable certificate"
		if ok {
			name = c.cn
			if p, ok := parsePCK(c.sgx); ok {
				name += fmt.Sprintf(" (FMSPC %X, PCE SVN %d)", p.FMSPC, p.PCESVN)
			}
		}
		if last.Note != "" {
			name = " ← " + name
		}
		last.Note += name
	}
}
