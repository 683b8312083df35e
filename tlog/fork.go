package tlog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
)

// ForkType names the version of fork evidence.
const ForkType = "teapot/fork/v1"

// Fork is portable evidence that a log's key signed two trees of which neither extends the other. It needs nobody's word: the
// origin names the log key, both notes carry its signature, and the proof shows that the newer tree, at the older one's size, has
// another root.
type Fork struct {
	Type   string   `json:"type"`    // ForkType
	LogKey []byte   `json:"log_key"` // base64, Ed25519
	Older  string   `json:"older"`   // signed note
	Newer  string   `json:"newer"`   // signed note of the same or a larger size
	Root   Hash     `json:"root"`    // of the newer tree at the older one's size, lower-case hex
	Proof  Hashes64 `json:"proof"`   // consistency from (older size, Root) to the newer tree; empty for equal sizes
}

// NewFork makes fork evidence from two checkpoints and the newer tree's root at the older one's size. It fails if they prove
// no fork.
func NewFork(logKey ed25519.PublicKey, older, newer []byte, root Hash, proof []Hash) (*Fork, error) {
	f := &Fork{ForkType, logKey, string(older), string(newer), root, append(Hashes64{}, proof...)}
	return f, f.Verify()
}

// Marshal returns the evidence's JSON.
func (f *Fork) Marshal() ([]byte, error) { return marshalJSON(f) }

// ParseFork reads fork evidence strictly. Whether it proves a fork is for Verify.
func ParseFork(b []byte) (*Fork, error) {
	f := new(Fork)
	if len(b) > 1<<18 {
		return nil, errors.New("fork evidence: too long")
	}
	if err := unmarshalJSON(b, f); err != nil {
		return nil, fmt.Errorf("fork evidence: %w", err)
	}
	if f.Type != ForkType {
		return nil, fmt.Errorf("fork evidence: type %q, want %q", clip(f.Type), ForkType)
	}
	return f, nil
}

// Verify returns nil if the evidence proves that the log forked.
func (f *Fork) Verify() error {
	older, newer, err := f.Checkpoints()
	if err != nil {
		return err
	}
	if !OriginNamesKey(older.Origin, f.LogKey) || newer.Origin != older.Origin {
		return errors.New("fork evidence: the two checkpoints are not of one log with this key")
	}
	if older.SignedByLog(f.LogKey) != SigGood || newer.SignedByLog(f.LogKey) != SigGood {
		return errors.New("fork evidence: a checkpoint is not signed by the log key: nothing is proven against the log")
	}
	if err := VerifyConsistency(older.Size, newer.Size, f.Proof, f.Root, newer.Root); err != nil {
		return fmt.Errorf("fork evidence: %w", err)
	}
	if f.Root == older.Root {
		return errors.New("fork evidence: the newer tree extends the older one: no fork")
	}
	return nil
}

// Checkpoints returns the two checkpoints, unverified.
func (f *Fork) Checkpoints() (older, newer *SignedCheckpoint, err error) {
	if older, err = ParseCheckpoint([]byte(f.Older)); err != nil {
		return nil, nil, err
	}
	newer, err = ParseCheckpoint([]byte(f.Newer))
	return older, newer, err
}
