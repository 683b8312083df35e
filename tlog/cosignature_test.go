package tlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
)

func TestCosignatureVector(t *testing.T) {
	v, err := ParseVerifier(vectorWitness)
	if err != nil || !v.Key.Equal(pub(2)) || v.Type != AlgCosignature {
		t.Fatalf("%v %v", v, err)
	}
	line, err := Cosign(vectorText, "witness.example/w1", key(2), 1760000000)
	if err != nil || string(line) != vectorWitnessSig {
		t.Errorf("our cosignature differs: %s %v", line, err)
	}
	n, err := ParseNote([]byte(vectorNote))
	if err != nil {
		t.Fatal(err)
	}
	if at, got := n.Cosigned(v); got != SigGood || at != 1760000000 {
		t.Errorf("outcome %d at %d", got, at)
	}
	if n.Verify(v) != SigBad {
		t.Error("a cosignature was taken for a plain signature")
	}
	if _, got := n.Cosigned(Verifier{v.Name, AlgCosignature, pub(3)}); got != SigMissing {
		t.Errorf("another key: %d", got)
	}
}

func TestCosignatureOfAnotherTimeOrTextIsBad(t *testing.T) {
	v, _ := ParseVerifier(vectorWitness)
	n, _ := ParseNote([]byte(vectorNote))
	sig := bytes.Clone(n.Sigs[1].Sig)
	binary.BigEndian.PutUint64(sig, 1760000001)
	later := Note{n.Text, append(append([]NoteSignature{}, n.Sigs...), NoteSignature{v.Name, v.ID(), sig})}
	if _, got := later.Cosigned(v); got != SigBad {
		t.Errorf("another time: %d", got)
	}
	other := Note{strings.Replace(n.Text, "7", "8", 1), n.Sigs}
	if _, got := other.Cosigned(v); got != SigBad {
		t.Errorf("another text: %d", got)
	}
	short := Note{n.Text, []NoteSignature{{v.Name, v.ID(), sig[:71]}}}
	if _, got := short.Cosigned(v); got != SigBad {
		t.Errorf("a short one: %d", got)
	}
}

// three is a policy with two of three witnesses; their keys are 11, 12, 13.
func three(t *testing.T, quorum string) *WitnessPolicy {
	t.Helper()
	var b strings.Builder
	b.WriteString("# who we believe\nlog " + LogVerifier("teapot.example/log", pub(1)).String() + " https://teapot.example\n\n")
	for i, name := range []string{"a", "b", "c"} {
		v := Verifier{"witness.example/" + name, AlgCosignature, pub(byte(11 + i))}
		b.WriteString("witness " + name + " " + v.String() + " https://witness.example/" + name + "\n")
	}
	b.WriteString("group ab any a b\ngroup g 2 ab c\n" + quorum + "\n")
	p, err := ParseWitnessPolicy(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func cosignedBy(t *testing.T, at map[byte]uint64) *SignedCheckpoint {
	t.Helper()
	note := []byte(vectorText + "\n" + vectorLogLine)
	for i := byte(11); i <= 13; i++ {
		if at[i] == 0 {
			continue
		}
		line, err := Cosign(vectorText, "witness.example/"+string('a'+rune(i-11)), key(i), at[i])
		if err != nil {
			t.Fatal(err)
		}
		if note, err = AppendLines(note, line); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ParseCheckpoint(note)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQuorum(t *testing.T) {
	for _, c := range []struct {
		quorum string
		at     map[byte]uint64
		want   Cosignatures
	}{
		{"quorum g", map[byte]uint64{11: 100, 13: 90}, Cosignatures{true, 90, map[string]uint64{"a": 100, "c": 90}, nil}},
		{"quorum g", map[byte]uint64{11: 100, 12: 300, 13: 200}, Cosignatures{true, 200, map[string]uint64{"a": 100, "b": 300, "c": 200}, nil}},
		{"quorum g", map[byte]uint64{11: 100, 12: 100}, Cosignatures{false, 0, map[string]uint64{"a": 100, "b": 100}, nil}},
		{"quorum g", nil, Cosignatures{false, 0, map[string]uint64{}, nil}},
		{"quorum c", map[byte]uint64{13: 5}, Cosignatures{true, 5, map[string]uint64{"c": 5}, nil}},
		{"quorum none", nil, Cosignatures{true, 0, map[string]uint64{}, nil}},
	} {
		p := three(t, c.quorum)
		if got := p.Judge(cosignedBy(t, c.at)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %v: got %+v, want %+v", c.quorum, c.at, got, c.want)
		}
	}
}

func TestABadCosignatureSpoilsTheNote(t *testing.T) {
	c := cosignedBy(t, map[byte]uint64{11: 100, 12: 100, 13: 90})
	c.Note.Sigs[2].Sig[20] ^= 1
	got := three(t, "quorum g").Judge(c)
	if got.Satisfied || !reflect.DeepEqual(got.Bad, []string{"b"}) {
		t.Errorf("%+v", got)
	}
}

func TestPolicyIsStrict(t *testing.T) {
	w := "witness w " + vectorWitness + "\n"
	for name, text := range map[string]string{
		"empty":                  "",
		"no quorum":              w,
		"unknown word":           w + "quorum w\nfoo\n",
		"undefined":              "quorum w\n" + w,
		"two quorums":            w + "quorum w\nquorum none\n",
		"two words":              w + "quorum w w\n",
		"log's key":              "witness w " + vectorLogKey + "\nquorum w\n",
		"witness's key for log":  "log " + vectorWitness + "\nquorum none\n",
		"name twice":             w + w + "quorum w\n",
		"key twice":              w + strings.Replace(w, "witness w", "witness v", 1) + "quorum w\n",
		"name none":              strings.Replace(w, "witness w", "witness none", 1) + "quorum none\n",
		"group of nothing":       w + "group g all\nquorum g\n",
		"group forward":          "group g all w\n" + w + "quorum g\n",
		"group of itself":        w + "group g all g\nquorum g\n",
		"k zero":                 w + "group g 0 w\nquorum g\n",
		"k too large":            w + "group g 2 w\nquorum g\n",
		"k with a sign":          w + "group g +1 w\nquorum g\n",
		"member of two":          w + "group g 1 w\ngroup h 1 w\nquorum g\n",
		"member twice":           w + "group g 1 w w\nquorum g\n",
		"member none":            w + "group g 1 none\nquorum g\n",
		"bad vkey":               "witness w x+00000000+AA==\nquorum w\n",
		"too many words":         "witness w " + vectorWitness + " url more\nquorum w\n",
		"ML-DSA is not our game": "witness w witness.example/w1+df1c0a35+BoE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\nquorum w\n",
	} {
		if p, err := ParseWitnessPolicy(text); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if (&WitnessPolicy{}).Judge(cosignedBy(t, nil)).Satisfied {
		t.Error("a policy without a quorum line was satisfied")
	}
}

func TestAppendLinesRefusesText(t *testing.T) {
	note := []byte(vectorText + "\n" + vectorLogLine)
	for _, lines := range []string{"hello\n", "\nmore\n", vectorWitnessSig + "\n", strings.TrimSuffix(vectorWitnessSig, "\n")} {
		if _, err := AppendLines(note, []byte(lines)); err == nil {
			t.Errorf("%q was taken", lines)
		}
	}
}

// Signatures of kinds that we do not know are lines of strangers (C2SP signed-note): they are left alone and spoil nothing,
// even when they bear the name of the log, of a start or of a witness of the policy. Sixteen ML-DSA-44 lines fit.
func TestUnknownSignatureTypesAreIgnored(t *testing.T) {
	const mldsa = 0x06
	c := cosignedBy(t, map[byte]uint64{11: 100, 12: 100, 13: 90})
	note := c.Raw
	for i, name := range []string{c.Origin, c.Origin + BootSuffix, three(t, "quorum g").Witnesses[0].Verifier.Name, "stranger.example/1"} {
		sum := sha256.Sum256(append([]byte(name+"\n"), mldsa, byte(i)))
		note = appendSignature(note, name, binary.BigEndian.Uint32(sum[:]), make([]byte, 8+2420))
	}
	for len(note) < 14*3300 {
		note = appendSignature(note, "stranger.example/2", uint32(len(note)), make([]byte, 8+2420))
	}
	got, err := ParseCheckpoint(note)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := three(t, "quorum g").Judge(got), three(t, "quorum g").Judge(c); !reflect.DeepEqual(a, b) || !a.Satisfied {
		t.Errorf("with unknown lines %+v, without %+v", a, b)
	}
	if a, b := got.SignedByLog(pub(1)), c.SignedByLog(pub(1)); a != b {
		t.Errorf("the log's signature: %v with unknown lines, %v without", a, b)
	}
	bare, err := SignCheckpoint(Checkpoint{Origin(testAgent, pub(1)), 7, entries(7).Root()}, key(1), key(2))
	if err != nil {
		t.Fatal(err)
	}
	line := appendSignature(nil, Origin(testAgent, pub(1)), 7, make([]byte, 8+2420))
	with, err := AppendLines(bare, line) // as a witness of both kinds answers
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCheckpoint(with, Origin(testAgent, pub(1)), pub(1), pub(2)); err != nil {
		t.Errorf("a checkpoint with an ML-DSA line beside its own: %v", err)
	}
}
