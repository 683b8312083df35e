package memory_test

import (
	"strconv"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/tlog"
)

// heard puts a message of somebody into a room.
func (d *desk) heard(t *testing.T, who string, said tlog.Speaker) {
	t.Helper()
	b := memory.Body{Text: "x"}
	content, media, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.log.Append(t.Context(), actionlog.Entry{Type: record.Message, Room: room, User: who, Speaker: said, Source: tlog.SourceRuntime, MediaType: media, Content: content})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), memory.Item{Index: p[0].Index, Type: record.Message, Room: room, User: who, Said: said, Body: b}, p[0].Addendum); err != nil {
		t.Fatal(err)
	}
}

// Whose a room is follows from its messages, so it is the same before and after a restart, and after the file was lost.
func TestWhoseARoomIs(t *testing.T) {
	alice, mallory := uuid.Of("alice"), uuid.Of("mallory")
	const claimed, secret, token = tlog.SpeakerClaimed, tlog.SpeakerRoomSecret, tlog.SpeakerToken
	type word struct {
		who  string
		said tlog.Speaker
	}
	for name, c := range map[string]struct {
		said               []word
		byName, byStranger bool // whether alice and mallory come in by their names alone
	}{
		"nobody spoke":                          {nil, true, true},
		"alice spoke":                           {[]word{{alice, claimed}}, true, false},
		"alice spoke and the operator answered": {[]word{{alice, claimed}, {mallory, token}}, true, false},
		"alice showed the secret":               {[]word{{alice, claimed}, {alice, secret}}, false, false},
		"a friend showed it":                    {[]word{{alice, claimed}, {mallory, secret}, {mallory, secret}}, false, false},
		"the operator began":                    {[]word{{alice, token}}, false, false},
		"the operator began and went on":        {[]word{{alice, token}, {alice, token}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			for _, w := range c.said {
				d.heard(t, w.who, w.said)
			}
			check := func(when string) {
				t.Helper()
				for who, want := range map[string]bool{alice: c.byName, mallory: c.byStranger} {
					if len(c.said) == 0 && who == mallory {
						continue // one of them is first
					}
					_, in, err := d.Enter(t.Context(), room, memory.Visitor{User: who, Said: claimed})
					if err != nil || in != want {
						t.Errorf("%s: %s comes in: %v, want %v (%v)", when, who, in, want, err)
					}
				}
				for _, s := range []tlog.Speaker{secret, token} {
					if _, in, err := d.Enter(t.Context(), room, memory.Visitor{User: mallory, Said: s}); err != nil || !in {
						t.Errorf("%s: proof %s does not open it (%v)", when, s, err)
					}
				}
			}
			check("at once")
			d.reopen(t)
			check("after a restart")
			if err := d.Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Rebuild(t.Context(), d.log); err != nil {
				t.Fatal(err)
			}
			check("after the file was lost")
		})
	}
}

// Strangers can name any number of rooms; what is forgotten in the process is read again from disk.
func TestClaimsAreForgottenAndReadAgain(t *testing.T) {
	d := newDesk(t)
	d.rooms = 8
	d.reopen(t)
	alice, mallory := uuid.Of("alice"), uuid.Of("mallory")
	d.heard(t, alice, tlog.SpeakerClaimed)
	enter := func(room, who string) (first, in bool) {
		t.Helper()
		first, in, err := d.Enter(t.Context(), room, memory.Visitor{User: who, Said: tlog.SpeakerClaimed})
		if err != nil {
			t.Fatal(err)
		}
		return first, in
	}
	enter(room, alice)
	for i := range 500 {
		enter(strconv.Itoa(i), mallory)
	}
	if n := memory.Claims(d.Store); n > 8*8 {
		t.Errorf("%d claims are kept", n)
	}
	if first, in := enter(room, mallory); first || in {
		t.Error("the room was forgotten: another came in")
	}
	if _, in := enter(room, alice); !in {
		t.Error("who spoke there first is not let in any more")
	}
}

// The first in a room is given its secret. A host that takes a room's rows out of the file, with as many others in their place, makes
// nobody first a second time.
func TestWithheldRowsMakeNobodyFirst(t *testing.T) {
	d := newDesk(t)
	alice, mallory := uuid.Of("alice"), uuid.Of("mallory")
	d.heard(t, alice, tlog.SpeakerClaimed)
	for name, query := range map[string]string{
		"rows are put under another room": "UPDATE items SET room='elsewhere' WHERE type='message'",
		"rows are gone":                   "UPDATE items SET type='gone', room='', addendum=x'' WHERE type='message'",
	} {
		d.tamper(t, query)
		if n, err := d.Rebuild(t.Context(), d.log); err != nil || n != 0 {
			t.Fatalf("%s: the count gave it away: %d, %v", name, n, err)
		}
		for _, who := range []string{mallory, alice} {
			if first, in, err := d.Enter(t.Context(), room, memory.Visitor{User: who, Said: tlog.SpeakerClaimed}); err != nil || first || in != (who == alice) {
				t.Errorf("%s: %s is first %v, in %v, %v", name, who, first, in, err)
			}
		}
		if err := d.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Rebuild(t.Context(), d.log); err != nil {
			t.Fatal(err)
		}
		d.Flush()
	}
	if first, in, err := d.Enter(t.Context(), room, memory.Visitor{User: alice, Said: tlog.SpeakerClaimed}); err != nil || first || !in {
		t.Errorf("alice after the file was rebuilt: first %v, in %v, %v", first, in, err)
	}
}

// Having one's words erased does not open the room again: who spoke how stays in the log.
func TestErasureDoesNotOpenARoom(t *testing.T) {
	d, alice := newDesk(t), uuid.Of("alice")
	d.heard(t, alice, tlog.SpeakerClaimed)
	d.heard(t, alice, tlog.SpeakerRoomSecret)
	shown := d.log.Size() - 1
	if _, err := d.log.Erase(t.Context(), actionlog.Erasure{Targets: []uint64{shown}, Requester: tlog.RequesterOperator, Reason: "asked"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Forget(t.Context(), []uint64{shown}); err != nil {
		t.Fatal(err)
	}
	d.reopen(t)
	if _, in, err := d.Enter(t.Context(), room, memory.Visitor{User: alice, Said: tlog.SpeakerClaimed}); err != nil || in {
		t.Errorf("the name alone opens it: %v, %v", in, err)
	}
}

// The secret closes a room when it is shown, not when what was said with it is remembered.
func TestShowingTheSecretCloses(t *testing.T) {
	d, alice := newDesk(t), uuid.Of("alice")
	d.heard(t, alice, tlog.SpeakerClaimed)
	for _, said := range []tlog.Speaker{tlog.SpeakerRoomSecret, tlog.SpeakerClaimed} {
		_, in, err := d.Enter(t.Context(), room, memory.Visitor{User: alice, Said: said})
		if err != nil || in != (said == tlog.SpeakerRoomSecret) {
			t.Errorf("%s: %v, %v", said, in, err)
		}
	}
}
