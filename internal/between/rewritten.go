package between

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/teapot-tee/teapot/bundle"
)

// record is one part of a bundle as docs/formats/bundle.md has it: kind ‖ u32 length ‖ body.
type record struct {
	kind byte
	body []byte
}

const kindEntry, kindEnd = 7, 9

// Rewritten is a bundle made anew with a right checksum: change sees the leaf and the addendum of each entry that the bundle holds,
// the last one last, and spoils them in place. It knows the format only, as somebody's own program would.
func Rewritten(raw []byte, change func(last bool, leaf, addendum []byte)) ([]byte, error) {
	records, err := split(bytes.Clone(raw))
	if err != nil {
		return nil, err
	}
	last := 0
	for i, r := range records {
		if r.kind == kindEntry {
			last = i
		}
	}
	out := []byte(bundle.Magic)
	for i, r := range records {
		switch r.kind {
		case kindEntry:
			end := 3 + int(binary.BigEndian.Uint16(r.body[1:]))
			change(i == last, r.body[3:end], r.body[end:])
		case kindEnd:
			sum := sha256.Sum256(out)
			r.body = sum[:]
		}
		out = binary.BigEndian.AppendUint32(append(out, r.kind), uint32(len(r.body)))
		out = append(out, r.body...)
	}
	return out, nil
}

func split(raw []byte) ([]record, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(bundle.Magic))
	if !ok {
		return nil, errors.New("no bundle")
	}
	var records []record
	for len(rest) > 0 {
		if len(rest) < 5 {
			return nil, errors.New("a record is cut short")
		}
		end := 5 + int(binary.BigEndian.Uint32(rest[1:]))
		if end > len(rest) {
			return nil, errors.New("a record is cut short")
		}
		records, rest = append(records, record{rest[0], rest[5:end]}), rest[end:]
	}
	return records, nil
}
