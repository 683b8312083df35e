// Package tlogtest makes whole logs in memory for tests: the keys come from a seed byte, the time is fixed, the salts are not
// random. It must never be linked into the binary.
package tlogtest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/teapot-tee/teapot/tlog"
)

// Agent is the agent of every test log.
const Agent = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"

// Evidence is the public evidence of start n in test logs: not an Evidence document, only bytes with a digest.
func Evidence(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte("evidence "), n) }

// Log is a log that is written in memory.
type Log struct {
	Origin  string
	LogKey  ed25519.PrivateKey
	BootKey ed25519.PrivateKey // of the present start
	Agent   ed25519.PrivateKey // of the present start
	Kinds   tlog.Kinds
	Hashes  tlog.Hashes
	Leaves  [][]byte
	Addenda [][]byte // nil where a leaf has no content
	Time    uint64
	Starts  uint64
	t       testing.TB
}

// Key returns the Ed25519 key whose seed is 32 times b.
func Key(b byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)) }

// Pub returns the public half of Key.
func Pub(b byte) ed25519.PublicKey { return Key(b).Public().(ed25519.PublicKey) }

// New returns an empty log whose log key is Key(1).
func New(t testing.TB) *Log {
	key := Key(1)
	return &Log{
		Origin: tlog.Origin(Agent, key.Public().(ed25519.PublicKey)), LogKey: key, Time: 1_760_000_000_000_000, t: t,
	}
}

// Boot begins a start with fresh keys and appends its boot leaf, which change may spoil.
func (l *Log) Boot(change ...func(*tlog.Leaf)) uint64 {
	l.BootKey, l.Agent = startKey(2, l.Starts), startKey(3, l.Starts)
	leaf := &tlog.Leaf{Type: tlog.TypeBoot, Source: tlog.SourceRuntime, Start: &tlog.Start{
		Statement: tlog.Digest([]byte("statement")), Part: tlog.Digest([]byte("part")), Evidence: tlog.Digest(Evidence(l.Starts)),
		Root: l.Hashes.Root(), BootKey: [32]byte(l.BootKey.Public().(ed25519.PublicKey)),
		AgentKey: [32]byte(l.Agent.Public().(ed25519.PublicKey)),
	}}
	l.Starts++
	return l.add(leaf, nil, change)
}

func startKey(purpose byte, n uint64) ed25519.PrivateKey {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte{purpose}, n))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Say appends an entry of this type with public content and returns its index.
func (l *Log) Say(kind, text string, change ...func(*tlog.Leaf)) uint64 {
	d := tlog.Disclosed{Room: "room-1", User: "user-1", Content: []byte(text)}
	disclosed, err := d.Append(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	salt := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("salt"), l.Hashes.Size()))
	addendum, err := tlog.NewAddendum(bytes.NewReader(salt[:]), disclosed)
	if err != nil {
		l.t.Fatal(err)
	}
	privacy := bytes.Repeat([]byte{7}, 32)
	leaf := &tlog.Leaf{
		Type: kind, Source: tlog.SourceRuntime, Speaker: tlog.SpeakerClaimed,
		Room: tlog.RoomPseudonym(privacy, "room-1"), User: tlog.UserPseudonym(privacy, "user-1"),
		Content: tlog.Content{
			Commitment: tlog.Commit(addendum), MediaType: "text/plain",
			SizeClass: tlog.SizeClass(len(disclosed)), Visibility: tlog.VisiblePublic,
		},
	}
	return l.add(leaf, addendum, change)
}

// Erase appends an erasure leaf for these entries.
func (l *Log) Erase(by tlog.Requester, indices ...uint64) uint64 {
	leaf := &tlog.Leaf{Type: tlog.TypeErasure, Source: tlog.SourceRuntime, Erased: &tlog.Erasure{Requester: by, Reason: "asked for"}}
	for _, i := range indices {
		old, err := tlog.DecodeLeaf(l.Leaves[i])
		if err != nil {
			l.t.Fatal(err)
		}
		leaf.Erased.Targets = append(leaf.Erased.Targets, tlog.Target{Index: i, Type: old.Type})
	}
	return l.add(leaf, nil, nil)
}

func (l *Log) add(leaf *tlog.Leaf, addendum []byte, change []func(*tlog.Leaf)) uint64 {
	index := l.Hashes.Size()
	kseq, err := l.Kinds.Add(leaf.Type)
	if err != nil {
		l.t.Fatal(err)
	}
	l.Time += 1000
	leaf.Origin, leaf.Boot, leaf.Index, leaf.KSeq, leaf.Kinds, leaf.Time = l.Origin, l.Starts-1, index, kseq, l.Kinds.Hash(), l.Time
	for _, f := range change {
		f(leaf)
	}
	raw, err := leaf.Sign(l.Agent)
	if err != nil {
		l.t.Fatal(err)
	}
	l.AddRaw(raw, addendum)
	return index
}

// AddRaw appends bytes as they are, whatever they are.
func (l *Log) AddRaw(leaf, addendum []byte) {
	l.Hashes.Append(tlog.RecordHash(leaf))
	l.Leaves, l.Addenda = append(l.Leaves, leaf), append(l.Addenda, addendum)
}

// Checkpoint returns the signed head.
func (l *Log) Checkpoint() []byte {
	c := tlog.Checkpoint{Origin: l.Origin, Size: l.Hashes.Size(), Root: l.Hashes.Root()}
	note, err := tlog.SignCheckpoint(c, l.LogKey, l.BootKey)
	if err != nil {
		l.t.Fatal(err)
	}
	return note
}

// Item returns entry i with its content.
func (l *Log) Item(i uint64) tlog.Item {
	item := tlog.Item{Leaf: l.Leaves[i]}
	if l.Addenda[i] != nil {
		item.Status, item.Addendum = tlog.StatusDisclosed, l.Addenda[i]
	}
	return item
}

// Path returns the inclusion proof of entry i under the present head.
func (l *Log) Path(i uint64) []tlog.Hash {
	path, err := tlog.InclusionProof(i, l.Hashes.Size(), &l.Hashes)
	if err != nil {
		l.t.Fatal(err)
	}
	return path
}
