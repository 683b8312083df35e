package tlog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vectorFile holds the test vectors that docs/formats/leaf.md and checkpoint.md name. TEAPOT_REGEN=1 writes it anew: only after a
// change of version.
const vectorFile = "../docs/formats/vectors/tlog.json"

type vectors struct {
	Keys       string            `json:"keys"`
	Origin     string            `json:"origin"`
	Leaves     map[string]string `json:"leaves"`
	LeafHashes map[string]string `json:"leaf_hashes"`
	Kinds      string            `json:"kinds"`
	KindsHash  string            `json:"kinds_hash"`
	Disclosed  string            `json:"disclosed"`
	Addendum   string            `json:"addendum"`
	Commitment string            `json:"commitment"`
	Room       string            `json:"room_pseudonym"`
	User       string            `json:"user_pseudonym"`
	Secret     string            `json:"room_secret"`
	Checkpoint string            `json:"checkpoint"`
	Receipt    string            `json:"cose_receipt"`
}

func makeVectors(t *testing.T) vectors {
	t.Helper()
	v := vectors{
		Keys:   "Ed25519 seeds: log 32 times 01, boot 32 times 02, agent 32 times 03; privacy key 32 times 07",
		Origin: testOrigin(), Leaves: map[string]string{}, LeafHashes: map[string]string{},
	}
	for _, l := range []*Leaf{message(), start(), erasure()} {
		b := sign(t, l)
		v.Leaves[l.Type], v.LeafHashes[l.Type] = hex.EncodeToString(b), RecordHash(b).String()
	}
	var k Kinds
	for _, name := range []string{"boot", "message", "reply", "message", "app/note"} {
		k.Add(name)
	}
	v.Kinds, v.KindsHash = hex.EncodeToString(k.Append(nil)), k.Hash().String()
	d := Disclosed{"room-1", "user-1", []byte("hello")}
	disclosed, err := d.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	addendum, err := NewAddendum(bytes.NewReader(bytes.Repeat([]byte{9}, 32)), disclosed)
	if err != nil {
		t.Fatal(err)
	}
	v.Disclosed, v.Addendum, v.Commitment = hex.EncodeToString(disclosed), hex.EncodeToString(addendum), Commit(addendum).String()
	privacy := bytes.Repeat([]byte{7}, 32)
	secret := RoomSecret(privacy, "room-1")
	v.Room, v.User, v.Secret = RoomPseudonym(privacy, "room-1").String(), UserPseudonym(privacy, "user-1").String(), hex.EncodeToString(secret[:])
	s := entries(7)
	note, err := SignCheckpoint(Checkpoint{testOrigin(), 7, s.Root()}, key(1), key(2))
	if err != nil {
		t.Fatal(err)
	}
	path, err := InclusionProof(5, 7, s)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := SignCOSEReceipt(testOrigin(), key(1), 5, 7, path, s.Root())
	if err != nil {
		t.Fatal(err)
	}
	v.Checkpoint, v.Receipt = string(note), hex.EncodeToString(receipt)
	return v
}

func TestVectorsHold(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if os.Getenv("TEAPOT_REGEN") == "1" {
		if err := os.WriteFile(vectorFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the formats have changed: got %s", got)
	}
}

// TestAddendumNeedsItsSalt has the rule that shorter than 32 bytes is invalid.
func TestAddendumNeedsItsSalt(t *testing.T) {
	for n := range SaltSize {
		if c := Commit(make([]byte, n)); !c.IsZero() || Opens(c, make([]byte, n)) || Opens(Digest(make([]byte, n)), make([]byte, n)) {
			t.Fatalf("an addendum of %d bytes commits to something", n)
		}
	}
	if !Opens(Commit(make([]byte, SaltSize)), make([]byte, SaltSize)) {
		t.Error("an addendum that is only salt must be valid")
	}
	if _, err := NewAddendum(bytes.NewReader(make([]byte, 31)), nil); err == nil {
		t.Error("a short salt was taken")
	}
}

func TestPseudonymsKeepApart(t *testing.T) {
	a, b := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)
	if RoomPseudonym(a, "x") == UserPseudonym(a, "x") || RoomPseudonym(a, "x") == RoomPseudonym(b, "x") || RoomPseudonym(a, "x") == RoomPseudonym(a, "y") {
		t.Error("two things have one pseudonym")
	}
	if (RoomPseudonym(a, "") != Pseudonym{}) {
		t.Error("nothing has a pseudonym")
	}
	secret, p := RoomSecret(a, "x"), RoomPseudonym(a, "x")
	if bytes.Contains(secret[:], p[:]) {
		t.Error("the secret shows the pseudonym")
	}
}

func TestOrigins(t *testing.T) {
	good := testOrigin()
	if u, err := ParseOrigin(good); err != nil || u.String() != testAgent || !OriginNamesKey(good, pub(1)) || OriginNamesKey(good, pub(2)) {
		t.Errorf("%v %v", u, err)
	}
	for _, bad := range []string{
		"", good[1:], good + "0", good[:len(good)-1] + "G", good[:len(good)-1] + "A", "teapot/0B" + good[9:], "teapot/0b1c2d3ex" + good[16:],
		"teapot/" + testAgent + "-" + good[44:], "teapot/zz" + good[9:],
	} {
		if u, err := ParseOrigin(bad); err == nil {
			t.Errorf("%q gave %v", bad, u)
		}
	}
}

func TestWords(t *testing.T) {
	for _, v := range []interface {
		MarshalText() ([]byte, error)
	}{SpeakerRoomSecret, SourcePlugin, VisibleNever, RequesterPolicy, StatusWithheld} {
		b, err := v.MarshalText()
		if err != nil || len(b) == 0 {
			t.Errorf("%v: %v", v, err)
		}
	}
	var s Source
	if err := s.UnmarshalText([]byte("gateway")); err != nil || s != SourceGateway {
		t.Errorf("%v %v", s, err)
	}
	if err := s.UnmarshalText([]byte("host")); err == nil {
		t.Error("an unknown word was read")
	}
	if _, err := Source(9).MarshalText(); err == nil {
		t.Error("an unknown value was written")
	}
}
