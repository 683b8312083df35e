package actionlog

import (
	"bytes"
	"testing"
)

func records() []stored {
	return []stored{
		{leaf: []byte("leaf one")},
		{leaf: []byte("leaf two"), form: contentSealed | withIdem, idem: [16]byte{1}, request: [16]byte{2}, wrapped: make([]byte, wrapSize), content: []byte("sealed")},
		{leaf: []byte("boot"), form: contentClear, content: joinPublic([]byte("s"), nil, []byte("e"))},
	}
}

func TestPayloadsRoundTrip(t *testing.T) {
	var many []stored
	for range 200 {
		many = append(many, records()...)
	}
	groups := payloads(7, many, []byte("checkpoint"))
	if len(groups) < 2 {
		t.Fatalf("%d frames", len(groups))
	}
	next, seen := uint64(7), 0
	for i, g := range groups {
		f, err := parsePayload(g)
		if err != nil {
			t.Fatal(err)
		}
		if f.first != next || (len(f.checkpoint) > 0) != (i == len(groups)-1) || countOf(g) != len(f.entries) {
			t.Fatalf("frame %d begins at %d with checkpoint %q", i, f.first, f.checkpoint)
		}
		for _, e := range f.entries {
			want := many[seen]
			if !bytes.Equal(e.leaf, want.leaf) || e.form != want.form || !bytes.Equal(e.content, want.content) || e.idem != want.idem || e.request != want.request {
				t.Fatalf("entry %d: %+v, want %+v", seen, e, want)
			}
			seen++
		}
		next += uint64(len(f.entries))
	}
	if seen != len(many) {
		t.Errorf("%d of %d entries", seen, len(many))
	}
	s, p, e, err := (&records()[2]).public()
	if string(s) != "s" || len(p) != 0 || string(e) != "e" || err != nil {
		t.Errorf("public bytes: %q %q %q %v", s, p, e, err)
	}
}

// FuzzParsePayload: what parses is what would be written.
func FuzzParsePayload(f *testing.F) {
	f.Add(payloads(3, records(), []byte("note"))[0])
	f.Add([]byte{payloadVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parsePayload(b)
		if err != nil {
			return
		}
		size := 0
		for i := range c.entries {
			size += c.entries[i].size()
		}
		if again := payload(c.first, c.entries, size, c.checkpoint, true); !bytes.Equal(again, b) {
			t.Fatalf("%x was read and %x would be written", b, again)
		}
	})
}
