package tlog

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

const testAgent = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"

func testOrigin() string { return Origin(testAgent, pub(1)) }

// message is a leaf with every optional field but the bodies.
func message() *Leaf {
	privacy := bytes.Repeat([]byte{7}, 32)
	return &Leaf{
		Origin: testOrigin(), Boot: 2, Index: 300, Type: "message", KSeq: 70, Kinds: Digest([]byte("kinds")),
		Room: RoomPseudonym(privacy, "room-1"), User: UserPseudonym(privacy, "user-1"), Speaker: SpeakerClaimed, Source: SourceRuntime,
		Time: 1760000000000000, Clamped: true,
		Content: Content{Commit(make([]byte, 40)), "text/plain; charset=utf-8", SizeClass(8), VisiblePublic},
		Cause:   []uint64{3, 299},
	}
}

func start() *Leaf {
	return &Leaf{
		Origin: testOrigin(), Type: TypeBoot, Kinds: Digest([]byte("k")), Source: SourceRuntime, Time: 1760000000000000,
		Start: &Start{Digest([]byte("statement")), Digest([]byte("part")), Digest([]byte("evidence")), EmptyRoot(), [32]byte(pub(2)), [32]byte(pub(3))},
	}
}

func erasure() *Leaf {
	l := message()
	l.Type, l.Content, l.Cause = TypeErasure, Content{}, nil
	l.Erased = &Erasure{[]Target{{5, "message"}, {9, "app/note"}}, RequesterUser, l.User, "asked by the person"}
	return l
}

func sign(t testing.TB, l *Leaf) []byte {
	t.Helper()
	b, err := l.Sign(key(3))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLeafRoundTrip(t *testing.T) {
	for name, l := range map[string]*Leaf{"message": message(), "boot": start(), "erasure": erasure(), "bare": {Origin: testOrigin(), Type: "note"}} {
		b := sign(t, l)
		got, err := DecodeLeaf(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !got.Verify(pub(3)) || got.Verify(pub(2)) {
			t.Errorf("%s: signature", name)
		}
		back, err := got.Encode()
		if err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: encode(decode(b)) is not b: %v", name, err)
		}
		got.raw, l.raw = rawLeaf{}, rawLeaf{}
		if !reflect.DeepEqual(got, l) {
			t.Errorf("%s: got %+v, want %+v", name, got, l)
		}
	}
}

func TestLeafFlippedBitsNeverVerify(t *testing.T) {
	for _, l := range []*Leaf{message(), start(), erasure()} {
		b := sign(t, l)
		for i := range len(b) {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << (i % 8)
			if got, err := DecodeLeaf(bad); err == nil && got.Verify(pub(3)) {
				t.Fatalf("a bit of byte %d of %s flipped and it verifies", i, l.Type)
			}
		}
		for i := range b {
			if _, err := DecodeLeaf(b[:i]); err == nil {
				t.Fatalf("%d of %d bytes of %s decode", i, len(b), l.Type)
			}
		}
		if _, err := DecodeLeaf(append(bytes.Clone(b), 0)); err == nil {
			t.Fatal("a byte after the end was taken")
		}
	}
}

// TestLeafRules has one wrong field each; neither Sign nor Decode may take it.
func TestLeafRules(t *testing.T) {
	for name, spoil := range map[string]func(*Leaf){
		"origin":                    func(l *Leaf) { l.Origin = "example.com/log" },
		"type empty":                func(l *Leaf) { l.Type = "" },
		"type upper case":           func(l *Leaf) { l.Type = "Message" },
		"type with two slashes":     func(l *Leaf) { l.Type = "app/a/b" },
		"type not app":              func(l *Leaf) { l.Type = "own/a" },
		"type too long":             func(l *Leaf) { l.Type = strings.Repeat("a", 65) },
		"boot without body":         func(l *Leaf) { l.Type = TypeBoot },
		"erasure without body":      func(l *Leaf) { l.Type = TypeErasure },
		"message with boot body":    func(l *Leaf) { l.Start = start().Start },
		"message with erasure body": func(l *Leaf) { l.Erased = erasure().Erased },
		"index out of range":        func(l *Leaf) { l.Index = MaxCount + 1 },
		"boot number out of range":  func(l *Leaf) { l.Boot = MaxCount + 1 },
		"time out of range":         func(l *Leaf) { l.Time = MaxCount + 1 },
		"kseq above index":          func(l *Leaf) { l.KSeq = l.Index + 1 },
		"speaker unknown":           func(l *Leaf) { l.Speaker = 4 },
		"source unknown":            func(l *Leaf) { l.Source = 4 },
		"visibility unknown":        func(l *Leaf) { l.Content.Visibility = 3 },
		"media type empty":          func(l *Leaf) { l.Content.MediaType = "" },
		"media type with newline":   func(l *Leaf) { l.Content.MediaType = "text/plain\n" },
		"commitment of zeros":       func(l *Leaf) { l.Content.Commitment = Hash{} },
		"size class":                func(l *Leaf) { l.Content.SizeClass = 64 },
		"cause is itself":           func(l *Leaf) { l.Cause = []uint64{l.Index} },
		"cause in the future":       func(l *Leaf) { l.Cause = []uint64{l.Index + 1} },
		"causes out of order":       func(l *Leaf) { l.Cause = []uint64{9, 3} },
		"causes twice":              func(l *Leaf) { l.Cause = []uint64{3, 3} },
		"too many causes":           func(l *Leaf) { l.Cause = make([]uint64, MaxCause+1) },
	} {
		l := message()
		spoil(l)
		if _, err := l.Sign(key(3)); err == nil {
			t.Errorf("%s: signed", name)
		}
		if strings.HasPrefix(name, "origin") || name == "type too long" {
			continue // has no encoding
		}
		if _, err := DecodeLeaf(forced(l)); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

func TestBootAndErasureRules(t *testing.T) {
	for name, spoil := range map[string]func(*Leaf){
		"no targets":        func(l *Leaf) { l.Erased.Targets = nil },
		"target not before": func(l *Leaf) { l.Erased.Targets[1].Index = l.Index },
		"targets unordered": func(l *Leaf) { l.Erased.Targets[0].Index = 9 },
		"target type":       func(l *Leaf) { l.Erased.Targets[0].Type = "X" },
		"too many targets":  func(l *Leaf) { l.Index = 9999; l.Erased.Targets = manyTargets(MaxTargets + 1) },
		"no requester":      func(l *Leaf) { l.Erased.Requester = 0 },
		"unknown requester": func(l *Leaf) { l.Erased.Requester = 5 },
		"no reason":         func(l *Leaf) { l.Erased.Reason = "" },
		"reason too long":   func(l *Leaf) { l.Erased.Reason = strings.Repeat("x", MaxReason+1) },
		"reason not UTF-8":  func(l *Leaf) { l.Erased.Reason = "\xff" },
	} {
		l := erasure()
		spoil(l)
		if _, err := l.Sign(key(3)); err == nil {
			t.Errorf("%s: signed", name)
		}
		if _, err := DecodeLeaf(forced(l)); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
	l := start()
	l.Content = message().Content
	if _, err := l.Sign(key(3)); err == nil {
		t.Error("a boot leaf with content was signed")
	}
	l = start()
	l.Boot, l.Index = 1, 5
	if _, err := l.Sign(key(3)); err == nil {
		t.Error("a boot number that is not the kseq was signed")
	}
}

func TestLargestErasureFits(t *testing.T) {
	l := erasure()
	l.Index = MaxCount
	l.Erased.Targets = manyTargets(MaxTargets)
	for i := range l.Erased.Targets {
		l.Erased.Targets[i].Index += MaxCount - 2*MaxTargets
		l.Erased.Targets[i].Type = AppPrefix + strings.Repeat("a", 40)
	}
	b := sign(t, l)
	if _, err := DecodeLeaf(b); err != nil || len(b) > MaxLeaf {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	for i := range l.Erased.Targets {
		l.Erased.Targets[i].Type = AppPrefix + strings.Repeat("a", 60)
	}
	if _, err := l.Sign(key(3)); err == nil {
		t.Error("a leaf above the limit was signed")
	}
}

func manyTargets(n int) []Target {
	list := make([]Target, n)
	for i := range list {
		list[i] = Target{uint64(i), "message"}
	}
	return list
}

// forced encodes and signs a leaf without asking Check.
func forced(l *Leaf) []byte {
	agent, _ := ParseOrigin(l.Origin)
	l.Agent, l.KeyID = agent, KeyIDOf(pub(3))
	protected, payload := appendProtected(nil, l.Origin, agent, l.KeyID), l.appendPayload(nil)
	copy(l.Sig[:], ed25519.Sign(key(3), appendSigned(nil, protected, payload)))
	return appendLeaf(nil, protected, payload, &l.Sig)
}

func TestLeafNotInShortestForm(t *testing.T) {
	b := sign(t, message())
	// index 300 is 19 012c; the same number as 1a 0000012c is not deterministic CBOR.
	long := bytes.Replace(b, []byte{0x03, 0x19, 0x01, 0x2c}, []byte{0x03, 0x1a, 0x00, 0x00, 0x01, 0x2c}, 1)
	long = bytes.Replace(long, []byte{0xa0, 0x59}, []byte{0xa0, 0x59}, 1)
	if bytes.Equal(long, b) {
		t.Fatal("the vector has changed")
	}
	at := bytes.Index(long, []byte{0xa0, 0x58})
	long[at+2] += 2
	if _, err := DecodeLeaf(long); err == nil || !strings.Contains(err.Error(), "shortest") {
		t.Errorf("got %v", err)
	}
}

func FuzzLeaf(f *testing.F) {
	f.Add(sign(f, message()))
	f.Add(sign(f, start()))
	f.Add(sign(f, erasure()))
	var reused Leaf
	f.Fuzz(func(t *testing.T, b []byte) {
		fresh, err := DecodeLeaf(b)
		again := reused.Decode(b)
		if (err == nil) != (again == nil) {
			t.Fatalf("fresh %v, reused %v", err, again)
		}
		if err != nil {
			return
		}
		for _, l := range []*Leaf{fresh, &reused} {
			if back, err := l.Encode(); err != nil || !bytes.Equal(back, b) {
				t.Errorf("read %x, wrote %x %v", b, back, err)
			}
		}
	})
}

func TestKinds(t *testing.T) {
	var k Kinds
	for i, want := range []struct {
		name string
		kseq uint64
	}{{"message", 0}, {"boot", 0}, {"message", 1}, {"app/x", 0}, {strings.Repeat("a", 30), 0}} {
		if got, err := k.Add(want.name); err != nil || got != want.kseq {
			t.Errorf("%d: %d %v", i, got, err)
		}
	}
	const want = "a4" + "64626f6f74" + "01" + "656170702f78" + "01" + "676d657373616765" + "02" + "781e616161616161616161616161616161616161616161616161616161616161" + "01"
	if got := hex.EncodeToString(k.Append(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	back, err := ParseKinds(k.Append(nil))
	if err != nil || back.Hash() != k.Hash() || back.Total() != 5 || back.Next("message") != 2 {
		t.Errorf("%+v %v", back, err)
	}
	for i := range MaxAppTypes - 1 {
		if _, err := k.Add(AppPrefix + "t" + strings.Repeat("x", i)); i < 58 && err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"a1", "a0ff", "a164626f6f7400", "a2" + "64626f6f7401" + "64626f6f7401", "a2" + "656170702f7801" + "64626f6f7401", "a16442ff6f7401", "a164626f6f741801"} {
		raw, _ := hex.DecodeString(bad)
		if _, err := ParseKinds(raw); err == nil {
			t.Errorf("%s passed", bad)
		}
	}
}

func TestKindsLimits(t *testing.T) {
	var k Kinds
	for i := range MaxAppTypes {
		if _, err := k.Add(AppPrefix + string(rune('a'+i/26)) + string(rune('a'+i%26))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Add("app/onemore"); err == nil {
		t.Error("too many types of callers were counted")
	}
	if _, err := k.Add("message"); err != nil {
		t.Error("Teapot's own types must still fit")
	}
	if _, err := k.Add("Bad"); err == nil {
		t.Error("an invalid type was counted")
	}
}

func BenchmarkLeafEncode(b *testing.B) {
	l := message()
	sign(b, l)
	s, _ := NewSigner(l.Origin, key(3))
	b.ReportAllocs()
	var payload, leaf [1024]byte
	for b.Loop() {
		appendLeaf(leaf[:0], s.protected, l.appendPayload(payload[:0]), &l.Sig)
	}
}

func BenchmarkLeafSign(b *testing.B) {
	l := message()
	s, _ := NewSigner(l.Origin, key(3))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Sign(nil, l); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeafDecode(b *testing.B) {
	raw := sign(b, message())
	var l Leaf
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEd25519Verify(b *testing.B) {
	sig := ed25519.Sign(key(3), make([]byte, 400))
	for b.Loop() {
		ed25519.Verify(pub(3), make([]byte, 400), sig)
	}
}

func BenchmarkKindsHash(b *testing.B) {
	var k Kinds
	for _, n := range []string{"boot", "message", "reply", "model", "action", "intent", "result", "erasure", "policy", "note", "memory", "room"} {
		k.Add(n)
	}
	b.ReportAllocs()
	for b.Loop() {
		k.Hash()
	}
}
