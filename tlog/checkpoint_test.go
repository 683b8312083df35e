package tlog

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
)

// key returns the Ed25519 key whose seed is 32 times b.
func key(b byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)) }

func pub(b byte) ed25519.PublicKey { return key(b).Public().(ed25519.PublicKey) }

// Vectors of facts/tlog.md section 1.8.
const (
	vectorLogKey     = "teapot.example/log+133c10f1+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
	vectorWitness    = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
	vectorText       = "teapot.example/log\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n"
	vectorLogLine    = "— teapot.example/log EzwQ8VMNCSQyMIv2++pqgRyfMj4/9IE9lik5mHYCJmirIMBHk4ySpLXkeXOCCLXSTwNHy/nW/KP3xT3p8weNSOaKbAk=\n"
	vectorWitnessSig = "— witness.example/w1 3xwKNQAAAABo53gAv0XPETLzauK8KWLAI36vNzEPZe6IYaeHssBTR+NkbePXu1STQXDI92GeFC2TnsxaZM7Q+u9QYZIrGOCX1MdEDw==\n"
	vectorNote       = vectorText + "\n" + vectorLogLine + vectorWitnessSig
)

func TestCheckpointVectors(t *testing.T) {
	v, err := ParseVerifier(vectorLogKey)
	if err != nil || !v.Key.Equal(pub(1)) || v.String() != vectorLogKey {
		t.Fatalf("log vkey: %v %v", v, err)
	}
	c, err := ParseCheckpoint([]byte(vectorNote))
	if err != nil {
		t.Fatal(err)
	}
	if c.Size != 7 || c.Root != entries(7).Root() || c.Text() != vectorText {
		t.Errorf("checkpoint: %+v", c.Checkpoint)
	}
	if c.SignedByLog(pub(1)) != SigGood || c.SignedByLog(pub(3)) != SigMissing {
		t.Error("log signature")
	}
	signed, err := SignCheckpoint(c.Checkpoint, key(1), key(9))
	if err != nil || !strings.HasPrefix(string(signed), vectorText+"\n"+vectorLogLine) {
		t.Errorf("our signature differs: %s %v", signed, err)
	}
}

func TestCheckpointNeedsBothSignatures(t *testing.T) {
	origin := Origin(testAgent, pub(1))
	c := Checkpoint{origin, 7, entries(7).Root()}
	note, err := SignCheckpoint(c, key(1), key(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCheckpoint(note, origin, pub(1), pub(2)); err != nil {
		t.Errorf("a good checkpoint: %v", err)
	}
	oldBoot, _ := SignCheckpoint(c, key(1), key(3))
	otherLog, _ := SignCheckpoint(c, key(4), key(2))
	lines := strings.SplitAfter(string(note), "\n")
	for name, bad := range map[string][]byte{
		"an old boot key":      oldBoot,
		"another log key":      otherLog,
		"no boot signature":    []byte(strings.Join(lines[:5], "")),
		"no log signature":     []byte(strings.Join(append(lines[:4:4], lines[5]), "")),
		"a changed size":       bytes.Replace(note, []byte("\n7\n"), []byte("\n8\n"), 1),
		"another origin":       bytes.ReplaceAll(note, []byte("teapot/0"), []byte("teapot/1")),
		"a doubled bad line":   append(bytes.Clone(note), badLine(lines[4])...),
		"bytes after the note": append(bytes.Clone(note), 'x'),
	} {
		if _, err := OpenCheckpoint(bad, origin, pub(1), pub(2)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

// badLine flips one bit of a signature line's signature.
func badLine(line string) string {
	s, _ := parseSignature(strings.TrimSuffix(line, "\n"))
	s.Sig[3] ^= 1
	return string(appendSignature(nil, s.Name, s.ID, s.Sig))
}

func TestCheckpointTextIsStrict(t *testing.T) {
	root := entries(7).Root().Base64()
	for _, text := range []string{
		"", "o\n7\n" + root, "o\n07\n" + root + "\n", "o\n+7\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n7\n" + root[:43] + "\n",
		"o\n7\n" + root + "\nextension\n", "o\n7\n" + root + "\n\n", "a b\n7\n" + root + "\n", "a+b\n7\n" + root + "\n",
		"o\n9007199254740992\n" + root + "\n", "o\n18446744073709551616\n" + root + "\n", "o\n0\n" + root + "\n",
		"o\n7\n" + strings.Replace(root, "F0=", "F1=", 1) + "\n", "\n7\n" + root + "\n", "o\n7 \n" + root + "\n",
	} {
		if c, err := ParseCheckpointText(text); err == nil {
			t.Errorf("%q gave %+v", text, c)
		}
	}
	if _, err := ParseCheckpointText("o\n0\n" + EmptyRoot().Base64() + "\n"); err != nil {
		t.Errorf("the empty tree: %v", err)
	}
}

func TestVerifierIsStrict(t *testing.T) {
	for _, v := range []string{
		"", "name", "name+133c10f1", strings.Replace(vectorLogKey, "+133c", "+133d", 1), strings.Replace(vectorLogKey, "teapot", "Teapot", 1),
		strings.ToUpper(vectorLogKey[:27]) + vectorLogKey[27:], vectorLogKey + "=", strings.Replace(vectorLogKey, "+AY", "+A Y", 1),
	} {
		if got, err := ParseVerifier(v); err == nil {
			t.Errorf("%q gave %v", v, got)
		}
	}
}

func FuzzNote(f *testing.F) {
	f.Add([]byte(vectorNote))
	f.Add([]byte("a\n\n— b AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNote(b)
		if err != nil {
			return
		}
		out := []byte(n.Text + "\n")
		for _, s := range n.Sigs {
			out = appendSignature(out, s.Name, s.ID, s.Sig)
		}
		if !bytes.Equal(out, b) {
			t.Errorf("%q was read, %q written back", b, out)
		}
	})
}
