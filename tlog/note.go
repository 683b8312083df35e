package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Types of keys in notes (C2SP signed-note).
const (
	AlgEd25519     = 0x01 // plain Ed25519 over the text: logs
	AlgCosignature = 0x04 // timestamped Ed25519: witnesses
)

const (
	maxNote       = 1 << 16
	maxSignatures = 64
	emDash        = "— "
)

// Verifier is the public key of a log or witness with its name: C2SP's vkey.
type Verifier struct {
	Name string
	Type byte
	Key  ed25519.PublicKey
}

// ID returns the key id that stands before signatures: SHA-256(name ‖ 0x0A ‖ type ‖ key)[0:4]. It identifies and proves nothing.
func (v Verifier) ID() uint32 {
	sum := sha256.Sum256(append(append([]byte(v.Name), '\n', v.Type), v.Key...))
	return binary.BigEndian.Uint32(sum[:4])
}

// String returns the vkey: name+hash+base64(type ‖ key).
func (v Verifier) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.Name, v.ID(), base64.StdEncoding.EncodeToString(append([]byte{v.Type}, v.Key...)))
}

// ParseVerifier reads a vkey of a type that we know, strictly.
func ParseVerifier(vkey string) (Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, key, ok := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	if !ok || err != nil || !validName(name) || len(raw) != 1+ed25519.PublicKeySize {
		return Verifier{}, fmt.Errorf("vkey %q: want name+hash+base64 of an Ed25519 key", clip(vkey))
	}
	v := Verifier{name, raw[0], raw[1:]}
	if v.Type != AlgEd25519 && v.Type != AlgCosignature {
		return Verifier{}, fmt.Errorf("vkey %q: signature type 0x%02x is not known here", clip(vkey), v.Type)
	}
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 4 || v.String() != vkey {
		return Verifier{}, fmt.Errorf("vkey %q: its hash does not belong to this name and key", clip(vkey))
	}
	return v, nil
}

// validName is signed-note's rule: not empty, no Unicode space, no plus.
func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.Contains(name, "+") && strings.IndexFunc(name, unicode.IsSpace) < 0
}

// Note is a parsed signed note. Nothing in it is verified.
type Note struct {
	Text string // with its final newline
	Sigs []NoteSignature
}

// NoteSignature is one signature line.
type NoteSignature struct {
	Name string
	ID   uint32
	Sig  []byte // without the key id
}

// ParseNote splits a signed note strictly.
func ParseNote(b []byte) (Note, error) {
	if len(b) > maxNote {
		return Note{}, fmt.Errorf("note: %d bytes, the limit is %d", len(b), maxNote)
	}
	cut := bytes.LastIndex(b, []byte("\n\n"))
	if cut < 0 || !validText(b[:cut+1]) {
		return Note{}, errors.New("note: want a text of UTF-8 lines, an empty line, and signature lines")
	}
	n := Note{Text: string(b[:cut+1])}
	lines, ok := strings.CutSuffix(string(b[cut+2:]), "\n")
	if !ok {
		return Note{}, errors.New("note: the last signature line does not end")
	}
	for line := range strings.SplitSeq(lines, "\n") {
		s, err := parseSignature(line)
		if err != nil {
			return Note{}, err
		}
		if n.Sigs = append(n.Sigs, s); len(n.Sigs) > maxSignatures {
			return Note{}, fmt.Errorf("note: more than %d signatures", maxSignatures)
		}
	}
	return n, nil
}

func parseSignature(line string) (NoteSignature, error) {
	rest, ok := strings.CutPrefix(line, emDash)
	name, b64, ok2 := strings.Cut(rest, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	if !ok || !ok2 || err != nil || !validName(name) || len(raw) < 5 || base64.StdEncoding.EncodeToString(raw) != b64 {
		return NoteSignature{}, fmt.Errorf("note: malformed signature line %q", clip(line))
	}
	return NoteSignature{name, binary.BigEndian.Uint32(raw), raw[4:]}, nil
}

func validText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < 0x20 && c != '\n' {
			return false
		}
	}
	return true
}

// Outcome of looking for one key's signature on a note.
type SigOutcome uint8

// Outcomes. The zero value says that the key did not sign.
const (
	SigMissing SigOutcome = iota
	SigBad                // a line with the key's name and id does not verify: the note must be refused
	SigGood
)

// Verify looks for v's signature; v is of type AlgEd25519. All lines with its name and id must verify.
func (n Note) Verify(v Verifier) SigOutcome {
	out := SigMissing
	id := v.ID()
	for _, s := range n.Sigs {
		if s.Name != v.Name || s.ID != id {
			continue
		}
		if v.Type != AlgEd25519 || len(v.Key) != ed25519.PublicKeySize || !ed25519.Verify(v.Key, []byte(n.Text), s.Sig) {
			return SigBad
		}
		out = SigGood
	}
	return out
}

// appendSignature appends one signature line.
func appendSignature(b []byte, name string, id uint32, sig []byte) []byte {
	raw := append(binary.BigEndian.AppendUint32(nil, id), sig...)
	b = append(append(b, emDash...), name...)
	b = base64.StdEncoding.AppendEncode(append(b, ' '), raw)
	return append(b, '\n')
}
