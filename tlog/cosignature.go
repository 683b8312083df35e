package tlog

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"strconv"
)

// cosigned returns what a witness signs: C2SP tlog-cosignature v1. It holds the whole text of the checkpoint's note.
func cosigned(text string, seconds uint64) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatUint(seconds, 10) + "\n" + text)
}

// Cosign returns a witness's signature line over the text of a checkpoint, with its newline; seconds is POSIX time. The witness
// must have stored the checkpoint before.
func Cosign(text, name string, key ed25519.PrivateKey, seconds uint64) ([]byte, error) {
	if !validName(name) || len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("cosignature: want a name and an Ed25519 private key")
	}
	v := Verifier{name, AlgCosignature, key.Public().(ed25519.PublicKey)}
	sig := binary.BigEndian.AppendUint64(nil, seconds)
	sig = append(sig, ed25519.Sign(key, cosigned(text, seconds))...)
	return appendSignature(nil, name, v.ID(), sig), nil
}

// Cosigned looks for v's cosignature; v is of type AlgCosignature. The time is that of the newest one: POSIX seconds, the
// witness's claim. All lines with its name and id must verify.
func (n Note) Cosigned(v Verifier) (seconds uint64, out SigOutcome) {
	id := v.ID()
	for _, s := range n.Sigs {
		if s.Name != v.Name || s.ID != id {
			continue
		}
		if v.Type != AlgCosignature || len(v.Key) != ed25519.PublicKeySize || len(s.Sig) != 8+ed25519.SignatureSize {
			return 0, SigBad
		}
		at := binary.BigEndian.Uint64(s.Sig)
		if !ed25519.Verify(v.Key, cosigned(n.Text, at), s.Sig[8:]) {
			return 0, SigBad
		}
		seconds, out = max(seconds, at), SigGood
	}
	return seconds, out
}

// AppendLines appends signature lines, as a witness returns them, to a signed note, after checking their form.
func AppendLines(note, lines []byte) ([]byte, error) {
	out := append(append([]byte{}, note...), lines...)
	if _, err := ParseNote(out); err != nil {
		return nil, err
	}
	return out, nil
}
