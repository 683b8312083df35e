package tlog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Checkpoint is the log's head: C2SP tlog-checkpoint without extension lines.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   Hash
}

// Text returns what is signed: origin, size and root, one line each.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.Base64() + "\n"
}

// ParseCheckpointText reads what Text wrote. Extension lines are refused: nothing covers their meaning.
func ParseCheckpointText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || !validName(lines[0]) {
		return Checkpoint{}, errors.New("checkpoint: want the three lines origin, size and root")
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || strconv.FormatUint(size, 10) != lines[1] || size > MaxCount {
		return Checkpoint{}, fmt.Errorf("checkpoint: size %q is not a plain decimal number", clip(lines[1]))
	}
	root, err := ParseHashBase64(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: root: %w", err)
	}
	c := Checkpoint{lines[0], size, root}
	if c.Text() != text {
		return Checkpoint{}, errors.New("checkpoint: not in canonical form")
	}
	if size == 0 && root != EmptyRoot() {
		return Checkpoint{}, errors.New("checkpoint: size 0 with a root that is not the empty tree's")
	}
	return c, nil
}

// SignedCheckpoint is a checkpoint with the note it came from. What is signed by whom is not yet known.
type SignedCheckpoint struct {
	Checkpoint
	Note Note
	Raw  []byte
}

// ParseCheckpoint reads a checkpoint note without verifying it.
func ParseCheckpoint(note []byte) (*SignedCheckpoint, error) {
	n, err := ParseNote(note)
	if err != nil {
		return nil, err
	}
	c, err := ParseCheckpointText(n.Text)
	if err != nil {
		return nil, err
	}
	return &SignedCheckpoint{c, n, note}, nil
}

// LogVerifier returns the verifier of a log: its name is the origin.
func LogVerifier(origin string, logKey ed25519.PublicKey) Verifier {
	return Verifier{origin, AlgEd25519, logKey}
}

// BootVerifier returns the verifier of one start of a log: its name is origin + "/boot".
func BootVerifier(origin string, bootKey ed25519.PublicKey) Verifier {
	return Verifier{origin + BootSuffix, AlgEd25519, bootKey}
}

// SignedByLog looks for the log key's signature.
func (c *SignedCheckpoint) SignedByLog(logKey ed25519.PublicKey) SigOutcome {
	return c.Note.Verify(LogVerifier(c.Origin, logKey))
}

// SignedByBoot looks for the boot key's signature.
func (c *SignedCheckpoint) SignedByBoot(bootKey ed25519.PublicKey) SigOutcome {
	return c.Note.Verify(BootVerifier(c.Origin, bootKey))
}

// OpenCheckpoint parses a checkpoint and demands its origin and the signatures of both keys.
func OpenCheckpoint(note []byte, origin string, logKey, bootKey ed25519.PublicKey) (*SignedCheckpoint, error) {
	c, err := ParseCheckpoint(note)
	if err != nil {
		return nil, err
	}
	if c.Origin != origin {
		return nil, fmt.Errorf("checkpoint: origin %q, want %q", clip(c.Origin), origin)
	}
	if c.SignedByLog(logKey) != SigGood {
		return nil, errors.New("checkpoint: not signed by the log key")
	}
	if c.SignedByBoot(bootKey) != SigGood {
		return nil, errors.New("checkpoint: not signed by the boot key of this start")
	}
	return c, nil
}

// CheckpointSigner signs the checkpoints of one log during one start. It is safe for concurrent use. What it is given to sign
// must extend the tree in memory: it has no means to know.
type CheckpointSigner struct {
	origin        string
	logID, bootID uint32
	log, boot     ed25519.PrivateKey
}

// NewCheckpointSigner returns the signer of a log and a start.
func NewCheckpointSigner(origin string, logKey, bootKey ed25519.PrivateKey) (*CheckpointSigner, error) {
	if !validName(origin) || len(logKey) != ed25519.PrivateKeySize || len(bootKey) != ed25519.PrivateKeySize {
		return nil, errors.New("checkpoint signer: want an origin and two Ed25519 private keys")
	}
	return &CheckpointSigner{
		origin, LogVerifier(origin, logKey.Public().(ed25519.PublicKey)).ID(),
		BootVerifier(origin, bootKey.Public().(ed25519.PublicKey)).ID(), logKey, bootKey,
	}, nil
}

// Sign returns the signed note for a tree: the log key's line first.
func (s *CheckpointSigner) Sign(size uint64, root Hash) []byte {
	text := []byte(Checkpoint{s.origin, size, root}.Text())
	b := append(make([]byte, 0, 2*len(text)+4*len(s.origin)+240), text...)
	b = append(b, '\n')
	b = appendSignature(b, s.origin, s.logID, ed25519.Sign(s.log, text))
	return appendSignature(b, s.origin+BootSuffix, s.bootID, ed25519.Sign(s.boot, text))
}

// SignCheckpoint is NewCheckpointSigner and Sign for a single checkpoint.
func SignCheckpoint(c Checkpoint, logKey, bootKey ed25519.PrivateKey) ([]byte, error) {
	s, err := NewCheckpointSigner(c.Origin, logKey, bootKey)
	if err != nil {
		return nil, err
	}
	return s.Sign(c.Size, c.Root), nil
}
