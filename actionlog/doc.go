// Package actionlog is the writer of the action log: it numbers, signs, encrypts and stores what an agent does, and
// answers with the proof.
//
// An entry is acknowledged when its frame is on disk and under a checkpoint signed by the log key and the boot key; the
// acknowledgement is the inclusion proof. The truth is the frames (package segment). The SQLite index (package index),
// tiles and proofs are projections: they can be deleted, and nothing that leaves is believed from them – every entry is
// read from its frame and compared with the tree in memory first.
//
// It trusts the memory of this process, the keys it is given and the code that calls it. It does not trust the disk:
// only extensions of the tree in memory are ever signed, a head is never read back and signed, and after a failed
// write or sync the store stops for good, because nobody knows what the disk holds; recovery at the next start is the
// one tested way out. It cannot tell that a whole older copy of the disk was put back: that is for witnesses and for
// readers who remember (package client).
//
//	store, err := actionlog.Open(actionlog.Options{Dir: "data/log", Platform: "simulator"})
//	log, err := store.OpenLog(actionlog.LogOptions{Agent: id, LogKey: key, StorageKey: sk, PrivacyKey: pk})
//	_, err = log.Boot(ctx, actionlog.Boot{BootKey: bk, AgentKey: ak, Statement: s, Part: p, Evidence: e})
//	proofs, err := log.Append(ctx, actionlog.Entry{Type: "message", Room: room, Content: []byte(text), MediaType: "text/plain"})
package actionlog
